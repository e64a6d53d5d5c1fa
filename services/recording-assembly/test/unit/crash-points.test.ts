import { test } from 'tap'
import type { Ports } from '../../src/assembly.ts'
import { crashPoints, createMarks } from '../../src/crash-points.ts'
import type { Lease } from '../../src/usecases/ports.ts'
import type { Handlers } from '../../src/usecases/work-on-job.ts'

test('each step says in which work it is, and what comes from Kafka is in none', async t => {
  const reached: string[] = []
  const marks = createMarks(point => reached.push(point))
  const { source, store, recordings, queue } = marks.ports({
    source: { fetch: async () => null },
    store: { put: async (_name: unknown, write: () => Promise<void>) => { await write() } },
    recordings: { add: async () => true },
    queue: { claim: async (limit: number) => limit === 0 ? [] : [{ kind: 'check' }, { kind: 'encode' }] },
  } as unknown as Ports)
  marks.taken()
  marks.sent()
  const { check, assemble } = marks.handlers({
    check: async () => {
      await source.fetch({} as never, '', new AbortController().signal)
      marks.checked()
    },
    assemble: async () => { await store.put({} as never, async () => {}) },
  } as unknown as Handlers)

  await recordings.add({} as never, {} as never, null)
  await queue.claim(0)
  await queue.claim(2)
  await Promise.all([check({} as Lease), assemble({} as Lease)])
  const expected = [
    'before take recordings.add', 'take recordings.add', 'take committed', 'publish sent', 'check queue.claim', 'encode queue.claim',
    'before check source.fetch', 'check source.fetch', 'P7', 'before assemble store.put', 'assemble file written', 'assemble store.put',
  ]
  t.same(reached.filter(point => crashPoints.includes(point)).sort(), expected.sort())
})
