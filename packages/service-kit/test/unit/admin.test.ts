import t from 'tap'
import { counter, createAdminApp, createMetrics, type Check } from '@tacet/service-kit'
import { silent } from '../helpers/silent.ts'

function build (checks: Record<string, Check>) {
  const metrics = createMetrics({ name: 'test' })
  return { metrics, app: createAdminApp({ name: 'test', version: '1.2.3', logger: silent, metrics, checks, checkTimeoutMs: 20 }) }
}

t.test('a process is live whatever else is broken', async t => {
  const { app } = build({ database: () => ({ isOk: false }) })
  t.match(await app.inject('/live'), { statusCode: 200 })
})

t.test('it is ready when all checks are ok, and tells their details', async t => {
  const { app } = build({ database: async () => ({ isOk: true, latencyMs: 3 }) })
  const answer = await app.inject('/ready')
  t.equal(answer.statusCode, 200)
  t.match(answer.json(), { status: 'ok', version: '1.2.3', checks: { database: { isOk: true, latencyMs: 3 } } })
})

t.test('a check that says no, fails or does not answer makes it unready, by name', async t => {
  const { app } = build({ fine: () => ({ isOk: true }), no: () => ({ isOk: false, why: 'x' }), broken: () => { throw new Error('refused') }, silent: () => new Promise(() => {}) })
  const answer = await app.inject('/ready')
  t.equal(answer.statusCode, 503)
  t.match(answer.json().checks, { fine: { isOk: true }, no: { isOk: false, why: 'x' }, broken: { isOk: false, error: 'refused' }, silent: { isOk: false, error: /20 ms/ } })
})

t.test('metrics are those of this service and its process', async t => {
  const { app, metrics } = build({})
  counter(metrics, 'tacet_things_total', 'Things', ['kind']).inc({ kind: 'a' })
  counter(metrics, 'tacet_things_total', 'Things', ['kind']).inc({ kind: 'a' })
  const answer = await app.inject('/metrics')
  t.match(answer.body, /tacet_things_total\{[^}]*kind="a"[^}]*\} 2/)
  t.match(answer.body, /process_cpu_seconds_total/)
})
