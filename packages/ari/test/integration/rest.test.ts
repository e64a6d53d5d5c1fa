import { randomUUID } from 'node:crypto'
import t from 'tap'
import type { Test } from 'tap'
import { eventually } from '@tacet/test-kit'
import { createAriRest } from '@tacet/ari'
import type { AriLatency } from '@tacet/ari'
import { readPbx, startLeg } from '../helpers/pbx.ts'
import { openProxy } from '../helpers/proxy.ts'

const pbx = readPbx()

function client (t: Test, at = pbx) {
  const latencies: AriLatency[] = []
  const rest = createAriRest({ ...at, onLatency: (latency) => latencies.push(latency) })
  t.teardown(() => rest.close())
  return { rest, latencies }
}

const ariError = (kind: string) => ({ name: 'AriError', kind })

t.test('shows channels as they are', async (t) => {
  const { rest } = client(t)
  const leg = await startLeg(pbx)
  t.teardown(leg.hangUp)
  const channel = await rest.getChannel(leg.id)
  t.match(channel, { id: leg.id, state: 'Up', name: /^Local\/tone@tacet-tests/, dialplan: { context: 'tacet-tests', exten: 'quiet' } })
  t.ok((await rest.listChannels()).some(({ id }) => id === leg.id))
  t.match(await rest.listBridges(), Array)
  await rest.hangup(leg.id)
  await rest.hangup(leg.id)
  await eventually(async () => await rest.getChannel(leg.id).then(() => false, ({ kind }) => kind === 'not-found'), { message: 'it is still there' })
})

t.test('reads variables and functions of any channel', async (t) => {
  const { rest } = client(t)
  const leg = await startLeg(pbx)
  t.teardown(leg.hangUp)
  t.equal(await rest.getVariable(leg.id, 'TACET_TEST'), undefined)
  await t.rejects(rest.setVariable(leg.id, 'TACET_TEST', 'x'), ariError('conflict'), 'setting needs one in Stasis')
  t.equal(await rest.getVariable(leg.id, 'CHANNEL(linkedid)'), leg.id)
  t.equal(await rest.getVariable(leg.id, 'TOLOWER(A & Ü)'), 'a & ü'.replace('ü', 'Ü'))
  await t.rejects(rest.getVariable('nobody', 'X'), ariError('not-found'))
})

t.test('lights lamps, plays to a channel, knows the PBX', async (t) => {
  const { rest } = client(t)
  const leg = await startLeg(pbx)
  t.teardown(leg.hangUp)
  await rest.setDeviceState('Stasis:tacet-test', 'INUSE')
  await t.rejects(rest.setDeviceState('PJSIP/1001', 'INUSE'), ariError('conflict'))
  await t.rejects(rest.play(leg.id, randomUUID(), 'sound:beep'), ariError('conflict'), 'a channel outside Stasis hears nothing')
  t.match(await rest.asteriskInfo(), { system: { version: /^\d+\./ } })
  t.match(await rest.listApplications(), Array)
  await t.rejects(rest.getEndpoint('PJSIP', 'nobody'), ariError('not-found'))
  await t.rejects(rest.sendMessage('PJSIP/nobody', 'hello', 'sip:tacet@localhost'), { name: 'AriError' })
  await t.rejects(rest.ignoreEvents('nobody', []), ariError('not-found'))
})

t.test('names what went wrong', async (t) => {
  const { rest } = client(t, { ...pbx, password: 'wrong' })
  await t.rejects(rest.asteriskInfo(), { ...ariError('refused'), status: 401, operation: 'asteriskInfo' })
  const { rest: elsewhere } = client(t, { ...pbx, url: `${pbx.url}/elsewhere` })
  await t.rejects(elsewhere.getChannel('x'), ariError('unavailable'), 'a 404 that is not from ARI proves nothing about the channel')
  const { rest: nowhere } = client(t, { ...pbx, url: 'http://127.0.0.1:9' })
  await t.rejects(nowhere.listChannels(), ariError('unavailable'))
})

t.test('no request outlives its deadline, and each is measured', async (t) => {
  const proxy = await openProxy(pbx)
  t.teardown(proxy.close)
  const { rest, latencies } = client(t, proxy.pbx)
  await rest.asteriskInfo()
  proxy.freeze()
  const startedAt = Date.now()
  // More than there are connections: waiting for one counts as well.
  const late = await Promise.allSettled(Array.from({ length: 20 }, async () => await rest.listChannels({ deadlineMs: 150 })))
  t.ok(late.every((each) => each.status === 'rejected' && each.reason.kind === 'timeout'))
  t.ok(Date.now() - startedAt < 2500)
  proxy.thaw()
  await rest.listChannels()
  t.match(latencies[0], { operation: 'asteriskInfo', outcome: 'ok', ms: Number })
  t.match(latencies[1], { operation: 'listChannels', outcome: 'timeout' })
  t.match(latencies.at(-1), { operation: 'listChannels', outcome: 'ok' })
})

t.test('a request whose connection dies is sent again', async (t) => {
  const proxy = await openProxy(pbx)
  t.teardown(proxy.close)
  const { rest } = client(t, proxy.pbx)
  proxy.loseAnswerTo(/GET .*\/asterisk\/info/)
  t.match(await rest.asteriskInfo(), { system: { version: String } })
})
