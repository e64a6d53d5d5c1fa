import { randomUUID } from 'node:crypto'
import t from 'tap'
import type { Test } from 'tap'
import { eventually } from '@tacet/test-kit'
import type { AriConnectionOptions, AriEvent } from '@tacet/ari'
import { createListener, readPbx, startLeg, startListener } from '../helpers/pbx.ts'
import type { Pbx } from '../helpers/pbx.ts'
import { openProxy } from '../helpers/proxy.ts'

const pbx = readPbx()
const timing = { probeMs: 2000, openMs: 5000, heartbeatMs: 1000, firstBackoffMs: 20, maxBackoffMs: 100 }

/** Each test has an application of its own. */
function listener (t: Test, { at = pbx, ...options }: Partial<AriConnectionOptions> & { at?: Pbx } = {}) {
  const app = `tacet-tests-${randomUUID()}`
  const connection = createListener(at, { app, timing, ...options })
  t.teardown(() => connection.close())
  return { app, connection }
}

async function wire (t: Test) {
  const proxy = await openProxy(pbx)
  t.teardown(proxy.close)
  return proxy
}

/** Makes the PBX say something. */
async function makeCall (): Promise<string> {
  const leg = await startLeg(pbx)
  await leg.hangUp()
  return leg.id
}

const hears = (events: AriEvent[], channelId: string) =>
  events.some((event) => event.type === 'ChannelDestroyed' && event.channel.id === channelId)

t.test('hears calls that never enter our application', async (t) => {
  const { connection } = listener(t)
  await startListener(connection)
  t.ok(connection.isListening)
  const channelId = await makeCall()
  await eventually(() => hears(connection.heard, channelId))
  t.notOk(connection.heard.some(({ type }) => type === 'ChannelVarset'), 'but not what we need not know')
})

t.test('leaves no deadlock behind when it goes while lamps change', async (t) => {
  const { connection: witness } = listener(t)
  const over = new AbortController()
  t.teardown(() => over.abort())
  const change = async (lamp: string) => {
    for (let i = 0; !over.signal.aborted; i++) await witness.rest.setDeviceState(`Stasis:${lamp}`, i % 2 ? 'INUSE' : 'ONHOLD')
  }
  const changes = ['tacet-test-1', 'tacet-test-2', 'tacet-test-3'].map(change)
  for (let round = 0; round < 20; round++) {
    const { connection } = listener(t)
    await startListener(connection)
    await connection.close()
    await witness.rest.listApplications()
  }
  over.abort()
  await Promise.all(changes)
  t.pass('ARI still answers')
})

t.test('reconciles after each connect, before it tells what happened meanwhile', async (t) => {
  const proxy = await wire(t)
  const log: string[] = []
  const arrived: AriEvent[] = []
  let call = ''
  const { connection } = listener(t, {
    at: proxy.pbx,
    onUp: async () => {
      log.push('reconcile')
      call = await makeCall()
      await eventually(() => hears(arrived, call))
      log.push(connection.isListening && connection.state === 'connecting' ? 'reconciled' : 'wrong')
    },
    onArrival: (event) => { arrived.push(event) },
    onEvent: (event) => { if (event.type === 'ChannelDestroyed' && event.channel.id === call) log.push('event') },
    onDown: () => { log.push('down') },
  })
  await startListener(connection)
  t.same(log.splice(0), ['reconcile', 'reconciled', 'event'])
  await proxy.cut()
  await eventually(() => connection.state === 'down' && !connection.isListening)
  await proxy.mend()
  await eventually(() => connection.state === 'up')
  t.same(log, ['down', 'reconcile', 'reconciled', 'event'])
})

t.test('notices a wire that went dead without a word', async (t) => {
  const proxy = await wire(t)
  const { connection } = listener(t, { at: proxy.pbx })
  await startListener(connection)
  proxy.freeze()
  await eventually(() => !connection.isListening, { message: 'the silence went unnoticed' })
  t.not(connection.state, 'up')
  proxy.thaw()
  await eventually(() => connection.state === 'up')
  t.ok(connection.isListening)
})

t.test('notices that Asterisk forgot the application while the wire is fine', async (t) => {
  let ups = 0
  const { app, connection } = listener(t, { onUp: () => { ups++ } })
  await startListener(connection)
  const authorization = `Basic ${btoa(`${pbx.username}:${pbx.password}`)}`
  await fetch(`${pbx.url}/ari/applications/${app}/subscription?eventSource=channel:__AST_CHANNEL_ALL_TOPIC`, { method: 'DELETE', headers: { authorization } })
  await eventually(() => ups >= 2 && connection.state === 'up')
  const channelId = await makeCall()
  await eventually(() => hears(connection.heard, channelId))
})

t.test('does not give up, and makes no second connection when it is back', async (t) => {
  const proxy = await wire(t)
  const { connection } = listener(t, { at: proxy.pbx })
  await startListener(connection)
  for (let round = 0; round < 12; round++) {
    await proxy.cut()
    await eventually(() => connection.state !== 'up')
    await proxy.mend()
    await eventually(() => connection.state === 'up', { intervalMs: 2 })
  }
  const channelId = await makeCall()
  await eventually(() => hears(connection.heard, channelId))
  const times = connection.heard.filter((event) => event.type === 'ChannelDestroyed' && event.channel.id === channelId).length
  t.equal(times, 1)
  t.equal(connection.state, 'up', 'and nobody replaced it')
})

t.test('falls silent when another instance takes over, until it is told to take over itself', async (t) => {
  const replaced: string[] = []
  const { app, connection: first } = listener(t, { onReplaced: () => { replaced.push('first') }, onDown: () => { replaced.push('down') } })
  await startListener(first)
  const { connection: second } = listener(t, { app, onReplaced: () => { replaced.push('second') } })
  await startListener(second)
  await eventually(() => first.state === 'replaced')
  t.notOk(first.isListening)
  t.same(replaced, ['first'])

  const count = first.heard.length
  const channelId = await makeCall()
  await eventually(() => hears(second.heard, channelId), { message: 'the second lost the application' })
  t.equal(first.heard.length, count)
  t.equal(first.state, 'replaced', 'it does not fight for it')

  first.reconnect()
  await eventually(() => first.state === 'up' && second.state === 'replaced')
  const next = await makeCall()
  await eventually(() => hears(first.heard, next))
  t.same(replaced, ['first', 'second'])
})

t.test('a reconciliation that fails is tried again on a new connection', async (t) => {
  let tries = 0
  const { connection } = listener(t, { onUp: async () => { if (++tries < 3) throw new Error('database is away') } })
  await startListener(connection)
  t.equal(tries, 3)
})

t.test('a listener that throws does not break the connection', async (t) => {
  const { connection } = listener(t, { onArrival: () => { throw new Error('bug') } })
  await startListener(connection)
  const channelId = await makeCall()
  await eventually(() => hears(connection.heard, channelId))
  t.equal(connection.state, 'up')
})

t.test('closing tells Asterisk, and is quick even in the middle of a reconciliation', async (t) => {
  let isLost = false
  const { app, connection } = listener(t, {
    onUp: async (signal) => await new Promise<void>((resolve) => signal.addEventListener('abort', () => { isLost = true; resolve() }))
  })
  connection.start()
  await eventually(() => connection.isListening)
  const startedAt = Date.now()
  await connection.close()
  t.ok(isLost)
  t.ok(Date.now() - startedAt < 3000)
  const { connection: other } = listener(t)
  await eventually(async () => !(await other.rest.listApplications()).some(({ name }) => name === app))
})
