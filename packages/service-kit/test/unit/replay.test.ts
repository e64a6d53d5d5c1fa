import t from 'tap'
import { createEntries } from '../../src/replica/entries.ts'
import { createReplay, type ReplicaRecord } from '../../src/replica/replay.ts'

const data = (id: string, version: number): ReplicaRecord => ({ kind: 'data', id, type: 'thing', version, data: { version } })
const tombstone = (id: string): ReplicaRecord => ({ kind: 'tombstone', id })
const stored = (id: string, version: number) => ({ id, type: 'thing', version, data: { version } })

function read (records: ReplicaRecord[], storedEntries = [] as ReturnType<typeof stored>[], high = records.length) {
  const entries = createEntries()
  for (const entry of storedEntries) entries.apply(entry)
  const replay = createReplay(entries, [{ partition: 0, low: '0', high: String(high) }])
  records.forEach((record, offset) => replay.receive(0, String(offset), record))
  const settled = replay.settle()
  const versions = () => Object.fromEntries(Array.from(entries.all()).filter(entry => entry.data !== null).map(({ id, version }) => [id, version]))
  return { entries, replay, settled, versions }
}

t.test('it is current when it has read what was there at its beginning', async t => {
  const { replay } = read([data('a', 1)], [], 2)
  t.equal(replay.isCurrent, false)
  replay.receive(0, '1', data('b', 1))
  t.ok(replay.settle())
  t.equal(replay.isCurrent, true)
  t.equal(replay.settle(), undefined, 'it settles once')
})

t.test('an old tombstone does not delete what was created again after it', async t => {
  t.same(read([data('a', 1), tombstone('a'), data('a', 3)], [stored('a', 3)]).versions(), { a: 3 })
})

t.test('a repeated older version does not bring back what was deleted', async t => {
  const { replay, versions } = read([data('a', 1)])
  replay.receive(0, '1', tombstone('a'))
  replay.receive(0, '2', data('a', 1))
  t.same(versions(), {})
})

t.test('what the topic no longer holds is dropped from the stored copy', async t => {
  const { settled, versions } = read([data('a', 2)], [stored('a', 1), stored('b', 1)])
  t.same(versions(), { a: 2 })
  t.same(settled, { deleted: [], forgotten: ['b'] })
})

t.test('a tombstone at the end of the replay deletes what was stored', async t => {
  const { settled, versions } = read([tombstone('a')], [stored('a', 7)])
  t.same(versions(), {})
  t.same(settled, { deleted: ['a'], forgotten: [] })
})

t.test('an empty topic leaves the stored copy alone', async t => {
  t.same(read([], [stored('a', 1)]).versions(), { a: 1 })
})

t.test('a reading that begins again after a rebalance changes nothing', async t => {
  const { replay, versions } = read([data('a', 1), tombstone('a'), data('a', 2)])
  for (const [offset, record] of [data('a', 1), tombstone('a'), data('a', 2)].entries()) t.same(replay.receive(0, String(offset), record), [])
  t.same(versions(), { a: 2 })
})
