import { cpus } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { startCallers, type BenchCall } from '../calls.ts'
import { createClient, type Client } from '../client.ts'
import { describeSpread, median, ms, spreadOf, time, type Figure } from '../figures.ts'
import type { Row } from '../row.ts'
import { usageNow, type Usage } from '../usage.ts'

const pausesPerSecond = 10
const sampleMs = 5000

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
      const sampler = setInterval(() => samples.push(sampleOf(names)), sampleMs)
      const pauses = await press(calls, tacet, seconds).finally(() => clearInterval(sampler))
      samples.push(sampleOf(names))
      await callers.hangup()
      return [figureOf(calls.length, pauses, samples)]
    } finally {
      await Promise.all([callers.close(), tacet.close()])
    }
  },
}

/** On the beat, however long an answer takes. Returns how long each pause took. */
async function press (calls: BenchCall[], tacet: Client, seconds: number): Promise<number[]> {
  const tookMs: number[] = []
  const underWay: Promise<void>[] = []
  const pausedMs = calls.length / pausesPerSecond / 2 * 1000
  const startedAt = performance.now()
  for (let i = 0; i < seconds * pausesPerSecond; i++) {
    await delay(Math.max(0, startedAt + i * 1000 / pausesPerSecond - performance.now()))
    const path = `/v1/calls/${calls[i % calls.length]!.callId}/recording`
    const one = (async () => {
      tookMs.push(await time(() => tacet.post(`${path}/pause`)))
      await delay(pausedMs)
      await tacet.post(`${path}/resume`)
    })()
    one.catch(() => {}) // told at the end
    underWay.push(one)
  }
  await Promise.all(underWay)
  return tookMs
}

interface Sample { atMs: number, usage: Map<string, Usage> }
const sampleOf = (names: ReadonlyMap<number, string>): Sample => ({ atMs: performance.now(), usage: usageNow(names) })

function figureOf (calls: number, pauses: number[], samples: Sample[]): Figure {
  const [first, last] = [samples[0]!, samples.at(-1)!]
  const seconds = (last.atMs - first.atMs) / 1000
  const processes = Object.fromEntries([...last.usage].map(([name, { cpuSeconds }]) => {
    const memory = samples.map(({ usage }) => usage.get(name)?.memoryMiB ?? 0)
    const third = Math.ceil(memory.length / 3)
    return [name, { cores: (cpuSeconds - (first.usage.get(name)?.cpuSeconds ?? 0)) / seconds, memoryMiB: { firstThird: median(memory.slice(0, third)), lastThird: median(memory.slice(-third)) } }]
  }))
  const control = processes['call-control']!
  const grownMiB = control.memoryMiB.lastThird - control.memoryMiB.firstThird
  const took = spreadOf(pauses)
  const show = (name: string) => `${name} ${processes[name]?.cores.toFixed(2)} core, ${Math.round(processes[name]?.memoryMiB.lastThird ?? NaN)} MiB`
  return {
    figure: `${calls} live recorded calls, ${pausesPerSecond} pauses/s for ${Math.round(seconds)} s`,
    tacet: `pause ${describeSpread(took)}; ${show('call-control')} (${grownMiB >= 0 ? '+' : '−'}${Math.abs(grownMiB).toFixed(0)})`,
    reference: `on ${cpus().length} cores beside it: ${Object.keys(processes).filter(name => name !== 'call-control').map(show).join('; ')}`,
    ratio: null,
    goal: 'call-control ≤ 0.3 core, flat memory, p99 ≤ 50 ms',
    isMet: control.cores <= 0.3 && grownMiB <= 0.1 * control.memoryMiB.firstThird && took.p99 <= 50,
    details: { pauses: took, processes, most: ms(took.most) },
  }
}
