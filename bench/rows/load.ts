import { cpus } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { startCallers, type BenchCall } from '../calls.ts'
import { createClient, type Client } from '../client.ts'
import { describeSpread, spreadOf, type Figure } from '../figures.ts'
import { heapInUse } from '../heap.ts'
import { createPresses, hasTrouble, noteTrouble, type Presses } from '../presses.ts'
import type { Row } from '../row.ts'
import { pidOf, usageNow, type Usage } from '../usage.ts'

const pausesPerSecond = 10
const sampleEveryMs = 10_000

/** A hundred live calls, each paused for a while again and again. */
export const load: Row = {
  name: 'load',
  needsStack: true,
  async run ({ stack, agentToken, inspectorPort, times, say }) {
    const callers = await startCallers(stack)
    const tacet = createClient(stack.callControl!.url, { token: agentToken, connections: 20 })
    const names = new Map([[callers.pid, 'the phones']])
    try {
      say('placing calls')
      const calls = await callers.open(Math.max(20, times(100)))
      say('warming up')
      await (await press(calls, tacet, times(15))).settled
      const seconds = times(60)
      say(`${seconds} s`)
      const control = pidOf('call-control')
      const heap = { firstMiB: await heapInUse(control, inspectorPort), lastMiB: NaN }
      const samples = [sampleOf(names)]
      const sampler = setInterval(() => samples.push(sampleOf(names)), sampleEveryMs)
      const { presses, settled } = await press(calls, tacet, seconds).finally(() => clearInterval(sampler))
      samples.push(sampleOf(names))
      await settled
      heap.lastMiB = await heapInUse(control, inspectorPort)
      await callers.hangup()
      return [figureOf(calls.length, presses, samples, heap)]
    } finally {
      await Promise.all([callers.close(), tacet.close()])
    }
  },
}

/** On the beat, however long an answer takes. What is paused at the end is resumed when that has settled. */
async function press (calls: BenchCall[], tacet: Client, seconds: number): Promise<{ presses: Presses, settled: Promise<unknown> }> {
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
  return { presses, settled: Promise.all(underWay) }
}

interface Sample { atMs: number, usage: Map<string, Usage> }
const sampleOf = (names: ReadonlyMap<number, string>): Sample => ({ atMs: performance.now(), usage: usageNow(names) })

function figureOf (calls: number, presses: Presses, samples: Sample[], heap: { firstMiB: number, lastMiB: number }): Figure {
  const [first, last] = [samples[0]!, samples.at(-1)!]
  const seconds = (last.atMs - first.atMs) / 1000
  const processes = Object.fromEntries([...last.usage].map(([name, { cpuSeconds }]) => {
    return [name, {
      cores: (cpuSeconds - (first.usage.get(name)?.cpuSeconds ?? 0)) / seconds,
      memoryMiB: samples.map(({ usage }) => Math.round(usage.get(name)?.memoryMiB ?? 0)),
    }]
  }))
  const control = processes['call-control']!
  const took = spreadOf(presses.tookMs)
  const show = (name: string) => `${name} ${processes[name]?.cores.toFixed(2)} core, ${processes[name]?.memoryMiB.at(-1)} MiB`
  return {
    figure: `${calls} live recorded calls, ${pausesPerSecond} pauses/s for ${Math.round(seconds)} s`,
    tacet: `pause ${describeSpread(took)}${noteTrouble(presses)}; ${show('call-control')} (its heap after a collection: ${heap.firstMiB.toFixed(0)} → ${heap.lastMiB.toFixed(0)} MiB)`,
    reference: `on ${cpus().length} cores beside it: ${Object.keys(processes).filter(name => name !== 'call-control').map(show).join('; ')}`,
    ratio: null,
    goal: 'call-control ≤ 0.3 core, flat memory, p99 ≤ 50 ms',
    isMet: control.cores <= 0.3 && heap.lastMiB <= 1.1 * heap.firstMiB && took.p99 <= 50 && !hasTrouble(presses),
    details: { pauses: took, undurable: presses.undurable, failed: presses.failed, lastFailure: presses.lastFailure, processes, heap },
  }
}
