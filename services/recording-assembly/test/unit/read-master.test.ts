import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { test } from 'tap'
import { readMaster } from '../../src/usecases/read-master.ts'
import { sha256 } from '../helpers/service.ts'

const whole = randomBytes(100_000)
const stored = { recordingId: randomUUID(), storedGeneration: 3, bytes: whole.length, sha256: sha256(whole) }
const storeOf = (bytes: Buffer) => ({ read: async () => Readable.from([bytes.subarray(0, 60_000), bytes.subarray(60_000)], { objectMode: false }) })

test('a master is read to its end, and tells how far', async t => {
  const told: number[] = []
  const master = await readMaster(storeOf(whole), stored, { onBytes: bytes => told.push(bytes) })
  t.ok(whole.equals(await buffer(master)))
  t.same(told, [60_000, 100_000])
})

test('what is no longer what was stored fails at its end', async t => {
  const turned = Buffer.from(whole)
  turned[99_999]! ^= 1
  for (const [what, bytes] of Object.entries({ 'a bit was turned': turned, 'its end is missing': whole.subarray(0, 99_999), 'there is more': Buffer.concat([whole, whole]), nothing: Buffer.alloc(0) })) {
    await t.rejects(readMaster(storeOf(bytes), stored).then(buffer), /no longer what was stored/, what)
  }
})

test('who stops reading has the source closed', async t => {
  const source = Readable.from([whole, whole], { objectMode: false })
  const master = await readMaster({ read: async () => source }, stored)
  await once(master, 'readable')
  master.destroy()
  await once(master, 'close')
  t.ok(source.destroyed)
})
