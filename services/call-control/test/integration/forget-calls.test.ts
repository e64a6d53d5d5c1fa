import { sql } from 'drizzle-orm'
import t from 'tap'
import type { Attempt } from '../../src/usecases/audit-attempt.ts'
import { createForgetCalls } from '../../src/adapters/forget-calls.ts'
import { createPostgresCallStore } from '../../src/adapters/postgres-call-store.ts'
import { calls, commandAnswers, outbox, pauseIntents } from '../../src/db/schema.ts'
import type { Call } from '../../src/domain/call.ts'
import { callIdOf, createLab } from '../support/lab.ts'
import { byAgent } from '../support/recording-table.ts'
import { openTestDatabase } from '../support/test-database.ts'

const dayMs = 24 * 3_600_000
const { database } = await openTestDatabase(t)
const { db } = database
const store = createPostgresCallStore({ database, pbxId: 'demo', epoch: () => 1, onCommitted: () => {} })
const forget = createForgetCalls({ database })
const signal = new AbortController().signal

const lab = createLab()
const { call: live } = await lab.answerCall()
await lab.command('pause', live.callId, { idempotencyKey: 'k' })
await lab.hangUp()
const ended = lab.follower.session(live.callId)!.call

const pressed = (requestedAtMs: number): Attempt => ({ action: 'pause', cause: byAgent, askedBy: 'agent', requestedAtMs, address: null, detail: {} })

/** A call like it, with an event, an answer and an intent, last changed so long ago. */
async function keep (name: string, call: Call, { ageDays, isPublished = true, isParked = false }: { ageDays: number, isPublished?: boolean, isParked?: boolean }): Promise<string> {
  const callId = callIdOf(name)
  const message = lab.messages().find(({ type }) => type === 'call.ended')!
  await store.commit({
    call: { ...call, callId },
    revision: 1,
    messages: [{ ...message, id: callIdOf(`event of ${name}`), subject: callId, data: { ...message.data as object, callId } }],
    answers: lab.store.database.answers.map(answer => ({ ...answer, callId, idempotencyKey: name })),
  })
  await store.noteIntent({ callId, revision: 1, attempt: pressed(Date.now() - ageDays * dayMs) })
  await db.update(calls).set({ updatedAt: sql`now() - ${ageDays} * interval '1 day'` }).where(sql`call_id = ${callId}`)
  await db.update(outbox).set({ publishedAt: isPublished ? sql`now()` : null, parkedAt: isParked ? sql`now()` : null }).where(sql`key = ${callId}`)
  return callId
}

t.test('a call that has been over for long is deleted, with its answers and intents; others are not', async t => {
  const stay = [
    await keep('over since yesterday', ended, { ageDays: 1 }),
    await keep('old and still open', live, { ageDays: 30 }),
    await keep('not published yet', ended, { ageDays: 30, isPublished: false }),
    await keep('parked', ended, { ageDays: 30, isPublished: false, isParked: true }),
  ].sort()
  for (const name of ['old', 'older']) await keep(name, ended, { ageDays: 8 })
  t.equal(await forget(7 * dayMs, signal), 2)
  const idsIn = async (table: typeof calls | typeof commandAnswers | typeof pauseIntents) => (await db.select({ callId: table.callId }).from(table)).map(({ callId }) => callId).sort()
  t.same(await idsIn(calls), stay)
  t.same(await idsIn(commandAnswers), stay)
  t.equal(await forget(7 * dayMs, signal), 0)
})

t.test('an intent that came when its call was over goes too, one of an open call never', async t => {
  const open = await keep('open', live, { ageDays: 30 })
  const over = await keep('over', ended, { ageDays: 1 })
  await store.noteIntent({ callId: over, revision: 1, attempt: pressed(Date.now() - 8 * dayMs) })
  await store.noteIntent({ callId: callIdOf('nowhere'), revision: 1, attempt: pressed(Date.now() - 8 * dayMs) })
  await forget(7 * dayMs, signal)
  const left = await db.select().from(pauseIntents)
  t.ok(left.some(({ callId }) => callId === open))
  t.equal(left.filter(({ callId }) => callId === over).length, 1, 'the young one')
  t.notOk(left.some(({ callId }) => callId === callIdOf('nowhere')))
})

t.test('however many there are, they all go', async t => {
  const many = Array.from({ length: 1_100 }, (_each, index) => callIdOf(`many ${index}`))
  await db.execute(sql`
    insert into ${calls} (call_id, pbx_id, company_id, is_over, revision, epoch, state, started_at, updated_at)
    select id::uuid, 'demo', ${ended.companyId}, true, 1, 1, '{}', now(), now() - interval '8 days' from jsonb_array_elements_text(${JSON.stringify(many)}::jsonb) as ids(id)`)
  t.equal(await forget(7 * dayMs, signal), 1_100)
})
