import { describeSpread, type Figure, type Spread } from './figures.ts'

export type Line = Figure & { row: string, fsync: Spread }

const columns: [string, (line: Line) => string][] = [
  ['figure', ({ figure }) => figure],
  ['Tacet', ({ tacet }) => tacet],
  ['reference in the same run', ({ reference }) => reference],
  ['ratio', ({ ratio }) => ratio === null ? '–' : `${ratio.toFixed(1)} ×`],
  ['goal', ({ goal, isMet }) => isMet === null ? goal : `${isMet ? '✓' : '✗'} ${goal}`],
  ['fsync', ({ fsync }) => describeSpread(fsync)],
]

/** As Markdown, its columns lined up. */
export function tableOf (lines: Line[]): string {
  const cells = [columns.map(([title]) => title), ...lines.map(line => columns.map(([, cell]) => cell(line)))]
  const widths = columns.map((_, column) => Math.max(...cells.map(row => row[column]!.length)))
  const print = (row: string[]) => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`
  const [head, ...body] = cells.map(print)
  return [head, `|${widths.map(width => '-'.repeat(width + 2)).join('|')}|`, ...body].join('\n')
}
