/** One line of the table. */
export interface Figure {
  figure: string
  tacet: string
  /** Measured in the same run. */
  reference: string
  ratio: number | null
  goal: string
  /** Null: there is no goal. */
  isMet: boolean | null
  /** Everything else that was measured, for bench.json. */
  details: Record<string, unknown>
}

export interface Spread { count: number, p50: number, p99: number, most: number }

export function spreadOf (values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  return { count: sorted.length, p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), most: sorted.at(-1) ?? NaN }
}

export const median = (values: readonly number[]): number => spreadOf(values).p50
const quantile = (sorted: number[], share: number): number => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN

export const ms = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`
export const describeSpread = ({ p50, p99 }: Spread): string => `p50 ${ms(p50)}, p99 ${ms(p99)}`

export async function time (work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}
