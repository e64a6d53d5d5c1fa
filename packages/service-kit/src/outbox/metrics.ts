import { deadline } from '../deadline.ts'
import { counter, observedGauge, type Metrics } from '../metrics.ts'
import type { Backlog, OutboxStore } from './store.ts'

export type RelayMetrics = ReturnType<typeof createRelayMetrics>

export function createRelayMetrics (metrics: Metrics, store: OutboxStore) {
  let inQuestion: Promise<Backlog> | undefined

  /** Asked when somebody reads the metrics, once for all that show it; not known while the database is away. */
  async function backlog (): Promise<Backlog> {
    inQuestion ??= deadline(store.backlog(), 1_000, () => new Error('backlog not known in time'))
      .catch(() => ({ size: Number.NaN, oldestAgeSeconds: Number.NaN }))
      .finally(() => { inQuestion = undefined })
    return await inQuestion
  }

  observedGauge(metrics, 'tacet_outbox_backlog', 'Events not yet published', async () => (await backlog()).size)
  observedGauge(metrics, 'tacet_outbox_oldest_age_seconds', 'Age of the oldest event not yet published', async () => (await backlog()).oldestAgeSeconds)

  return {
    published: counter(metrics, 'tacet_outbox_published_total', 'Events published'),
    failures: counter(metrics, 'tacet_outbox_publish_failures_total', 'Failed attempts to publish'),
    parked: counter(metrics, 'tacet_outbox_parked_total', 'Events given up, to be looked at'),
  }
}
