import { test } from 'tap'
import { eq } from 'drizzle-orm'
import type { Manifest } from '@tacet/contracts'
import { createPorts } from '../../src/assembly.ts'
import { jobs, recordings } from '../../src/db/schema.ts'
import { actor, at, manifestOf } from '../helpers/manifest.ts'
import { startService, surroundings } from '../helpers/service.ts'

const companyId = '01990000-0000-7000-8000-000000000001'
const otherCompanyId = '01990000-0000-7000-8000-000000000002'
const colleagueId = '01990000-0000-7000-8000-000000001002'
const colleague = { agentId: colleagueId, endpoint: 'PJSIP/1002', joinedAt: at(0), leftAt: null }

test('the search for recordings', async t => {
  const around = await surroundings(t)
  const ports = createPorts({ config: around.config, database: around.database, onEvents: () => {}, onJob: () => {} })
  const calls: Record<string, Partial<Manifest>> = {
    first: { startedAt: '2026-03-01T09:00:00.000Z' },
    outbound: { startedAt: '2026-03-02T09:00:00.000Z', direction: 'outbound', customer: '+420777000222', agents: [colleague] },
    paused: { startedAt: '2026-03-03T09:00:00.000Z', gaps: [{ startedAt: at(0), endedAt: at(500), reasons: ['agent'], by: [actor] }] },
    elsewhere: { startedAt: '2026-03-04T09:00:00.000Z', companyId: otherCompanyId },
    last: { startedAt: '2026-03-05T09:00:00.000Z', number: '+442071838751' },
  }
  const names = new Map<string, string>()
  for (const [name, overrides] of Object.entries(calls)) {
    const manifest = manifestOf([], overrides)
    names.set(manifest.recordingId, name)
    await around.database.db.transaction(tx => ports.recordings.add(tx, manifest, null))
  }
  await around.database.db.delete(jobs)
  const idOf = (name: string) => [...names].find(([, known]) => known === name)![0]
  const tokens = {
    operator: await around.addCredential({}),
    supervisor: await around.addCredential({ companyId, roles: ['supervisor'] }),
    agent: await around.addCredential({ companyId, agentId: actor.agentId, roles: ['agent'] }),
    reader: await around.addCredential({ companyId, roles: ['service'], scopes: ['recordings:read'] }),
    blindService: await around.addCredential({ companyId, roles: ['service'], scopes: ['calls:read'] }),
  }
  const service = await startService(t, { ...around.config, spoolDir: '/nowhere' })

  const page = async (query: Record<string, string | number>, token = tokens.supervisor) => {
    const { status, body } = await service.call(`/v1/recordings?${new URLSearchParams(query as Record<string, string>)}`, { token })
    return { status, names: body.items?.map(({ recordingId }: { recordingId: string }) => names.get(recordingId)), nextCursor: body.nextCursor }
  }
  const found = async (query: Record<string, string | number>, token?: string) => (await page(query, token)).names

  t.test('shows each what they may see, the latest first', async t => {
    t.same(await found({}), ['last', 'paused', 'outbound', 'first'])
    t.same(await found({}, tokens.reader), ['last', 'paused', 'outbound', 'first'])
    t.same(await found({}, tokens.agent), ['last', 'paused', 'first'])
    t.same(await found({}, tokens.operator), ['last', 'elsewhere', 'paused', 'outbound', 'first'])
    t.same(await found({}, tokens.blindService), [])
  })

  t.test('narrows it down', async t => {
    const { db } = around.database
    await db.update(recordings).set({ durationMs: 90_000, status: 'complete' }).where(eq(recordings.recordingId, idOf('paused')))
    await db.update(recordings).set({ durationMs: 5_000, status: 'incomplete', hold: { reason: 'a claim', at: at(0), credentialId: null, agentId: null } }).where(eq(recordings.recordingId, idOf('first')))
    const cases: [Record<string, string>, string[]][] = [
      [{ from: '2026-03-02T09:00:00Z', to: '2026-03-05T09:00:00Z' }, ['paused', 'outbound']],
      [{ from: '2026-03-03T10:00:00+01:00' }, ['last', 'paused']],
      [{ agent: colleagueId }, ['outbound']],
      [{ number: '+420777000222' }, ['outbound']],
      [{ number: '+442071838751' }, ['last']],
      [{ direction: 'outbound' }, ['outbound']],
      [{ direction: 'internal' }, []],
      [{ hasGaps: 'true' }, ['paused']],
      [{ hasGaps: 'false', direction: 'inbound' }, ['last', 'first']],
      [{ minDurationMs: '5001' }, ['paused']],
      [{ maxDurationMs: '5000' }, ['first']],
      [{ status: 'complete,incomplete' }, ['paused', 'first']],
      [{ isOnHold: 'true' }, ['first']],
      [{ companyId: otherCompanyId }, []],
    ]
    for (const [query, expected] of cases) t.same(await found(query), expected, JSON.stringify(query))
    t.same(await found({ companyId: otherCompanyId }, tokens.operator), ['elsewhere'])
    t.same((await service.call('/v1/recordings?number=+442071838751', { token: tokens.supervisor })).body.items.length, 1, 'a plus may arrive as a space')
  })

  t.test('goes on where the last page ended, also when there is more by then', async t => {
    const first = await page({ limit: 2 })
    t.same(first.names, ['last', 'paused'])
    const latest = manifestOf([], { startedAt: '2026-04-01T00:00:00.000Z' })
    await around.database.db.transaction(tx => ports.recordings.add(tx, latest, null))
    const second = await page({ limit: 2, cursor: first.nextCursor })
    t.same(second, { status: 200, names: ['outbound', 'first'], nextCursor: null })
  })

  t.test('shows each once, page by page, also when several calls began at the same moment', async t => {
    const together = { startedAt: '2026-02-01T09:00:00.000Z', customer: '+420777000333' }
    const expected = Array.from({ length: 4 }, () => manifestOf([], together))
    for (const manifest of expected) await around.database.db.transaction(tx => ports.recordings.add(tx, manifest, null))
    const seen: string[] = []
    for (let cursor: string | null = ''; cursor !== null && seen.length <= expected.length;) {
      const { body } = await service.call(`/v1/recordings?${new URLSearchParams({ number: together.customer, limit: '1', ...(cursor !== '' && { cursor }) })}`, { token: tokens.supervisor })
      seen.push(...body.items.map(({ recordingId }: { recordingId: string }) => recordingId))
      cursor = body.nextCursor
    }
    t.same(seen, expected.map(({ recordingId }) => recordingId).toSorted().reverse())
  })

  t.test('says what it does not understand', async t => {
    const cursorOf = (...key: string[]) => Buffer.from(JSON.stringify(key)).toString('base64url')
    const inYear0 = '0000-01-01T00:00:00Z'
    for (const query of [{ cursor: 'x' }, { cursor: cursorOf(inYear0, companyId) }, { from: inYear0 }, { to: '0001-01-01T00:00:00+01:00' }, { from: 'yesterday' }, { direction: 'sideways' }, { status: 'lost' }, { hasGaps: 'perhaps' }, { limit: 0 }, { minDurationMs: -1 }]) {
      const { status, body } = await service.call(`/v1/recordings?${new URLSearchParams(query as unknown as Record<string, string>)}`, { token: tokens.supervisor })
      t.match({ status, body }, { status: 400, body: { code: 'invalid-request', errors: [{ field: Object.keys(query)[0] }] } })
    }
  })
})
