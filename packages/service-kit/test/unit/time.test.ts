import t from 'tap'
import { backoff, createKeyedQueue, deadline, pause } from '@tacet/service-kit'

t.test('delays double up to the longest, and jitter only shortens them', async t => {
  const take = (random: number) => {
    const delays = backoff({ firstMs: 100, maxMs: 1_000, jitter: 0.5, random: () => random })
    return Array.from({ length: 6 }, () => delays.next().value)
  }
  t.same(take(0), [100, 200, 400, 800, 1000, 1000])
  t.same(take(1), [50, 100, 200, 400, 500, 500])
})

t.test('a deadline passes on the result or the failure, whichever comes in time', async t => {
  t.equal(await deadline(Promise.resolve(1), 1_000, () => new Error('late')), 1)
  await t.rejects(deadline(Promise.reject(new Error('broken')), 1_000, () => new Error('late')), { message: 'broken' })
  await t.rejects(deadline(new Promise(() => {}), 5, () => new Error('late')), { message: 'late' })
})

t.test('a pause ends when it is interrupted', async () => {
  const interrupted = new AbortController()
  const paused = pause(60_000, interrupted.signal)
  interrupted.abort()
  await paused
  await pause(60_000, interrupted.signal)
})

t.test('tasks of a key take turns, also after one failed; other keys do not wait', async t => {
  const queue = createKeyedQueue()
  const gate = Promise.withResolvers<void>()
  const order: string[] = []
  const first = queue.run('a', async () => {
    await gate.promise
    order.push('a1')
    throw new Error('a1 failed')
  })
  const second = queue.run('a', () => { order.push('a2') })
  await queue.run('b', () => { order.push('b1') })
  gate.resolve()
  await t.rejects(first, { message: 'a1 failed' })
  await second
  await queue.idle()
  t.same(order, ['b1', 'a1', 'a2'])
  t.equal(queue.size, 0)
})

t.test('a queue is idle only when the tasks added by its tasks are done', async t => {
  const queue = createKeyedQueue()
  let isDone = false
  await queue.run('a', () => {
    queue.run('a', async () => {
      await pause(1)
      isDone = true
    }).catch(t.fail)
  })
  await queue.idle()
  t.ok(isDone)
})
