import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { basename } from 'node:path'

const ticksPerSecond = 100

export interface Usage {
  /** Seconds of a core since it began. */
  cpuSeconds: number
  memoryMiB: number
}

/** What each part of the stack has used, by name: all processes below this one, `names` for those that can't be told by themselves. */
export function usageNow (names: ReadonlyMap<number, string>): Map<string, Usage> {
  const usage = new Map<string, Usage>()
  for (const { pid, name, cpuTicks } of descendants(names)) {
    const before = usage.get(name) ?? { cpuSeconds: 0, memoryMiB: 0 }
    usage.set(name, { cpuSeconds: before.cpuSeconds + cpuTicks / ticksPerSecond, memoryMiB: before.memoryMiB + memoryOf(pid) })
  }
  return usage
}

export function pidOf (name: string): number {
  const found = descendants(new Map()).find(one => one.name === name)
  if (found === undefined) throw new Error(`${name} does not run below this process`)
  return found.pid
}

interface Running { pid: number, parent: number, command: string, cpuTicks: number }

function descendants (names: ReadonlyMap<number, string>): (Running & { name: string })[] {
  const all = readdirSync('/proc').filter(entry => /^\d+$/.test(entry)).flatMap(entry => readProcess(Number(entry)))
  const found = new Map<number, Running & { name: string }>([[process.pid, { ...all.find(({ pid }) => pid === process.pid)!, name: 'bench' }]])
  for (let grew = true; grew;) {
    grew = false
    for (const one of all) {
      const parent = found.get(one.parent)
      if (parent === undefined || found.has(one.pid)) continue
      // PostgreSQL's children are PostgreSQL.
      found.set(one.pid, { ...one, name: names.get(one.pid) ?? (parent.pid === process.pid ? nameOf(one) : parent.name) })
      grew = true
    }
  }
  return [...found.values()]
}

function nameOf ({ pid, command }: Running): string {
  try {
    const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    if (args.includes('asterisk.conf')) return 'asterisk'
    if (args.includes('kafka.Kafka')) return 'kafka'
    if (args.includes('src/main.ts')) return basename(readlinkSync(`/proc/${pid}/cwd`))
    return command
  } catch {
    return command // it has just ended
  }
}

function readProcess (pid: number): Running[] {
  try {
    // The command's name, in brackets, may hold blanks.
    const [, command = '', rest = ''] = /^\d+ \((.*)\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? []
    const fields = rest.split(' ')
    return [{ pid, parent: Number(fields[1]), command, cpuTicks: Number(fields[11]) + Number(fields[12]) }]
  } catch {
    return []
  }
}

/** Memory shared between processes counts once. */
function memoryOf (pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}
