import { Gauge } from '@prometheus-io/client'
import { deadline } from '../deadline.ts'
import { counter, type Metrics } from '../metrics.ts'
import type { OutboxStore } from './store.ts'

export type RelayMetrics = ReturnType<typeof createRelayMetrics>

export function createRelayMetrics (metrics: Metrics, store: OutboxStore) {
  const age = new Gauge({ name: 'tacet_outbox_oldest_age_seconds', help: 'Age of the oldest event not yet published', registers: [metrics.registry] })
  // eslint-disable-next-line no-new -- the registry keeps it
  new Gauge({
    name: 'tacet_outbox_backlog',
    help: 'Events not yet published',
    registers: [metrics.registry],
    async collect () {
      try {
        const backlog = await deadline(store.backlog(), 1_000, () => new Error('backlog not known in time'))
        this.set(backlog.size)
        age.set(backlog.oldestAgeSeconds)
      } catch {
        this.set(Number.NaN)
        age.set(Number.NaN)
      }
    },
  })
  return {
    published: counter(metrics, 'tacet_outbox_published_total', 'Events published'),
    failures: counter(metrics, 'tacet_outbox_publish_failures_total', 'Failed attempts to publish'),
    parked: counter(metrics, 'tacet_outbox_parked_total', 'Events given up, to be looked at'),
  }
}
