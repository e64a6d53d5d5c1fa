import t from 'tap'
import { createLull } from '../../src/usecases/lull.ts'
import { createFakeTime } from '../support/fake-time.ts'
import { watchPromise } from '../support/problems.ts'

t.test('while nobody waits there is a lull', async t => {
  const time = createFakeTime()
  const lull = watchPromise(createLull({ wait: time.wait, withinMs: 250 }).come())
  await time.settle()
  t.ok(lull.isSettled)
})

t.test('a lull comes when the last of those who wait has the answer, failed or not', async t => {
  const time = createFakeTime()
  const { during, come } = createLull({ wait: time.wait, withinMs: 250 })
  const [first, second] = [Promise.withResolvers<string>(), Promise.withResolvers<string>()]
  const answers = [during(() => first.promise), during(() => second.promise)]
  const lull = watchPromise(come())
  first.resolve('paused')
  t.equal(await answers[0], 'paused')
  await time.settle()
  t.notOk(lull.isSettled, 'one still waits')
  second.reject(new Error('not paused'))
  await t.rejects(answers[1]!, { message: 'not paused' })
  t.notOk(lull.isSettled, 'the answer goes out first')
  await time.settle()
  t.ok(lull.isSettled)
})

t.test('what can wait does not wait for ever', async t => {
  const time = createFakeTime()
  const { during, come } = createLull({ wait: time.wait, withinMs: 250 })
  void during(() => new Promise(() => {}))
  const lull = watchPromise(come())
  await time.advance(249)
  t.notOk(lull.isSettled)
  await time.advance(1)
  t.ok(lull.isSettled)
})
