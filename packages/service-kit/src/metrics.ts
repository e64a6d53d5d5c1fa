import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from '@prometheus-io/client'

export { Counter, Gauge, Histogram } from '@prometheus-io/client'

export interface Metrics {
  registry: Registry
  httpDuration: Histogram<'method' | 'route' | 'status'>
}

/** A registry of its own per service, with the process's own metrics. Labels never hold ids. */
export function createMetrics ({ name }: { name: string }): Metrics {
  const registry = new Registry()
  registry.setDefaultLabels({ service: name })
  collectDefaultMetrics({ register: registry })
  return {
    registry,
    httpDuration: new Histogram({
      name: 'tacet_http_request_duration_seconds',
      help: 'Time to answer an HTTP request',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10],
      registers: [registry],
    }),
  }
}

/** The counter of that name, made when first asked for. */
export function counter<Label extends string> ({ registry }: Metrics, name: string, help: string, labelNames: Label[] = []): Counter<Label> {
  const existing = registry.getSingleMetric(name) as unknown as Counter<Label> | undefined
  return existing ?? new Counter({ name, help, labelNames, registers: [registry] })
}

/** The gauge of that name, made when first asked for. */
export function gauge<Label extends string> ({ registry }: Metrics, name: string, help: string, labelNames: Label[] = []): Gauge<Label> {
  const existing = registry.getSingleMetric(name) as unknown as Gauge<Label> | undefined
  return existing ?? new Gauge({ name, help, labelNames, registers: [registry] })
}

/** A gauge that is read when somebody asks for the metrics. */
export function observedGauge ({ registry }: Metrics, name: string, help: string, read: () => number | Promise<number>): Gauge {
  return new Gauge({ name, help, registers: [registry], async collect () { this.set(await read()) } })
}

/** The histogram of that name, made when first asked for; buckets in the unit of the name. */
export function histogram<Label extends string> ({ registry }: Metrics, name: string, help: string, buckets: number[], labelNames: Label[] = []): Histogram<Label> {
  const existing = registry.getSingleMetric(name) as unknown as Histogram<Label> | undefined
  return existing ?? new Histogram({ name, help, labelNames, buckets, registers: [registry] })
}
