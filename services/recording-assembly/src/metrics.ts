import { deadline, Gauge, histogram, type Metrics } from '@tacet/service-kit'
import type { JobQueue } from './usecases/ports.ts'
import type { WrappedKeys } from './usecases/rewrap-keys.ts'

const secondsBuckets = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

export function createAssemblyMetrics (metrics: Metrics, queue: JobQueue, keys: WrappedKeys) {
  const took = histogram(metrics, 'tacet_assembly_duration_seconds', 'Time to assemble a recording', secondsBuckets, ['outcome'])
  const sinceEnd = histogram(metrics, 'tacet_assembly_lag_seconds', 'Time from the end of a call\'s recording to its assembly', secondsBuckets)
  countedGauge(metrics, 'tacet_assembly_jobs', 'Jobs by kind and state', ['kind', 'state'], async () =>
    (await queue.counts()).map(({ kind, state, count }) => ({ labels: { kind, state }, count })))
  countedGauge(metrics, 'tacet_assembly_data_keys', 'Keys of encrypted recordings by the master key that wraps them, and whether that is configured', ['master_key', 'is_configured'], async () =>
    (await keys.counts()).map(({ masterKeyId, isConfigured, count }) => ({ labels: { master_key: masterKeyId, is_configured: String(isConfigured) }, count })))
  return {
    onAssembled ({ outcome, tookMs, sinceEndMs }: { outcome: string, tookMs: number, sinceEndMs: number }) {
      took.observe({ outcome }, tookMs / 1_000)
      sinceEnd.observe(Math.max(0, sinceEndMs) / 1_000)
    },
  }
}

/** Counted in the database when somebody asks. */
function countedGauge ({ registry }: Metrics, name: string, help: string, labelNames: string[], counts: () => Promise<{ labels: Record<string, string>, count: number }[]>): void {
  // eslint-disable-next-line no-new -- the registry keeps it
  new Gauge({
    name,
    help,
    labelNames,
    registers: [registry],
    async collect () {
      this.reset()
      try {
        for (const { labels, count } of await deadline(counts(), 1_000, () => new Error('not counted in time'))) this.set(labels, count)
      } catch {
        // No value is better than an old one.
      }
    },
  })
}
