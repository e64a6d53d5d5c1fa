import t from 'tap'
import { createReached } from '../../src/index.ts'

const points = ['P1', 'P2']

t.test('nothing is watched unless a test asked for a death', async t => {
  t.equal(createReached({ crashAt: undefined, nodeEnv: 'production' }, points), undefined)
})

t.test('a service refuses to start with a crash point in production, or with one that it does not have', async t => {
  t.throws(() => createReached({ crashAt: 'P1', nodeEnv: 'production' }, points), { name: 'ConfigError', message: /TACET_CRASH_AT is for tests only/ })
  t.throws(() => createReached({ crashAt: 'P9', nodeEnv: 'test' }, points), { name: 'ConfigError', message: /there is no P9, only P1, P2/ })
})

t.test('the process is killed the time that was asked for, and no other', async t => {
  const kills = t.capture(process, 'kill', () => true)
  const reached = createReached({ crashAt: 'P2:2', nodeEnv: 'test' }, points)!
  for (const point of ['P1', 'P2', 'P1']) reached(point)
  t.same(kills().length, 0)
  for (const point of ['P2', 'P2']) reached(point)
  t.same(kills().map(({ args }) => args), [[process.pid, 'SIGKILL']])
})
