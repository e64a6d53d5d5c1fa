import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Owner } from '../support/tacet.ts'

/** Delays below that are not seen. */
export const tickMs = 5
/** As Asterisk's own (infra/stack): what kept this waiting may have kept Asterisk waiting. */
const priority = -10

export interface Metronome {
  /** How long a process like Asterisk was kept waiting for its turn, at worst, between two moments. */
  worstDelayMs: (fromMs: number, toMs: number) => number
}

interface Late { atMs: number, lateMs: number }

/** Tells how busy the machine was, and when: what Asterisk does late because others had the processor is not Asterisk's fault, nor ours. */
export async function startMetronome (t: Owner): Promise<Metronome> {
  const child = fork(fileURLToPath(import.meta.url), ['tick'])
  const exited = once(child, 'exit')
  t.teardown(async () => {
    child.disconnect()
    await exited
  })
  const lates: Late[] = []
  child.on('message', late => { lates.push(late as Late) })
  await once(child, 'spawn')
  try {
    setPriority(child.pid!, priority)
  } catch {
    // Not root: then nor is Asterisk before others.
  }
  return {
    worstDelayMs: (fromMs, toMs) => Math.max(0, ...lates.filter(({ atMs, lateMs }) => atMs >= fromMs && atMs - lateMs <= toMs).map(({ lateMs }) => lateMs)),
  }
}

const nowMs = (): number => performance.timeOrigin + performance.now()

function tick (): void {
  let before = nowMs()
  const timer = setInterval(() => {
    const now = nowMs()
    const late: Late = { atMs: now, lateMs: now - before - tickMs }
    if (late.lateMs > tickMs) process.send?.(late)
    before = now
  }, tickMs)
  process.once('disconnect', () => clearInterval(timer))
}

if (process.argv[2] === 'tick') tick()
