import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import type { Manifest } from '@tacet/contracts'
import { createMetrics } from '@tacet/service-kit'
import { eventually } from '@tacet/test-kit'
import { createAssemblyWorker, createPorts, type Ports } from '../../src/assembly.ts'
import { newJobRow } from '../../src/adapters/postgres-jobs.ts'
import { jobs } from '../../src/db/schema.ts'
import { manifestOf } from '../helpers/manifest.ts'
import { logger, surroundings, type Surroundings } from '../helpers/service.ts'

const portsOf = ({ config, database }: Surroundings, leaseMs = 60_000): Ports =>
  createPorts({ config: { ...config, leaseMs }, database, onEvents: () => {}, onJob: () => {} })

async function addCalls ({ database }: Surroundings, { recordings }: Ports, count: number, overrides: Partial<Manifest> = {}): Promise<void> {
  await database.db.transaction(async tx => {
    for (let n = 0; n < count; n++) await recordings.add(tx, manifestOf([{ fromMs: 0, toMs: 2_000 }], overrides), null)
  })
}
const addOf = async (kind: 'measure' | 'encode', { database }: Surroundings, count: number, { companyId = randomUUID() } = {}): Promise<void> => {
  await database.db.insert(jobs).values(Array.from({ length: count }, () => newJobRow({ kind, item: kind === 'encode' ? 'opus' : '' }, { recordingId: randomUUID(), companyId, correlationId: null })))
}
const jobRows = ({ database }: Surroundings) => database.db.select().from(jobs)

test('jobs', async t => {
  const around = await surroundings(t)
  const ports = portsOf(around)
  const { queue } = ports
  t.afterEach(async () => { await around.database.db.delete(jobs) })

  t.test('a job is leased to one of many who ask at once', async t => {
    await addCalls(around, ports, 5)
    const claims = await Promise.all(Array.from({ length: 8 }, () => portsOf(around).queue.claim(2)))
    t.ok(claims.every(claimed => claimed.length <= 2), 'nobody got more than asked for')
    const rest = await queue.claim(10)
    const ids = [...claims.flat(), ...rest].map(({ jobId }) => jobId)
    t.equal(ids.length, 5)
    t.equal(new Set(ids).size, 5)
    t.same(await queue.claim(10), [], 'and nothing is left')
  })

  t.test('a company with a thousand jobs keeps nobody waiting for all of them', async t => {
    const [many, few] = [randomUUID(), randomUUID()]
    await addCalls(around, ports, 1_000, { companyId: many })
    const first = await queue.claim(2)
    t.same(first.map(({ companyId }) => companyId), [many, many], 'while nobody else waits')
    t.same(first.map(({ jobId }) => jobId).sort(), (await jobRows(around)).map(({ jobId }) => jobId).sort().slice(0, 2), 'those that wait longest')
    await addCalls(around, ports, 3, { companyId: few })
    t.match(await queue.claim(1), [{ companyId: few }], 'though the others came before')
    t.same((await queue.claim(4)).map(({ companyId }) => companyId).sort(), [few, few, many, many].sort(), 'and then they take turns')
    const claims = await Promise.all(Array.from({ length: 8 }, () => portsOf(around).queue.claim(5)))
    t.equal(new Set(claims.flat().map(({ jobId }) => jobId)).size, 40, 'several who ask at once get different ones, and as many as they ask for')
  })

  t.test('what is made of finished recordings waits for everything else, other formats for all of it, and never is more than there is room for', async t => {
    const [long, other] = [randomUUID(), randomUUID()]
    await addOf('encode', around, 3, { companyId: long })
    await addOf('measure', around, 2, { companyId: other })
    await addCalls(around, ports, 1, { companyId: long })
    await addCalls(around, ports, 1, { companyId: other })
    const kinds = async (...room: Parameters<typeof queue.claim>) => (await queue.claim(...room)).map(({ kind }) => kind).sort()
    t.same(await kinds(4), ['assemble', 'assemble'])
    t.same(await kinds(4, { measure: 0, encode: 1 }), ['encode'])
    t.same(await kinds(4, { measure: 1 }), ['measure'])
    t.same(await kinds(4, { encode: 0 }), ['measure'])
    t.same(await kinds(4, { encode: 0 }), [])
    t.same(await kinds(4), ['encode', 'encode'])
  })

  t.test('a company of which a worker died is not behind the others for that', async t => {
    const [unlucky, other] = [randomUUID(), randomUUID()]
    await addCalls(around, ports, 1, { companyId: unlucky })
    const [lost] = await portsOf(around, 1).queue.claim(1)
    await eventually(async () => (await jobRows(around))[0]!.leaseExpiresAt! < new Date())
    await addCalls(around, ports, 2, { companyId: other })
    t.match(await queue.claim(1), [{ jobId: lost!.jobId, attempts: 2 }])
  })

  t.test('a lease that is renewed holds, one that ran out is for another', async t => {
    await addCalls(around, ports, 1)
    const short = portsOf(around, 1_500).queue
    const [job] = await short.claim(1)
    t.ok(await short.renew(job!))
    t.same(await queue.claim(1), [])
    const [taken] = await eventually(async () => {
      const claimed = await queue.claim(1)
      return claimed.length > 0 && claimed
    })
    t.match(taken, { jobId: job!.jobId, attempts: 2 })
    t.equal(await short.renew(job!), false)
  })

  t.test('a job that is put back waits for its time, and an attempt without blame does not count', async t => {
    await addCalls(around, ports, 1)
    const [job] = await queue.claim(1)
    await queue.putBack(job!, { delayMs: 60_000, error: 'away', isBlameless: true })
    t.match(await jobRows(around), [{ state: 'waiting', attempts: 0, postponements: 1, lastError: 'away', leaseId: null }])
    t.same(await queue.claim(1), [])
    t.same(await queue.counts(), [{ kind: 'assemble', state: 'waiting', count: 1 }])
  })

  t.test('a worker that is told to stop hands back what it can not finish', async t => {
    await addCalls(around, ports, 1)
    const { promise: reached, resolve } = Promise.withResolvers<void>()
    const source: Ports['source'] = {
      ...ports.source,
      fetch: async (_file, _workDir, signal) => {
        resolve()
        await new Promise((_resolve, reject) => { signal.addEventListener('abort', () => reject(signal.reason)) })
        return null
      },
    }
    const worker = createAssemblyWorker({ ...ports, source }, { config: around.config, logger, metrics: createMetrics({ name: 'test' }), timing: { finishMs: 50 } })
    worker.start()
    await reached
    await worker.stop()
    t.match(await jobRows(around), [{ state: 'waiting', attempts: 0, leaseId: null }])
    t.same(await around.filesOfRecordings(), [], 'and leaves nothing behind')
    t.equal((await queue.claim(1)).length, 1, 'another may have it at once')
  })

  t.test('a call that ends is assembled, however many recordings are being encoded or measured', async t => {
    for (const [kind, concurrency] of [['encode', 1], ['encode', 2], ['measure', 4]] as const) {
      await addOf(kind, around, 3)
      let underWay = 0
      const recordings: Ports['recordings'] = {
        ...ports.recordings,
        find: async () => {
          underWay++
          return await new Promise<never>(() => {})
        },
      }
      const worker = createAssemblyWorker({ ...ports, recordings }, { config: { ...around.config, concurrency }, logger, metrics: createMetrics({ name: 'test' }), timing: { pollIntervalMs: 20 } })
      worker.start()
      await eventually(() => underWay === 1)
      await addCalls(around, ports, 1)
      await eventually(async () => (await queue.counts()).every(job => job.kind === kind))
      t.equal(underWay, 1)
      await around.database.db.delete(jobs)
      // What never ends is left to its lease.
      void worker.stop()
    }
  })
})
