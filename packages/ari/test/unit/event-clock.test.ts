import t from 'tap'
import { createEventClock } from '../../src/event-clock.ts'

/** Asterisk's clock is wrong by so much. */
for (const skewMs of [0, -3_600_000, 120_000]) {
  t.test(`what was held up is dated by when it happened (Asterisk's clock is off by ${skewMs} ms)`, async t => {
    let nowMs = Date.parse('2026-11-23T10:00:00.000Z')
    const dateOf = createEventClock(() => nowMs)
    const eventAt = (atMs: number) => new Date(atMs + skewMs).toISOString().replace('Z', '+0000')
    for (let i = 0; i < 100; i++) {
      nowMs += 1_000
      t.equal(dateOf(eventAt(nowMs - 2 - i % 5)), nowMs, 'what comes at once happened now')
    }
    const happenedMs = nowMs + 10_000
    nowMs += 5 * 60_000
    t.equal(dateOf(eventAt(happenedMs)), happenedMs + 2)
    t.equal(dateOf(eventAt(nowMs - 2)), nowMs)
  })
}

t.test('a clock that was set is believed after a while', async t => {
  let nowMs = Date.parse('2026-11-23T10:00:00.000Z')
  const dateOf = createEventClock(() => nowMs)
  dateOf(new Date(nowMs).toISOString())
  let lateMs = 0
  for (let i = 0; i < 130; i++) {
    nowMs += 1_000
    lateMs = nowMs - dateOf(new Date(nowMs - 30_000).toISOString())
  }
  t.equal(lateMs, 0)
})

t.test('an event without a date happened now', async t => {
  t.equal(createEventClock(() => 5)(''), 5)
})
