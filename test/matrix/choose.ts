import type { Fault, Group } from './play.ts'

export interface Choice { seed: number, isAll: boolean, only: string | undefined, budgetSeconds: number }

const mostInARound = 6

/** The faults to play, in rounds: those of a round befall the same calls. */
export function choose (faults: Fault[], { seed, isAll, only, budgetSeconds }: Choice): Fault[][] {
  if (only !== undefined) return inRounds(faults.filter(({ name }) => new RegExp(only).test(name)))
  return inRounds(isAll ? faults : within(shuffled(faults, seed), budgetSeconds))
}

/** One of each group first, whatever it costs; then as many of the others as there is time for. */
function within (faults: Fault[], budgetSeconds: number): Fault[] {
  const seen = new Set<Group>()
  const firsts = faults.filter(({ group }) => !seen.has(group) && seen.add(group))
  let left = budgetSeconds - firsts.reduce((sum, { costs }) => sum + costs, 0)
  const others = faults.filter(fault => {
    if (firsts.includes(fault) || fault.costs > left) return false
    left -= fault.costs
    return true
  })
  return [...firsts, ...others]
}

/** Those that may share their calls first, so that they fill their rounds. */
function inRounds (faults: Fault[]): Fault[][] {
  const rounds: Fault[][] = []
  for (const fault of [...faults.filter(({ isAlone }) => !isAlone), ...faults.filter(({ isAlone }) => isAlone)]) {
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
