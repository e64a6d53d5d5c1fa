import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'

/** The most memory that a program had at one time, in MiB, as Linux counts it; looked at every few milliseconds until it ends. */
export async function peakMemory (command: string, args: string[]): Promise<number> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const ended = once(child, 'exit')
  let peakMiB = 0
  while (child.exitCode === null) {
    peakMiB = Math.max(peakMiB, await peakOf(child.pid!))
    await pause(2)
  }
  const [code] = await ended
  if (code !== 0) throw new Error(`${command} ended with ${code}`)
  return peakMiB
}

/** The most that a running process had at one time, in MiB, since it began or since it was forgotten. */
export async function peakOf (pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024
}

export async function forgetPeak (pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5')
}
