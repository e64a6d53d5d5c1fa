import { setTimeout as delay } from 'node:timers/promises'
import { speak, type Pressed, type Talk } from '../support/talk.ts'

/** Chance that can be repeated: [0, 1), the same again for the same seed. */
export type Chance = () => number
export const createChance = (seed: number): Chance => {
  let state = seed % 2147483647 || 1
  return () => (state = state * 48271 % 2147483647) / 2147483647
}
export const between = (chance: Chance, from: number, to: number): number => from + chance() * (to - from)
const packets = (chance: Chance, from: number, to: number): number => 20 * Math.round(between(chance, from / 20, to / 20))

export interface CycleOptions {
  /** Of a pause and the resume after it; one last pause comes on top, which closes the last segment. */
  cycles: number
  chance: Chance
  /** Every third pause has the network stall around it, beginning with this one; none when it is missing. */
  firstStall?: number | undefined
}

/** What was pressed: a pause and the resume after it. The last pause has none. */
export interface Cycle { paused: Pressed, resumed?: Pressed, isStalled: boolean }

/** Pauses and resumes a call again and again while everybody talks. Leaves it paused: then all its segments are closed. */
export async function runCycles (talk: Talk, { cycles, chance, firstStall = Infinity }: CycleOptions): Promise<Cycle[]> {
  const done: Cycle[] = []
  for (let i = 0; i <= cycles; i++) {
    const isStalled = (i - firstStall) % 3 === 0
    await speak(talk.voices, packets(chance, 300, 440))
    const paused = isStalled ? await pauseInStall(talk, chance) : await pauseAndSpeak(talk, chance)
    const resumed = i < cycles ? { resumed: await talk.resume() } : {}
    done.push({ paused, ...resumed, isStalled })
  }
  return done
}

async function pauseAndSpeak (talk: Talk, chance: Chance): Promise<Pressed> {
  const paused = await talk.pause()
  await speak(talk.voices, packets(chance, 100, 240))
  return paused
}

/** The network stalls for 100 to 400 ms, and the pause is pressed meanwhile, or at most 100 ms before. What was held back arrives at once, often right before the resume. */
async function pauseInStall (talk: Talk, chance: Chance): Promise<Pressed> {
  const durationMs = between(chance, 100, 400)
  const leadMs = between(chance, -100, durationMs)
  const stalled = chance() < 0.5 ? talk.voices : talk.voices.slice(0, 1)
  const stall = () => Promise.all(stalled.map(({ call }) => call.stall(durationMs)))
  if (leadMs > 0) {
    const over = stall()
    await delay(leadMs)
    const paused = await talk.pause()
    await Promise.all([over, speak(talk.voices, 40)])
    return paused
  }
  const paused = await talk.pause()
  await delay(-leadMs)
  await stall()
  return paused
}
