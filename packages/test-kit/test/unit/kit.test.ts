import { createServer } from 'node:http'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createHttpClient, eventually, freePort, readStack, withDeadline } from '@tacet/test-kit'

t.test('eventually resolves with the first truthy answer and forgives errors until then', async t => {
  let asked = 0
  const answer = await eventually(() => {
    if (++asked < 3) throw new Error('not yet')
    return { asked }
  }, { intervalMs: 1 })
  t.same(answer, { asked: 3 })
})

t.test('eventually gives up at its deadline, with its message and the last error', async t => {
  const failure = eventually(() => { throw new Error('still down') }, { timeoutMs: 30, intervalMs: 5, message: 'no lamp' })
  await t.rejects(failure, { message: 'no lamp (waited 30 ms)', cause: { message: 'still down' } })
  await t.rejects(eventually(() => new Promise(() => {}), { timeoutMs: 30 }), { message: /did not become true/ })
})

t.test('a deadline passes results and errors on', async t => {
  t.equal(await withDeadline(Promise.resolve(5), 1000, 'late'), 5)
  await t.rejects(withDeadline(Promise.reject(new Error('own')), 1000, 'late'), /own/)
  await t.rejects(withDeadline(new Promise(() => {}), 10, 'late'), /late \(waited 10 ms\)/)
})

t.test('without an address book the error says what to do', async t => {
  t.throws(() => readStack(''), /TACET_STACK is not set/)
  t.throws(() => readStack('/nowhere/stack.json'), /can't be read/)
  const file = join(t.testdir(), 'stack.json')
  writeFileSync(file, '{"pbxId":"demo"}')
  t.throws(() => readStack(file), /postgres/)
})

t.test('the HTTP client hands out JSON, problems and everything else', async t => {
  const port = await freePort()
  const server = createServer((request, response) => {
    if (request.url === '/echo') {
      response.setHeader('content-type', 'application/json')
      let body = ''
      request.on('data', chunk => { body += chunk })
      request.on('end', () => response.end(JSON.stringify({ method: request.method, token: request.headers.authorization, body })))
    } else {
      response.writeHead(404, { 'content-type': 'application/problem+json' })
      response.end(JSON.stringify({ type: 'about:blank', title: 'No', status: 404, code: 'call-not-found' }))
    }
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const http = createHttpClient(`http://127.0.0.1:${port}`, { token: 'abc' })
  t.same((await http('/echo', { body: { a: 1 } })).body, { method: 'POST', token: 'Bearer abc', body: '{"a":1}' })
  t.match((await http('/echo', { body: '{broken', token: 'other' })).body, { token: 'Bearer other', body: '{broken' })
  const refused = await http('/v1/calls/x')
  t.equal(refused.problem().code, 'call-not-found')
})
