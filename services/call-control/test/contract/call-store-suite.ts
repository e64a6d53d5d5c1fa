import t, { type Test } from 'tap'
import type { CommandAnswer } from '@tacet/contracts'
import { newCall, type Call } from '../../src/domain/call.ts'
import { viewCall } from '../../src/domain/call-view.ts'
import { createPbx } from '../../src/domain/pbx.ts'
import { LeaseLost, StoreUnavailable, type CallStore, type Commit, type Message, type PauseIntent, type StoredAnswer } from '../../src/usecases/ports.ts'
import { annaLeg, callIdOf, trunkLeg } from '../support/lab.ts'
import { byAgent } from '../support/recording-table.ts'
import { createSettings } from '../support/rules.ts'

/** A database for one test, with the stores of several instances on it. */
export interface StoreWorld {
  store: (epoch: number, pbxId?: string) => CallStore
  /** Event ids in the order in which they will be published. */
  outbox: () => Promise<string[]>
  /** The database is away from now on. */
  cut: () => Promise<void>
}

let ids = 0
const newId = () => `01990000-0000-7000-8000-${(ids += 1).toString(16).padStart(12, '0')}`

const pbx = createPbx()
for (const leg of [trunkLeg(), annaLeg()]) pbx.see(leg)
const view = viewCall(pbx, [trunkLeg().linkedId], createSettings().findOwner)!

const createCall = (name: string, change: Partial<Call> = {}): Call => ({ ...newCall(callIdOf(name), 'demo', name, view, 1000), ...change })
const over = (call: Call): Call => ({ ...call, endedAtMs: 9000, recording: { ...call.recording, phase: { status: 'ended', reason: 'hangup' } } })

const held = (call: Call, seq: number): Message => ({
  id: newId(),
  topic: 'tacet.calls.v1',
  type: 'call.held',
  subject: call.callId,
  occurredAt: new Date(seq),
  data: { callId: call.callId, companyId: call.companyId, seq, at: new Date(seq).toISOString(), agentId: null },
})
const commitOf = (call: Call, revision: number, parts: Partial<Commit> = {}): Commit => ({ call, revision, messages: [], answers: [], ...parts })
const intentOf = ({ callId }: Call, revision: number, requestedAtMs = 5000): PauseIntent => ({ callId, revision, attempt: { action: 'pause', cause: byAgent, askedBy: 'agent', requestedAtMs, address: '127.0.0.1', detail: { device: 'phone' } } })

function answerTo ({ callId }: Call, idempotencyKey: string, seq = 3): StoredAnswer {
  const answer: CommandAnswer = { callId, recordingId: callId, state: 'paused', reasons: ['agent'], seq, effectiveAt: new Date(0).toISOString(), durable: true, allowedActions: ['resume'] }
  return { credentialId: byAgent.by.credentialId!, idempotencyKey, callId, action: 'pause', answer }
}

/** What every store of calls does, the real one and the fake. */
export function testCallStore (name: string, createWorld: (t: Test) => Promise<StoreWorld>): void {
  const test = (title: string, run: (t: Test, world: StoreWorld) => Promise<void>) =>
    t.test(`${name}: ${title}`, async t => await run(t, await createWorld(t)))

  test('what was committed is found, whole', async (t, { store }) => {
    const call = createCall('1')
    await store(1).commit(commitOf(call, 1))
    t.same(await store(1).find(call.callId), call)
    t.equal(await store(1).find(callIdOf('never')), undefined)
  })

  test('what is about no call is published too', async (t, { store, outbox }) => {
    const message = held(createCall('1'), 1)
    await store(1).announce(message)
    t.same(await outbox(), [message.id])
  })

  test('open calls of this PBX are loaded with their revision, those that are over are not', async (t, { store }) => {
    const [open, ended] = [createCall('1'), createCall('2')]
    await store(1).commit(commitOf(open, 4))
    await store(1).commit(commitOf(over(ended), 2))
    await store(1, 'other').commit(commitOf(createCall('3'), 1))
    t.same(await store(1).loadOpen(), { calls: [{ call: open, revision: 4, intents: [] }], answers: [] })
    t.same(await store(1).find(ended.callId), over(ended))
  })

  test('nothing open is an empty list', async (t, { store }) => {
    t.same(await store(1).loadOpen(), { calls: [], answers: [] })
  })

  test('a later revision replaces an earlier one', async (t, { store }) => {
    const call = createCall('1')
    await store(1).commit(commitOf(call, 1))
    await store(1).commit(commitOf({ ...call, seq: 7 }, 2))
    t.equal((await store(1).find(call.callId))?.seq, 7)
  })

  test('a repeated commit changes nothing, and its events come once', async (t, { store, outbox }) => {
    const call = createCall('1')
    const commit = commitOf(call, 1, { messages: [held(call, 1), held(call, 2)], answers: [answerTo(call, 'k')] })
    await store(1).commit(commit)
    await store(1).commit(commit)
    await store(1).commit({ ...commit, call: { ...call, seq: 99 } })
    t.same(await outbox(), commit.messages.map(({ id }) => id))
    t.equal((await store(1).find(call.callId))?.seq, call.seq)
  })

  test('events of a repeated commit that grew meanwhile come once, in their order', async (t, { store, outbox }) => {
    const call = createCall('1')
    const [first, second, third] = [held(call, 1), held(call, 2), held(call, 3)]
    await store(1).commit(commitOf(call, 1, { messages: [first] }))
    await store(1).commit(commitOf(call, 2, { messages: [first, second, third] }))
    t.same(await outbox(), [first.id, second.id, third.id])
  })

  test('many events of one commit keep their order', async (t, { store, outbox }) => {
    const call = createCall('1')
    const messages = Array.from({ length: 60 }, (_each, index) => held(call, index + 1))
    await store(1).commit(commitOf(call, 1, { messages }))
    t.same(await outbox(), messages.map(({ id }) => id))
  })

  test('an older revision is refused, with everything that came with it', async (t, { store, outbox }) => {
    const call = createCall('1')
    await store(1).commit(commitOf(call, 5))
    await t.rejects(store(1).commit(commitOf({ ...call, seq: 9 }, 4, { messages: [held(call, 1)], answers: [answerTo(call, 'k')] })), LeaseLost)
    t.same(await outbox(), [])
    t.same((await store(1).loadOpen()).answers, [])
    t.equal((await store(1).find(call.callId))?.seq, call.seq)
  })

  test('an instance of an older epoch can not write over its successor, nor take its intents away', async (t, { store, outbox }) => {
    const call = createCall('1')
    await store(1).commit(commitOf(call, 1))
    await store(2).commit(commitOf({ ...call, seq: 2 }, 2))
    await store(2).noteIntent(intentOf(call, 2))
    await t.rejects(store(1).commit(commitOf({ ...call, seq: 50 }, 9, { messages: [held(call, 1)] })), LeaseLost)
    t.same(await outbox(), [])
    const [open] = (await store(2).loadOpen()).calls
    t.match(open, { revision: 2, call: { seq: 2 }, intents: [{ revision: 2 }] })
  })

  test('a newer epoch goes on from where the older one was', async (t, { store }) => {
    const call = createCall('1')
    await store(1).commit(commitOf(call, 3))
    await store(2).commit(commitOf({ ...call, seq: 4 }, 4))
    t.match((await store(2).loadOpen()).calls, [{ revision: 4, call: { seq: 4 } }])
  })

  test('a revision that the predecessor wrote after it was loaded is no repetition of our own', async (t, { store, outbox }) => {
    const call = createCall('1')
    const theirs = held(call, 1)
    await store(1).commit(commitOf({ ...call, seq: 1 }, 6, { messages: [theirs] }))
    await t.rejects(store(2).commit(commitOf({ ...call, seq: 2 }, 6, { messages: [held(call, 2)] })), LeaseLost)
    t.same(await outbox(), [theirs.id])
    t.equal((await store(2).find(call.callId))?.seq, 1)
  })

  test('an intent is loaded with its call, oldest first, and settled by the next commit', async (t, { store }) => {
    const [call, other] = [createCall('1'), createCall('2')]
    await store(1).commit(commitOf(call, 1))
    await store(1).commit(commitOf(other, 1))
    await store(1).noteIntent(intentOf(call, 1, 6000))
    await store(1).noteIntent(intentOf(call, 1, 5000))
    await store(1).noteIntent(intentOf(other, 1))
    const intentsOf = async ({ callId }: Call) => (await store(1).loadOpen()).calls.find(open => open.call.callId === callId)?.intents
    t.same(await intentsOf(call), [intentOf(call, 1, 5000), intentOf(call, 1, 6000)])
    await store(1).commit(commitOf(call, 2))
    t.same(await intentsOf(call), [])
    t.same(await intentsOf(other), [intentOf(other, 1)])
  })

  test('an intent for a revision that is still to come stays', async (t, { store }) => {
    const call = createCall('1')
    await store(1).commit(commitOf(call, 1))
    await store(1).noteIntent(intentOf(call, 2))
    await store(1).commit(commitOf(call, 2))
    t.equal((await store(1).loadOpen()).calls[0]?.intents.length, 1)
  })

  test('an answer is kept with its commit, and the first one stays', async (t, { store }) => {
    const call = createCall('1')
    await store(1).commit(commitOf(call, 1, { answers: [answerTo(call, 'k', 3), answerTo(call, 'l', 4)] }))
    await store(1).commit(commitOf(call, 2, { answers: [answerTo(call, 'k', 9)] }))
    const { answers } = await store(1).loadOpen()
    t.same(answers.map(({ idempotencyKey, answer }) => [idempotencyKey, answer.seq]).sort(), [['k', 3], ['l', 4]])
    t.match(answers.find(({ idempotencyKey }) => idempotencyKey === 'k'), answerTo(call, 'k', 3))
  })

  test('an event that the contracts don\'t know is refused before anything is stored', async (t, { store }) => {
    const call = createCall('1')
    await t.rejects(store(1).commit(commitOf(call, 1, { messages: [{ ...held(call, 1), data: { nonsense: true } }] })))
    t.equal(await store(1).find(call.callId), undefined)
  })

  test('text that a database could stumble over is kept as it is', async (t, { store }) => {
    const call = createCall('1', { customer: 'O\'Neil "\\" $1 ; drop — ☎', sipCallIds: ['a\\u0041', '%s'] })
    await store(1).commit(commitOf(call, 1))
    t.same(await store(1).find(call.callId), call)
  })

  test('a database that is away is told as such', async (t, { store, cut }) => {
    const [call, instance] = [createCall('1'), store(1)]
    await instance.commit(commitOf(call, 1))
    await cut()
    await t.rejects(instance.commit(commitOf(call, 2)), StoreUnavailable)
    await t.rejects(instance.noteIntent(intentOf(call, 1)), StoreUnavailable)
    await t.rejects(instance.loadOpen(), StoreUnavailable)
    await t.rejects(instance.find(call.callId), StoreUnavailable)
  })
}
