import { once } from 'node:events'
import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import t from 'tap'
import type { Test } from 'tap'
import { eventually } from '@tacet/test-kit'
import { createAriConnection } from '@tacet/ari'

const timing = { probeMs: 100, openMs: 200, firstBackoffMs: 5, maxBackoffMs: 20 }

async function serve (t: Test, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Tries to connect until the predicate holds, and closes. Anything uncaught would fail the test. */
async function tryAgainst (t: Test, url: string, isEnough: () => boolean): Promise<void> {
  let ups = 0
  let failures = 0
  const connection = createAriConnection({ url, username: 'tacet', password: 'x', app: 'tacet', timing, onUp: () => { ups++ }, onFailure: () => { failures++ }, onEvent: () => {} })
  connection.start()
  await eventually(() => isEnough() && failures > 0)
  const startedAt = Date.now()
  await connection.close()
  t.ok(Date.now() - startedAt < 4000, 'it closes in time')
  t.equal(connection.state, 'down')
  t.equal(ups, 0)
}

/** What ari-client loads, answered by a server that is not well. */
async function http (t: Test, answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  t.teardown(() => server.closeAllConnections())
  return await serve(t, server)
}

const resources = { swaggerVersion: '1.1', apiVersion: '1', basePath: 'http://127.0.0.1:1/ari', apis: [{ path: '/api-docs/events.{format}', description: '' }] }

t.test('waits while Asterisk boots and answers 503', async (t) => {
  let requests = 0
  const url = await http(t, (_request, response) => { requests++; response.writeHead(503).end('Asterisk is not ready') })
  await tryAgainst(t, url, () => requests >= 5)
})

t.test('survives an Asterisk that goes away while its API description is read', async (t) => {
  let loads = 0
  const url = await http(t, (request, response) => {
    if (request.url?.includes('resources.json')) response.setHeader('content-type', 'application/json').end(JSON.stringify({ ...resources, basePath: `http://${request.headers.host}/ari` }))
    else if (++loads % 2) response.writeHead(503).end()
    else response.setHeader('content-type', 'application/json').end('{ "cut off')
  })
  await tryAgainst(t, url, () => loads >= 4)
})

t.test('survives an API description that is none', async (t) => {
  let requests = 0
  const url = await http(t, (_request, response) => { requests++; response.setHeader('content-type', 'application/json').end('[]') })
  await tryAgainst(t, url, () => requests >= 9)
})

t.test('does not wait for a port that accepts and never answers', async (t) => {
  const sockets: Socket[] = []
  const server = createTcpServer((socket) => sockets.push(socket.on('error', () => {})))
  t.teardown(() => { for (const socket of sockets) socket.destroy() })
  await tryAgainst(t, await serve(t, server), () => sockets.length >= 3)
})

t.test('does not wait for a server that answers the first question and then nothing', async (t) => {
  let probes = 0
  let silences = 0
  const url = await http(t, (request, response) => {
    if (request.headers['user-agent'] === undefined && request.url?.includes('resources.json') && ++probes) response.end('{}')
    else silences++
  })
  await tryAgainst(t, url, () => probes >= 2 && silences >= 2)
})

t.test('keeps trying while nobody listens, and when the password is wrong', async (t) => {
  let requests = 0
  const url = await http(t, (_request, response) => { requests++; response.writeHead(401).end('{"message":"Authentication required"}') })
  await tryAgainst(t, url, () => requests >= 3)
  await tryAgainst(t, 'http://127.0.0.1:9', () => true)
})
