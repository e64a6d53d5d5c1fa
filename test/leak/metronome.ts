import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Owner } from '../support/tacet.ts'

/** A tick that came late: when it was due, and by how much. */
interface Late { dueMs: number, lateMs: number }
const tickMs = 5
const worthTellingMs = 2

export interface Metronome {
  /** How long a process like any other was kept waiting for its turn, at worst, around this moment. */
  delayAround: (atMs: number, withinMs: number) => number
}

/** Tells how busy the machine is: what Asterisk does late because others had the processor is not Asterisk's, nor ours. */
export async function startMetronome (t: Owner): Promise<Metronome> {
  const child = fork(fileURLToPath(import.meta.url), ['tick'])
  const exited = once(child, 'exit')
  t.teardown(async () => {
    child.disconnect()
    await exited
  })
  const lates: Late[] = []
  child.on('message', late => lates.push(late as Late))
  await once(child, 'spawn')
  setPriority(child.pid!, 0)
  return { delayAround: (atMs, withinMs) => Math.max(0, ...lates.filter(({ dueMs, lateMs }) => dueMs < atMs + withinMs && dueMs + lateMs > atMs - withinMs).map(({ lateMs }) => lateMs)) }
}

function tick (): void {
  const now = () => performance.timeOrigin + performance.now()
  let dueMs = now() + tickMs
  const timer = setInterval(() => {
    const lateMs = now() - dueMs
    if (lateMs > worthTellingMs) process.send?.({ dueMs, lateMs } satisfies Late)
    dueMs = now() + tickMs
  }, tickMs)
  process.once('disconnect', () => clearInterval(timer))
}

if (process.argv[2] === 'tick') tick()
