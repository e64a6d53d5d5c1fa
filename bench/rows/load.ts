import { cpus } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { startCallers, type BenchCall } from '../calls.ts'
import { createClient, type Client } from '../client.ts'
import { describeSpread, median, spreadOf, type Figure } from '../figures.ts'
import { createPresses, noteTrouble, type Presses } from '../presses.ts'
import type { Row } from '../row.ts'
import { usageNow, type Usage } from '../usage.ts'

const pausesPerSecond = 10
const usageEveryMs = 10_000
const heapEveryMs = 1000

/** A hundred live calls, each paused for a while again and again. */
export const load: Row = {
  name: 'load',
  needsStack: true,
  async run ({ stack, agentToken, times, say }) {
    const callers = await startCallers(stack)
    const tacet = createClient(stack.callControl!.url, { token: agentToken, connections: 20 })
    const names = new Map([[callers.pid, 'the phones']])
    try {
      say('placing calls')
      const calls = await callers.open(Math.max(20, times(100)))
      say('warming up')
      await press(calls, tacet, Math.min(15, times(15)))
      const seconds = times(60)
      say(`${seconds} s`)
      const samples = [sampleOf(names)]
      const heaps: number[] = []
      const timers = [
        setInterval(() => samples.push(sampleOf(names)), usageEveryMs),
        setInterval(() => { void readHeap(stack.callControl!.adminUrl).then(heapMiB => heaps.push(heapMiB)) }, heapEveryMs),
      ]
      const presses = await press(calls, tacet, seconds).finally(() => timers.forEach(clearInterval))
      samples.push(sampleOf(names))
      await callers.hangup()
      return [figureOf(calls.length, presses, samples, heaps)]
    } finally {
      await Promise.all([callers.close(), tacet.close()])
    }
  },
}

/** On the beat, however long an answer takes. */
async function press (calls: BenchCall[], tacet: Client, seconds: number): Promise<Presses> {
  const presses = createPresses(tacet)
  const underWay: Promise<void>[] = []
  const pausedMs = calls.length / pausesPerSecond / 2 * 1000
  const startedAt = performance.now()
  for (let i = 0; i < seconds * pausesPerSecond; i++) {
    await delay(Math.max(0, startedAt + i * 1000 / pausesPerSecond - performance.now()))
    const { callId } = calls[i % calls.length]!
    const one = (async () => {
      await presses.pause(callId)
      await delay(pausedMs)
      await presses.resume(callId)
    })()
    one.catch(() => {}) // told at the end
    underWay.push(one)
  }
  await Promise.all(underWay)
  return presses
}

interface Sample { atMs: number, usage: Map<string, Usage> }
const sampleOf = (names: ReadonlyMap<number, string>): Sample => ({ atMs: performance.now(), usage: usageNow(names) })

async function readHeap (adminUrl: string): Promise<number> {
  const metrics = await (await fetch(`${adminUrl}/metrics`)).text()
  return Number(/^nodejs_heap_size_used_bytes\S* (\S+)$/m.exec(metrics)?.[1]) / 2 ** 20
}

/** At the beginning and at the end. What is in use right after a garbage collection is the least. */
function thirds (values: number[], of: (values: number[]) => number): { first: number, last: number } {
  const third = Math.ceil(values.length / 3)
  return { first: of(values.slice(0, third)), last: of(values.slice(-third)) }
}
const least = (values: number[]): number => Math.min(...values)

function figureOf (calls: number, presses: Presses, samples: Sample[], heaps: number[]): Figure {
  const [first, last] = [samples[0]!, samples.at(-1)!]
  const seconds = (last.atMs - first.atMs) / 1000
  const processes = Object.fromEntries([...last.usage].map(([name, { cpuSeconds }]) => {
    const memory = samples.map(({ usage }) => usage.get(name)?.memoryMiB ?? 0)
    return [name, { cores: (cpuSeconds - (first.usage.get(name)?.cpuSeconds ?? 0)) / seconds, memoryMiB: thirds(memory, median) }]
  }))
  const control = processes['call-control']!
  const heapMiB = thirds(heaps, least)
  const took = spreadOf(presses.tookMs)
  const show = (name: string) => `${name} ${processes[name]?.cores.toFixed(2)} core, ${Math.round(processes[name]?.memoryMiB.last ?? NaN)} MiB`
  return {
    figure: `${calls} live recorded calls, ${pausesPerSecond} pauses/s for ${Math.round(seconds)} s`,
    tacet: `pause ${describeSpread(took)}${noteTrouble(presses)}; ${show('call-control')} (heap after collections ${heapMiB.first.toFixed(0)} → ${heapMiB.last.toFixed(0)} MiB)`,
    reference: `on ${cpus().length} cores beside it: ${Object.keys(processes).filter(name => name !== 'call-control').map(show).join('; ')}`,
    ratio: null,
    goal: 'call-control ≤ 0.3 core, flat memory, p99 ≤ 50 ms',
    isMet: control.cores <= 0.3 && heapMiB.last <= 1.1 * heapMiB.first && took.p99 <= 50 && presses.failed === 0,
    details: { pauses: took, undurable: presses.undurable, failed: presses.failed, lastFailure: presses.lastFailure, processes, heapMiB, heaps },
  }
}
