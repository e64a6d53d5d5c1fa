import t from 'tap'
import { createAlarms, createLogger, createMetrics } from '@tacet/service-kit'
import { eventually } from '@tacet/test-kit'

function createSetup () {
  const lines: Record<string, unknown>[] = []
  const logger = createLogger({ name: 'test', level: 'info', destination: { write: line => { lines.push(JSON.parse(line)) } } })
  const metrics = createMetrics({ name: 'test' })
  const valueOf = async (name: string) => Number(new RegExp(`^${name}\\{[^}]*\\} (\\S+)`, 'm').exec(await metrics.registry.metrics())?.[1] ?? 0)
  return { lines, logger, metrics, alarms: createAlarms({ metrics, logger }), valueOf }
}

t.test('what passes by itself in time alarms nobody', async t => {
  const { lines, alarms, valueOf } = createSetup()
  const [short, long] = [alarms.outage('short-away', 30), alarms.outage('long-away', 60)]
  short.failed(new Error('away'))
  short.over()
  long.failed(new Error('away'))
  await eventually(() => lines.length > 0)
  t.match(lines, [{ alarm: 'long-away' }])
  t.equal(await valueOf('tacet_alarms_total'), 1)
})

t.test('what lasts is one alarm, however often it fails, and its end is told', async t => {
  const { lines, alarms, valueOf } = createSetup()
  const kafka = alarms.outage('kafka-away', 20)
  for (const message of ['first', 'second', 'third']) kafka.failed(new Error(message))
  await eventually(() => lines.length > 0)
  t.match(lines, [{ level: 50, alarm: 'kafka-away', err: { message: 'third' }, forMs: Number }])
  kafka.failed(new Error('fourth'))
  t.equal(await valueOf('tacet_alarm_active'), 1)
  kafka.over()
  kafka.over()
  t.match(lines.slice(1), [{ level: 30, alarm: 'kafka-away', msg: 'alarm over' }])
  t.equal(lines.length, 2)
  t.equal(await valueOf('tacet_alarm_active'), 0)
  t.equal(await valueOf('tacet_alarms_total'), 1)
})

t.test('an outage that several parts see is one, and over when all of them say so', async t => {
  const { lines, metrics, logger, alarms, valueOf } = createSetup()
  const [relay, lease] = [alarms.outage('database-away', 20), createAlarms({ metrics, logger }).outage('database-away', 20)]
  relay.failed(new Error('relay'))
  lease.failed(new Error('lease'))
  await eventually(() => lines.length > 0)
  relay.over()
  t.equal(await valueOf('tacet_alarm_active'), 1)
  lease.over()
  t.equal(await valueOf('tacet_alarm_active'), 0)
  t.equal(await valueOf('tacet_alarms_total'), 1)
})

t.test('what nobody should wait for is told at once', async t => {
  const { lines, alarms } = createSetup()
  alarms.outage('pbx-taken-over', 0).failed(new Error('replaced'))
  alarms.raise('event-parked', { eventId: 'x' })
  t.match(lines, [{ alarm: 'pbx-taken-over' }, { alarm: 'event-parked', eventId: 'x' }])
})
