import type { Fault } from './play.ts'

export interface Choice { seed: number, isAll: boolean, only: string | undefined, budgetSeconds: number }

const mostInARound = 6

/** The faults to play, in rounds: those of a round befall the same calls. */
export function choose (faults: Fault[], { seed, isAll, only, budgetSeconds }: Choice): Fault[][] {
  if (only !== undefined) return inRounds(faults.filter(({ name }) => new RegExp(only).test(name)))
  return inRounds(isAll ? faults : within(shuffled(faults, seed), budgetSeconds))
}

/** One of the kinds that cost most first; then as many of the others as there is time for. */
function within (faults: Fault[], budgetSeconds: number): Fault[] {
  let left = budgetSeconds
  return faults.filter(({ costs }) => {
    if (costs > left) return false
    left -= costs
    return true
  })
}

function inRounds (faults: Fault[]): Fault[][] {
  const rounds: Fault[][] = []
  for (const fault of faults) {
    const last = rounds.at(-1)
    if (last && last.length < mostInARound && !fault.isAlone && !last[0]!.isAlone) last.push(fault)
    else rounds.push([fault])
  }
  return rounds
}

/** By a generator of our own, so that a seed means the same everywhere. */
function shuffled<T> (items: readonly T[], seed: number): T[] {
  let state = seed >>> 0
  const next = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor(state / 2 ** 32 * below)
  }
  const shuffledItems = [...items]
  for (let i = shuffledItems.length - 1; i > 0; i--) {
    const j = next(i + 1);
    [shuffledItems[i], shuffledItems[j]] = [shuffledItems[j]!, shuffledItems[i]!]
  }
  return shuffledItems
}
