import { deadline, Gauge, histogram, type Metrics } from '@tacet/service-kit'
import type { JobQueue } from './usecases/ports.ts'

const secondsBuckets = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

export function createAssemblyMetrics (metrics: Metrics, queue: JobQueue) {
  const took = histogram(metrics, 'tacet_assembly_duration_seconds', 'Time to assemble a recording', secondsBuckets, ['outcome'])
  const sinceEnd = histogram(metrics, 'tacet_assembly_lag_seconds', 'Time from the end of a call\'s recording to its assembly', secondsBuckets)
  // eslint-disable-next-line no-new -- the registry keeps it
  new Gauge({
    name: 'tacet_assembly_jobs',
    help: 'Jobs by kind and state',
    labelNames: ['kind', 'state'],
    registers: [metrics.registry],
    async collect () {
      this.reset()
      try {
        const counts = await deadline(queue.counts(), 1_000, () => new Error('jobs not counted in time'))
        for (const { kind, state, count } of counts) this.set({ kind, state }, count)
      } catch {
        // No value is better than an old one.
      }
    },
  })
  return {
    onAssembled ({ outcome, tookMs, sinceEndMs }: { outcome: string, tookMs: number, sinceEndMs: number }) {
      took.observe({ outcome }, tookMs / 1_000)
      sinceEnd.observe(Math.max(0, sinceEndMs) / 1_000)
    },
  }
}
