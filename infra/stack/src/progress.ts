import { performance } from 'node:perf_hooks'
import colors from 'picocolors'
import type { WriteStream } from 'node:tty'

type Running = { title: string, detail: string, since: number, lastPrintedAt: number }

const frames = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'
const plainIntervalMs = 5000
const seconds = (since: number): string => colors.dim(`${((performance.now() - since) / 1000).toFixed(1)} s`)

export type Progress = {
  /** Shows a step from its start to its end; `say` inside it tells what it is at. */
  step: <T>(title: string, work: (say: (detail: string) => void) => Promise<T>) => Promise<T>
  line: (text: string) => void
}

/** Steps with their times: a moving block on a terminal, plain lines elsewhere. */
export function showProgress (out: WriteStream | NodeJS.WriteStream = process.stdout): Progress {
  const running = new Set<Running>()
  let drawnLines = 0
  let frame = 0
  let timer: NodeJS.Timeout | undefined

  const erase = (): void => {
    if (drawnLines > 0) out.write(`\x1b[${drawnLines}A\x1b[J`)
    drawnLines = 0
  }
  const draw = (): void => {
    if (!out.isTTY) return
    erase()
    const spinner = colors.cyan(frames[frame++ % frames.length] ?? '')
    for (const { title, detail, since } of running) {
      const text = detail ? `${title}: ${detail}` : title
      out.write(`  ${spinner} ${text.slice(0, (out.columns || 80) - 14)} ${seconds(since)}\n`)
    }
    drawnLines = running.size
  }
  const line = (text: string): void => {
    erase()
    out.write(`${text}\n`)
    draw()
  }
  const begin = (step: Running): void => {
    running.add(step)
    if (out.isTTY) timer ??= setInterval(draw, 100)
  }
  const end = (step: Running): void => {
    running.delete(step)
    if (running.size === 0) {
      clearInterval(timer)
      timer = undefined
    }
  }

  return {
    line,
    step: async (title, work) => {
      const step: Running = { title, detail: '', since: performance.now(), lastPrintedAt: -Infinity }
      begin(step)
      const say = (detail: string): void => {
        step.detail = detail
        if (out.isTTY || performance.now() - step.lastPrintedAt < plainIntervalMs) return
        step.lastPrintedAt = performance.now()
        out.write(`  … ${title}: ${detail}\n`)
      }
      try {
        const result = await work(say)
        end(step)
        line(`  ${colors.green('✓')} ${title} ${seconds(step.since)}`)
        return result
      } catch (error) {
        end(step)
        line(`  ${colors.red('✗')} ${title} ${seconds(step.since)}`)
        throw error
      }
    },
  }
}
