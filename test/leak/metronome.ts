import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Owner } from '../support/tacet.ts'

const tickMs = 5

export interface Metronome {
  /** How long a process like any other was kept waiting for its turn, at worst, since this was last asked. */
  takeWorstDelay: () => number
}

/** Tells how busy the machine is: what Asterisk does late because others had the processor is not Asterisk's fault, nor ours. */
export async function startMetronome (t: Owner): Promise<Metronome> {
  const child = fork(fileURLToPath(import.meta.url), ['tick'])
  const exited = once(child, 'exit')
  t.teardown(async () => {
    child.disconnect()
    await exited
  })
  let worstMs = 0
  child.on('message', lateMs => { worstMs = Math.max(worstMs, Number(lateMs)) })
  await once(child, 'spawn')
  setPriority(child.pid!, 0)
  return {
    takeWorstDelay () {
      const worst = worstMs
      worstMs = 0
      return worst
    },
  }
}

function tick (): void {
  let before = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    if (now - before > tickMs) process.send?.(now - before - tickMs)
    before = now
  }, tickMs)
  process.once('disconnect', () => clearInterval(timer))
}

if (process.argv[2] === 'tick') tick()
