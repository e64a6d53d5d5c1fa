import { peaks, readWavFile } from '@tacet/audio'
import type { Timeline } from '@tacet/contracts'
import colors from 'picocolors'

const bars = ' ▁▂▃▄▅▆▇█'
const rows = 3
const samplesPerPeak = 80

type Cell = { text: string, paint: (text: string) => string }
const blank: Cell = { text: ' ', paint: String }

type Column = { isRecorded: true, level: number } | { isRecorded: false }

/** The call as a line of time: the recording's waveform where it recorded, and the gaps, with why and who. */
export async function drawTimeline (timeline: Timeline, file: string, { width, nameOf }: { width: number, nameOf: (agentId: string | null) => string }): Promise<string[]> {
  const startMs = Date.parse(timeline.answeredAt)
  const callMs = Date.parse(timeline.endedAt) - startMs
  const columnMs = callMs / width
  const levels = await levelsOf(file)
  const columns = Array.from({ length: width }, (_, index) => columnAt(timeline, levels, startMs + (index + 0.5) * columnMs, columnMs))
  const loudest = Math.max(1, ...columns.map((column) => column.isRecorded ? column.level : 0))

  const picture = Array.from({ length: rows }, (_, row) => columns.map((column) => {
    if (!column.isRecorded) return blank
    const height = Math.max(1, Math.round(column.level / loudest * rows * 8)) - (rows - 1 - row) * 8
    return { text: bars[Math.max(0, Math.min(8, height))]!, paint: colors.red }
  }))
  for (const gap of timeline.gaps) {
    const from = Math.max(0, Math.round((Date.parse(gap.startedAt) - startMs) / columnMs))
    const to = Math.min(width, Math.round((Date.parse(gap.endedAt) - startMs) / columnMs))
    const who = [...new Set(gap.by.map(({ agentId, kind }) => agentId ? nameOf(agentId) : kind))].join(', ')
    const texts = ['not recorded', `${(gap.durationMs / 1000).toFixed(1)} s`, `${gap.reasons.join(', ')}${who ? `: ${who}` : ''}`]
    for (const [row, text] of texts.entries()) frame(picture[row]!, from, to, text)
  }
  return [axisLabels(callMs, width), axis(callMs, width), ...picture.map(render)].map((line) => `  ${line}`)
}

async function levelsOf (file: string): Promise<number[]> {
  const wav = await readWavFile(file)
  if (!wav.ok) return []
  const found = await peaks(file, wav, Math.ceil(wav.samples / samplesPerPeak))
  return found.map(({ min, max }) => Math.max(-min, max))
}

function columnAt ({ segments, sampleRateHz }: Timeline, levels: number[], atMs: number, columnMs: number): Column {
  const segment = segments.find(({ startedAt, durationMs }) => atMs >= Date.parse(startedAt) && atMs < Date.parse(startedAt) + durationMs)
  if (!segment) return { isRecorded: false }
  const peakMs = samplesPerPeak / sampleRateHz * 1000
  const from = Math.floor((segment.offsetMs + atMs - Date.parse(segment.startedAt) - columnMs / 2) / peakMs)
  const stretch = levels.slice(Math.max(0, from), from + Math.ceil(columnMs / peakMs))
  return { isRecorded: true, level: stretch.reduce((sum, level) => sum + level, 0) / Math.max(1, stretch.length) }
}

/** Puts a text between two dotted edges; a narrow gap has no room for it, the narrowest are one edge. */
function frame (row: Cell[], from: number, to: number, text: string): void {
  const width = Math.max(1, to - from)
  const inside = Math.max(0, width - 2)
  const shown = text.length <= inside ? text : ''
  const left = Math.floor((inside - shown.length) / 2)
  const cells = ['┊', ...(shown.padStart(left + shown.length).padEnd(inside)), '┊'].slice(0, width)
  row.splice(Math.min(from, row.length - width), width, ...cells.map((cell) => ({ text: cell, paint: colors.yellow })))
}

/** Neighbours of one colour are painted together. */
function render (row: Cell[]): string {
  const runs: Cell[] = []
  for (const { text, paint } of row) {
    const last = runs.at(-1)
    if (last?.paint === paint) last.text += text
    else runs.push({ text, paint })
  }
  return runs.map(({ text, paint }) => paint(text)).join('')
}

const tickMsOf = (callMs: number, width: number): number =>
  [1, 2, 5, 10, 15, 30, 60, 300, 600].map((s) => s * 1000).find((ms) => ms / callMs * width >= 8) ?? 1_800_000

function axis (callMs: number, width: number): string {
  const cells = Array.from({ length: width }, () => '─')
  for (const { column } of ticks(callMs, width)) cells[column] = column === 0 ? '├' : '┼'
  return colors.dim(cells.join(''))
}

function axisLabels (callMs: number, width: number): string {
  const cells = Array.from({ length: width }, () => ' ')
  for (const { column, label } of ticks(callMs, width)) if (column + label.length <= width) cells.splice(column, label.length, ...label)
  return colors.dim(cells.join(''))
}

const ticks = (callMs: number, width: number): Array<{ column: number, label: string }> => {
  const tickMs = tickMsOf(callMs, width)
  return Array.from({ length: Math.floor(callMs / tickMs) + 1 }, (_, index) => ({ column: Math.min(width - 1, Math.round(index * tickMs / callMs * width)), label: `${index * tickMs / 1000} s` }))
}
