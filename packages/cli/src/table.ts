type Row = Record<string, unknown>

/** Columns aligned, for people. Control characters of whoever wrote a name must not reach a terminal. */
export function table (rows: Row[], columns: string[]): string {
  if (rows.length === 0) return 'none\n'
  const cells = [columns, ...rows.map(row => columns.map(column => cell(at(row, column))))]
  const widths = columns.map((_, index) => Math.max(...cells.map(line => line[index]?.length ?? 0)))
  return cells.map(line => line.map((text, index) => text.padEnd(widths[index] ?? 0)).join('  ').trimEnd() + '\n').join('')
}

/** One thing, a line for each member. */
export function details (value: Row): string {
  const lines = flatten(value)
  const width = Math.max(...lines.map(([name]) => name.length))
  return lines.map(([name, text]) => `${name.padEnd(width)}  ${text}\n`).join('')
}

/** `recording.inbound` of a row. */
export const at = (row: unknown, path: string): unknown => path.split('.').reduce<unknown>((value, name) => (value as Row | null | undefined)?.[name], row)

function flatten (value: Row, prefix = ''): [string, string][] {
  return Object.entries(value).flatMap(([name, member]) =>
    typeof member === 'object' && member !== null && !Array.isArray(member) ? flatten(member as Row, `${prefix}${name}.`) : [[prefix + name, cell(member)] as [string, string]])
}

function cell (value: unknown): string {
  if (value === null || value === undefined) return '-'
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.map(item => typeof item === 'object' ? JSON.stringify(item) : String(item)).join(' ')
  return (typeof value === 'object' ? JSON.stringify(value) : String(value)).replaceAll(/\p{Cc}/gu, '?')
}
