import t from 'tap'
import { createPost } from '../../src/usecases/hold-post.ts'
import { createFakeTime } from '../support/fake-time.ts'

const renewEveryMs = 2000
const ttlMs = 10_000
const backOffMs = 5000

/** A lease that others may hold, and watches that are counted. */
function createSetup () {
  const time = createFakeTime()
  const world = { holder: 'us' as 'us' | 'them', epoch: 1, isDown: false }
  const log: string[] = []
  const watches: { epoch: number, isOpen: boolean, replace: () => void }[] = []
  const post = createPost({
    acquire: async () => {
      if (world.isDown) throw new Error('the database is away')
      return world.holder === 'us' ? world.epoch : undefined
    },
    release: async () => { log.push('released') },
    open: epoch => {
      const replaced = Promise.withResolvers<void>()
      const watch = { epoch, isOpen: true, replace: replaced.resolve }
      watches.push(watch)
      return { replaced: replaced.promise, close: async () => { watch.isOpen = false } }
    },
    wait: time.wait,
    clock: time.now,
    ttlMs,
    renewEveryMs,
    backOffMs: () => backOffMs,
    onChange: role => log.push(role),
    onError: error => log.push(String(error)),
  })
  post.start()
  return { time, world, log, watches, post, open: () => watches.filter(({ isOpen }) => isOpen) }
}

t.test('whoever gets the lease watches the PBX, under its epoch', async t => {
  const { time, post, open, log } = createSetup()
  await time.settle()
  t.equal(post.role, 'active')
  t.match(open(), [{ epoch: 1 }])
  await time.advance(10 * renewEveryMs)
  t.equal(open().length, 1, 'renewing changes nothing')
  t.same(log, ['active'])
  await post.stop()
})

t.test('a standby watches nothing until the lease is free', async t => {
  const { time, world, post, open } = createSetup()
  world.holder = 'them'
  await time.advance(renewEveryMs)
  t.equal(post.role, 'standby')
  t.equal(post.watch, undefined)
  t.same(open(), [])
  Object.assign(world, { holder: 'us', epoch: 2 })
  await time.advance(renewEveryMs)
  t.match(open(), [{ epoch: 2 }])
  await post.stop()
})

t.test('an instance that lost the lease stops watching', async t => {
  const { time, world, post, open, log } = createSetup()
  await time.settle()
  world.holder = 'them'
  await time.advance(renewEveryMs)
  t.same(open(), [])
  t.same(log, ['active', 'standby'])
  await post.stop()
})

t.test('a lease that came back under another epoch is another watch', async t => {
  const { time, world, post, watches, open } = createSetup()
  await time.settle()
  world.epoch = 3
  await time.advance(2 * renewEveryMs)
  t.match(open(), [{ epoch: 3 }])
  t.equal(watches.length, 2)
  await post.stop()
})

t.test('while the database is away the active instance stays so', async t => {
  const { time, world, post, open } = createSetup()
  await time.settle()
  world.isDown = true
  await time.advance(100 * renewEveryMs)
  t.equal(post.role, 'active')
  t.equal(open().length, 1)
  await post.stop()
})

t.test('replaced on the websocket it stops at once, backs off, and looks at the lease', async t => {
  const { time, world, post, watches, open } = createSetup()
  await time.settle()
  watches[0]!.replace()
  await time.settle()
  t.equal(post.role, 'standby')
  t.same(open(), [])
  world.holder = 'them'
  await time.advance(backOffMs + renewEveryMs)
  t.equal(watches.length, 1, 'the lease was another\'s')
  world.holder = 'us'
  await time.advance(renewEveryMs)
  t.equal(open().length, 1)
  await post.stop()
})

t.test('replaced while the database is away it does not come back before the lease was seen', async t => {
  const { time, world, post, watches, open } = createSetup()
  await time.settle()
  world.isDown = true
  watches[0]!.replace()
  await time.advance(20 * backOffMs)
  t.same(open(), [])
  world.isDown = false
  await time.advance(renewEveryMs)
  t.equal(open().length, 1)
  await post.stop()
})

t.test('an instance that saw another\'s writes leaves at once, and starts afresh with the next renewal', async t => {
  const { time, post, watches, open } = createSetup()
  await time.settle()
  post.resign()
  t.equal(post.watch, undefined)
  t.same(open(), [])
  await time.advance(renewEveryMs)
  t.equal(open().length, 1)
  t.equal(watches.length, 2)
  await post.stop()
})

t.test('stopped, it closes its watch and lets the next one in', async t => {
  const { time, post, open, log } = createSetup()
  await time.settle()
  await post.stop()
  t.same(open(), [])
  t.same(log, ['active', 'standby', 'released'])
})

t.test('one that slept past its lease does nothing until it has asked again', async t => {
  const { time, world, post } = createSetup()
  await time.settle()
  t.equal(post.isCurrent, true)
  time.sleepThrough(30_000)
  world.holder = 'them'
  t.equal(post.isCurrent, false, 'it may have lost it')
  await time.advance(renewEveryMs)
  t.equal(post.role, 'standby')
  await post.stop()
})

t.test('while the database is away the one in charge stays so: nobody can take over', async t => {
  const { time, world, post } = createSetup()
  await time.settle()
  world.isDown = true
  await time.advance(60_000)
  t.equal(post.isCurrent, true)
  t.equal(post.role, 'active')
  await post.stop()
})
