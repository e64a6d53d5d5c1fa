import t from 'tap'
import { newCall, type Call } from '../../src/domain/call.ts'
import { viewCall } from '../../src/domain/call-view.ts'
import { createPbx } from '../../src/domain/pbx.ts'
import { createJournal } from '../../src/usecases/journal.ts'
import { LeaseLost, type Commit, type Message } from '../../src/usecases/ports.ts'
import { createFakeTime } from '../support/fake-time.ts'
import { annaLeg, callIdOf, trunkLeg } from '../support/lab.ts'
import { createMemoryCallStore } from '../support/memory-call-store.ts'
import { watchPromise } from '../support/problems.ts'
import { createSettings } from '../support/rules.ts'

const pbx = createPbx()
for (const leg of [trunkLeg(), annaLeg()]) pbx.see(leg)
const first = newCall(callIdOf('1'), 'demo', '1', viewCall(pbx, [trunkLeg().linkedId], createSettings().findOwner)!, 0)
const callAt = (seq: number): Call => ({ ...first, seq })

let ids = 0
const message = (seq: number): Message => ({
  id: `01990000-0000-7000-8000-${(ids += 1).toString(16).padStart(12, '0')}`,
  topic: 'tacet.calls.v1',
  type: 'call.held',
  subject: first.callId,
  occurredAt: new Date(0),
  data: { callId: first.callId, companyId: first.companyId, seq, at: new Date(0).toISOString(), agentId: null },
})

function createSetup (revision = 0) {
  const time = createFakeTime()
  const store = createMemoryCallStore()
  const commits: Commit[] = []
  const failures: unknown[] = []
  const journal = createJournal({
    store: { ...store, commit: async commit => { commits.push(structuredClone(commit)); await store.commit(commit) } },
    revision,
    backoff: function * () { for (;;) yield 100 },
    wait: time.wait,
    onStored: () => {},
    onFailure: error => failures.push(error),
  })
  return { time, store, journal, commits, failures, storedSeqs: () => store.database.outbox.map(({ data }) => (data as { seq: number }).seq) }
}

t.test('what is appended is stored in its order, each commit with the next revision', async t => {
  const { journal, commits, storedSeqs } = createSetup(7)
  await Promise.all([1, 2, 3].map(seq => journal.append(callAt(seq), [message(seq)])))
  t.same(storedSeqs(), [1, 2, 3])
  t.same(commits.map(({ revision }) => revision), commits.map((_commit, index) => 8 + index))
  t.equal(journal.revision, 7 + commits.length)
  await journal.idle()
  t.ok(journal.isIdle)
})

t.test('what comes while a commit is under way goes out together in the next', async t => {
  const { journal, commits, store, time } = createSetup()
  const gate = Promise.withResolvers<void>()
  store.gate = gate.promise
  const all = [1, 2, 3, 4].map(seq => journal.append(callAt(seq), [message(seq)]))
  await time.settle()
  gate.resolve()
  await Promise.all(all)
  t.same(commits.map(({ call, messages }) => [call.seq, messages.length]), [[1, 1], [4, 3]])
})

t.test('while the database is away, everything collects and goes out with the newest state', async t => {
  const { journal, store, time, storedSeqs, commits } = createSetup()
  store.isDown = true
  const one = journal.append(callAt(1), [message(1)])
  await time.advance(250)
  const two = journal.append(callAt(2), [message(2)])
  await time.advance(250)
  t.notOk(journal.isIdle)
  t.notOk(watchPromise(one).isSettled)
  store.isDown = false
  await time.advance(200)
  await Promise.all([one, two, journal.idle()])
  t.same(storedSeqs(), [1, 2])
  t.equal(store.database.calls.get(first.callId)?.call.seq, 2)
  t.ok(commits.every(({ revision }, index) => index === 0 || revision >= commits[index - 1]!.revision))
})

t.test('a commit whose answer got lost is repeated, and nothing is stored twice', async t => {
  const { journal, store, time, storedSeqs } = createSetup()
  store.losesAnswers = true
  const one = journal.append(callAt(1), [message(1)])
  await time.settle()
  const two = journal.append(callAt(2), [message(2)])
  store.losesAnswers = false
  await time.advance(200)
  await Promise.all([one, two])
  t.same(storedSeqs(), [1, 2])
})

t.test('a commit whose answer got lost is repeated as it was when nothing else came', async t => {
  const { journal, store, time, storedSeqs } = createSetup()
  store.losesAnswers = true
  const one = journal.append(callAt(1), [message(1)])
  await time.settle()
  store.losesAnswers = false
  await time.advance(200)
  await one
  t.same(storedSeqs(), [1])
  t.equal(store.database.calls.get(first.callId)?.revision, 1)
})

t.test('when another instance has taken over, it says so and never stores again', async t => {
  const { journal, store, time, failures, storedSeqs } = createSetup()
  await createMemoryCallStore({ database: store.database, epoch: 2 }).commit({ call: callAt(9), revision: 1, messages: [], answers: [] })
  await t.rejects(journal.append(callAt(1), [message(1)]), LeaseLost)
  t.ok(failures[0] instanceof LeaseLost)
  await t.rejects(journal.append(callAt(2), [message(2)]), LeaseLost)
  await time.advance(10_000)
  t.same(storedSeqs(), [])
  t.equal(store.database.calls.get(first.callId)?.call.seq, 9)
})

t.test('after a transition was lost, no later one is stored as if nothing were missing', async t => {
  const { journal, store } = createSetup()
  await createMemoryCallStore({ database: store.database }).commit({ call: callAt(9), revision: 5, messages: [], answers: [] })
  await t.rejects(journal.append(callAt(1), [message(1)]), LeaseLost)
  for (let seq = 2; seq < 10; seq += 1) await t.rejects(journal.append(callAt(seq), [message(seq)]), LeaseLost)
  t.equal(store.database.calls.get(first.callId)?.revision, 5)
})

t.test('closed, it gives up what waits', async t => {
  const { journal, store, time } = createSetup()
  store.isDown = true
  const waiting = journal.append(callAt(1), [message(1)])
  await time.settle()
  journal.close()
  await t.rejects(waiting, LeaseLost)
  await t.rejects(journal.append(callAt(2), []), LeaseLost)
})
