import t from 'tap'
import { problem, type AuditEntry } from '@tacet/contracts'
import { createHttpApp, createRefusalAudit, createRepetitions, handleError, type Principal } from '@tacet/service-kit'
import { eventually } from '@tacet/test-kit'
import { silent } from '../helpers/silent.ts'

const anna: Principal = { credentialId: 'd0000000-0000-4000-8000-000000000001', companyId: null, agentId: null, roles: ['supervisor'], kind: 'api-token' }

/** Every request is refused; `x-who` says by which principal it came. */
async function refusing (windowMs = 60_000) {
  const entries: AuditEntry[] = []
  const app = await createHttpApp({ name: 'test', version: '1', logger: silent })
  const audit = createRefusalAudit({ action: 'test.request', codes: new Set(['unauthenticated', 'forbidden']), append: async entry => { entries.push(entry) }, windowMs })
  app.setErrorHandler(async (error, request, reply) => {
    await audit(error, request)
    return handleError(error, request, reply)
  })
  app.addHook('onRequest', async request => {
    if (request.headers['x-who'] !== 'anna') throw problem('unauthenticated')
    request.principal = anna
    throw problem('forbidden')
  })
  app.route({ method: ['GET', 'POST'], url: '/things/:id', handler: async () => ({}) })
  app.get('/others', async () => ({}))
  t.teardown(() => app.close())
  const ask = (url: string, { who = '', method = 'GET' as 'GET' | 'POST', from = '192.0.2.1' } = {}) =>
    app.inject({ url, method, remoteAddress: from, headers: { authorization: 'Bearer x', 'x-who': who } })
  return { ask, entries }
}

t.test('whoever tries tokens out is one entry for each address and route, and how often they tried is another', async t => {
  const { ask, entries } = await refusing(1_500)
  for (const id of ['1', '2', '3']) await ask(`/things/${id}`)
  await ask('/things/1', { method: 'POST' })
  await ask('/others')
  await ask('/things/1', { from: '192.0.2.2' })
  t.same(entries.map(({ actor: { kind, address }, detail: { route } }) => [kind, address, route]), [
    ['unknown', '192.0.2.1', '/things/:id'], ['unknown', '192.0.2.1', '/others'], ['unknown', '192.0.2.2', '/things/:id'],
  ])
  await eventually(async () => entries.length === 4, { message: 'how often is not told' })
  t.match(entries[3], { code: 'unauthenticated', actor: { address: '192.0.2.1' }, detail: { route: '/things/:id', repeated: 3 } })
  await ask('/things/1')
  t.match(entries[4], { detail: { params: { id: '1' }, repeated: undefined } }, 'then it is news again')
})

t.test('of whom we know, a read that is repeated is one entry, and each command counts', async t => {
  const { ask, entries } = await refusing()
  for (const id of ['1', '1', '2', '1']) await ask(`/things/${id}`, { who: 'anna' })
  for (const id of ['1', '1']) await ask(`/things/${id}`, { who: 'anna', method: 'POST' })
  t.same(entries.map(({ detail: { method, params } }) => [method, (params as { id: string }).id]), [['GET', '1'], ['GET', '2'], ['POST', '1'], ['POST', '1']])
  t.match(entries, Array(4).fill({ code: 'forbidden', actor: { kind: 'operator', credentialId: anna.credentialId } }))
})

t.test('what is kept apart is bounded, and nothing counted is lost by that', async t => {
  const told: [string, number][] = []
  const { isNew } = createRepetitions({ atMost: 2 })
  const see = (key: string) => isNew(key, times => told.push([key, times]))
  t.same(['a', 'a', 'b', 'a', 'c'].map(see), [true, false, true, false, true])
  t.same(told, [['a', 2]])
  t.same(['b', 'c', 'a'].map(see), [false, false, true])
  t.same(told, [['a', 2], ['b', 1]])
})
