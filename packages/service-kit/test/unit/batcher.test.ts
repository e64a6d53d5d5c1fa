import t from 'tap'
import { createBatcher } from '../../src/batcher.ts'

/** A batcher whose batches end when the test says so. */
function lab (options: { isShared?: boolean, maxSize?: number } = {}) {
  const batches: { items: string[], end: () => void, fail: (error: Error) => void }[] = []
  const submit = createBatcher<string, string>({
    keyOf: item => item[0],
    isShared: () => options.isShared ?? false,
    maxSize: options.maxSize ?? 100,
    async run (items) {
      const { promise, resolve, reject } = Promise.withResolvers<string[]>()
      batches.push({ items, end: () => resolve(items.map(item => item.toUpperCase())), fail: reject })
      return await promise
    },
  })
  return { submit, batches, sent: () => batches.map(({ items }) => items.join(' ')) }
}

const settled = async () => await new Promise(resolve => setImmediate(resolve))

t.test('the first go at once, what comes meanwhile goes together', async t => {
  const { submit, batches, sent } = lab()
  const results = Promise.all(['a', 'b', 'c', 'd', 'e'].map(submit))
  t.same(sent(), ['a', 'b'])
  batches[0]!.end()
  await settled()
  t.same(sent(), ['a', 'b', 'c d e'])
  batches.forEach(batch => batch.end())
  t.same(await results, ['A', 'B', 'C', 'D', 'E'])
})

t.test('two of one key never share a batch, and a batch has its limit', async t => {
  const { submit, batches, sent } = lab({ maxSize: 2 })
  const results = Promise.all(['x', 'y', 'a1', 'a2', 'b', 'c'].map(submit))
  for (let i = 0; i < 5; i++) {
    batches[i]?.end()
    await settled()
  }
  t.same(sent(), ['x', 'y', 'a1 b', 'a2 c'])
  t.same(await results, ['X', 'Y', 'A1', 'A2', 'B', 'C'])
})

t.test('an item that can not be done does not spoil the others of its batch', async t => {
  const { submit, batches, sent } = lab()
  const results = Promise.allSettled(['x', 'y', 'a', 'bad', 'c'].map(submit))
  batches[0]!.end()
  await settled()
  batches[2]!.fail(new Error('one is bad'))
  await settled()
  t.same(sent(), ['x', 'y', 'a bad c', 'a', 'bad', 'c'])
  for (const batch of batches) batch.items[0] === 'bad' ? batch.fail(new Error('bad')) : batch.end()
  t.same((await results).map(({ status }) => status), ['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
})

t.test('an error that concerns all is told to all, and the next batch goes on', async t => {
  const { submit, batches } = lab({ isShared: true })
  const results = Promise.allSettled(['x', 'y', 'a', 'b'].map(submit))
  batches[0]!.end()
  batches[1]!.end()
  await settled()
  batches[2]!.fail(new Error('the database is away'))
  t.same((await results).map(({ status }) => status), ['fulfilled', 'fulfilled', 'rejected', 'rejected'])
  const later = submit('z')
  batches[3]!.end()
  t.equal(await later, 'Z')
})
