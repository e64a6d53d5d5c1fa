import { connect, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { z } from 'zod'
import { problem, problemSchema } from '@tacet/contracts'
import { createHttpApp, createLogger, createMetrics, type HttpAppOptions } from '@tacet/service-kit'
import { silent } from '../helpers/silent.ts'

const bodySchema = z.object({ name: z.string(), rules: z.object({ inbound: z.enum(['on', 'off']) }) }).strict()
const good = { name: 'x', rules: { inbound: 'on' } }
const path = '/v1/things/c0000000-0000-4000-8000-000000000001'

async function build (t: Test, options: Partial<HttpAppOptions> = {}) {
  const app = await createHttpApp({ name: 'test', version: '1.2.3', logger: silent, ...options })
  t.teardown(() => app.close())
  app.put('/v1/things/:id', {
    schema: { params: z.object({ id: z.guid() }), querystring: z.object({ limit: z.coerce.number().optional() }), body: bodySchema, response: { 200: z.object({ isOk: z.boolean() }).meta({ id: 'Thing' }), 409: problemSchema } },
  }, async request => {
    if (request.body.name === 'ended') throw problem('call-ended', 'it hung up')
    if (request.body.name === 'still') throw problem('still-paused', undefined, { reasons: ['hold'], retryAfterSeconds: 3 })
    if (request.body.name === 'bug') throw new Error('the secret is 42')
    return { isOk: true, extra: 'dropped' }
  })
  const put = (payload: unknown, url = path) => app.inject({ method: 'PUT', url, payload: payload as object })
  return { app, put }
}

t.test('a good request is answered, and only with what the schema declares', async t => {
  const { put } = await build(t)
  const answer = await put(good)
  t.equal(answer.statusCode, 200)
  t.same(answer.json(), { isOk: true })
})

t.test('invalid input is a 400 that names every field', async t => {
  const { put } = await build(t)
  const answer = await put({ rules: { inbound: 'maybe' }, colour: 'blue' })
  t.equal(answer.statusCode, 400)
  t.match(answer.headers['content-type'], /^application\/problem\+json/)
  t.match(answer.json(), { type: 'urn:tacet:problem:invalid-request', status: 400, code: 'invalid-request' })
  t.same(answer.json().errors.map(({ field }: { field: string }) => field), ['name', 'rules.inbound', 'colour'])
  t.match((await put(good, '/v1/things/7')).json(), { code: 'invalid-request', errors: [{ field: 'id' }] })
  t.match((await put(good, `${path}?limit=many`)).json(), { errors: [{ field: 'limit' }] })
})

t.test('bodies that can not be read are told apart', async t => {
  const { app } = await build(t, { bodyLimitBytes: 100 })
  const put = async (payload: string, type = 'application/json') => (await app.inject({ method: 'PUT', url: path, payload, headers: { 'content-type': type } })).json()
  t.match(await put('{"name": '), { status: 400, code: 'malformed-json' })
  t.match(await put(''), { status: 400, code: 'malformed-json' })
  t.match(await put('name=x', 'text/csv'), { status: 415, code: 'unsupported-media-type' })
  t.match(await put(JSON.stringify({ name: 'x'.repeat(200) })), { status: 413, code: 'payload-too-large' })
  t.match((await app.inject({ method: 'PUT', url: path })).json(), { status: 400, code: 'invalid-request', errors: [{ field: 'body' }] })
})

t.test('unknown paths and addresses that are none are problems too', async t => {
  const { app } = await build(t)
  t.match((await app.inject('/nowhere')).json(), { status: 404, code: 'not-found' })
  t.match((await app.inject('/v1/%zz')).json(), { status: 400, code: 'invalid-request' })
})

t.test('our own problems keep their code, detail and extras, whatever the response schema', async t => {
  const { put } = await build(t)
  t.match((await put({ ...good, name: 'ended' })).json(), { status: 409, code: 'call-ended', detail: 'it hung up' })
  const still = await put({ ...good, name: 'still' })
  t.match(still.json(), { status: 409, code: 'still-paused', reasons: ['hold'] })
  t.equal(still.headers['retry-after'], '3')
})

t.test('the unforeseen is masked for the caller and logged for us', async t => {
  const lines: string[] = []
  const { put } = await build(t, { logger: createLogger({ name: 'test', level: 'info', destination: { write: line => { lines.push(line) } } }) })
  const answer = await put({ ...good, name: 'bug' })
  t.equal(answer.statusCode, 500)
  t.match(answer.json(), { code: 'internal-error' })
  t.notMatch(answer.body, /secret/)
  t.match(JSON.parse(lines.at(-1) ?? ''), { level: 50, msg: 'request failed', err: { message: 'the secret is 42' }, correlationId: answer.headers['x-correlation-id'] })
})

t.test('every answer carries a correlation id: the one that came, or a new one', async t => {
  const { app } = await build(t)
  const given = await app.inject({ url: '/nowhere', headers: { 'x-correlation-id': 'phone-7.1' } })
  t.equal(given.headers['x-correlation-id'], 'phone-7.1')
  t.match(given.json(), { correlationId: 'phone-7.1' })
  for (const wrong of ['a b', 'x'.repeat(200), '<script>']) {
    t.match((await app.inject({ url: '/nowhere', headers: { 'x-correlation-id': wrong } })).headers['x-correlation-id'], /^[0-9a-f-]{36}$/)
  }
})

t.test('one caller may not ask without end; another still may', async t => {
  const { app } = await build(t, { rateLimit: { max: 3, keyOf: request => request.headers.authorization } })
  const ask = (authorization: string) => app.inject({ url: '/openapi.json', headers: { authorization } })
  for (let asked = 0; asked < 3; asked++) t.equal((await ask('one')).statusCode, 200)
  const refused = await ask('one')
  t.match(refused.json(), { status: 429, code: 'rate-limited' })
  t.match(refused.headers['retry-after'], /^\d+$/)
  t.equal((await ask('two')).statusCode, 200)
})

t.test('an overloaded process says so', async t => {
  const { app } = await build(t, { maxEventLoopDelayMs: 1 })
  const answer = await blockedUntilRefused(() => app.inject('/openapi.json'))
  t.match(answer.json(), { status: 503, code: 'overloaded' })
  t.equal(answer.headers['retry-after'], '2')
})

async function blockedUntilRefused<Answer extends { statusCode: number }> (ask: () => Promise<Answer>): Promise<Answer> {
  const end = Date.now() + 10_000
  for (;;) {
    const until = Date.now() + 100
    while (Date.now() < until);
    await new Promise(resolve => setImmediate(resolve))
    const answer = await ask()
    if (answer.statusCode === 503 || Date.now() > end) return answer
  }
}

t.test('the API is described by OpenAPI 3.1, with names for the schemas that have one', async t => {
  const { app } = await build(t)
  const spec = (await app.inject('/openapi.json')).json()
  t.match(spec, { openapi: '3.1.0', info: { title: 'Tacet test', version: '1.2.3' } })
  t.match(spec.paths['/v1/things/{id}'].put.responses['200'].content['application/json'].schema, { $ref: '#/components/schemas/Thing' })
  t.ok(spec.components.schemas.Thing)
  t.notOk(spec.paths['/openapi.json'])
})

t.test('what is not HTTP gets a problem as well', async t => {
  const { app } = await build(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  socket.end('HELLO\r\n\r\n')
  const answer = await text(socket)
  t.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/)
  t.match(answer, /application\/problem\+json[\s\S]*"code":"invalid-request"/)
})

t.test('durations are measured by route, never by path', async t => {
  const metrics = createMetrics({ name: 'test' })
  const { put } = await build(t, { metrics })
  await put(good)
  const shown = await metrics.registry.metrics()
  t.match(shown, /tacet_http_request_duration_seconds_count\{service="test",method="PUT",route="\/v1\/things\/:id",status="200"\} 1/)
  t.notMatch(shown, /c0000000/)
})

t.test('what a proxy says of who asks is believed of the proxies that are named, and of nobody else', async t => {
  const forwarded = { 'x-forwarded-for': '192.0.2.7', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'recordings.example.org' }
  const seen = async (trustProxy?: string[]) => {
    const app = await createHttpApp({ name: 'test', version: '1.2.3', logger: silent, trustProxy })
    t.teardown(() => app.close())
    app.get('/seen', { schema: { hide: true } as object }, async ({ ip, protocol, host }) => ({ ip, protocol, host }))
    return (await app.inject({ url: '/seen', headers: { ...forwarded, host: 'inside:8080' } })).json()
  }
  for (const others of [undefined, ['192.0.2.1', '10.0.0.0/8']]) t.same(await seen(others), { ip: '127.0.0.1', protocol: 'http', host: 'inside:8080' })
  for (const own of [['loopback'], ['127.0.0.1'], ['10.0.0.0/8', '127.0.0.0/8']]) t.same(await seen(own), { ip: '192.0.2.7', protocol: 'https', host: 'recordings.example.org' })
})
