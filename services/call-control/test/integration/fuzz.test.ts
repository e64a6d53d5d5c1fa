import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { fuzz, type FuzzRequest } from '@tacet/test-kit'
import { createPostgresCallStore } from '../../src/adapters/postgres-call-store.ts'
import { createOpenApi } from '../../src/openapi.ts'
import { createHttpLab, tokens } from '../support/http.ts'
import type { LabOptions } from '../support/lab.ts'
import { createRealTime } from '../support/real-time.ts'
import { anna, ben } from '../support/rules.ts'
import { openTestDatabase } from '../support/test-database.ts'

/** `npm run soak` sends more, and others, and has them stored in PostgreSQL. */
const requests = Number(process.env['FUZZ_REQUESTS'] ?? 600)
const seed = Number(process.env['FUZZ_SEED'] ?? 20_261_123)
const isStored = process.env['FUZZ_STORE'] === 'postgres'
t.setTimeout(requests * 100 + 120_000)

async function inPostgres (t: Test): Promise<LabOptions> {
  const { database } = await openTestDatabase(t)
  return {
    time: createRealTime(),
    timings: { resumeGuardMs: 5 },
    callStore: createPostgresCallStore({ database, pbxId: 'demo', epoch: () => 1, onCommitted: () => {} }),
  }
}

t.test(`whatever is asked, the answer is what the document says (seed ${seed}, ${requests} requests${isStored ? ', in PostgreSQL' : ''})`, async t => {
  const { lab, app } = await createHttpLab(t, { rateLimitPerMinute: 1_000_000, ...isStored ? await inPostgres(t) : {} })
  const { call: { callId } } = await lab.answerCall()

  async function send ({ method, path, headers, body }: FuzzRequest) {
    const state = { isDone: false }
    const sent = app.inject({ method: method as 'GET', url: path, headers, ...(body === undefined ? {} : { payload: body }) }).finally(() => { state.isDone = true })
    for (let turn = 0; turn < 200 && !state.isDone; turn += 1) await lab.time.advance(turn < 20 ? 0 : 20)
    const { statusCode, headers: answered, body: text } = await sent
    return { status: statusCode, contentType: String(answered['content-type'] ?? ''), text }
  }

  const surroundings = {
    tokens: [...Array(6).fill(tokens.anna), tokens.supervisor, tokens.machine, tokens.reader, tokens.unscoped, tokens.stranger, tokens.ben, tokens.annasPhone, tokens.revoked, undefined],
    known: {
      callId: [callId, callId, callId, 'anna-sip', randomUUID()],
      agent: [anna, ben],
      deviceToken: [tokens.annasPhone, tokens.annasPhone, tokens.bensPhone, tokens.anna],
      key: ['pause', 'resume', 'start', 'stop', 'toggle', 'status'],
      'idempotency-key': ['press-1', 'press-2'],
    },
  }
  const report = await fuzz({
    document: await createOpenApi(),
    send,
    prepare: async () => {
      // Each lifts their own pause, or the agent could never again.
      for (const token of [tokens.supervisor, tokens.machine, tokens.anna]) {
        await send({ operation: '', method: 'POST', path: `/v1/calls/${callId}/recording/resume`, headers: { authorization: `Bearer ${token}` } })
      }
      return surroundings
    },
  }, { seed, requests })
  t.same(report.findings, [])
  t.ok((await lab.callStore.find(callId))?.seq, 'what was said of the call is stored')
  t.comment(JSON.stringify(report.byStatus))
  t.same(report.succeeded, report.operations.toSorted(), 'every operation succeeded at least once')
})
