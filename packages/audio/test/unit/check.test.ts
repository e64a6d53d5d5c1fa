import t from 'tap'
import { checkLength, lengthTolerance } from '@tacet/audio'

const opened = { sampleRateHz: 8000, openedAtMs: 1_000_000, closedAtMs: 1_010_000 }
const toleranceMs = lengthTolerance({ openMs: 10_000, sampleRateHz: 8000 })
const samplesOf = (ms: number) => ms * 8

t.test('a segment whose audio fits its time is ok', async t => {
  for (const ms of [10_000, 10_020, 10_000 - 40 - 46, 10_000 - 180]) {
    t.same(checkLength({ ...opened, samples: samplesOf(ms), toleranceMs }), { verdict: 'ok', differenceMs: ms - 10_000 })
  }
})

t.test('missing audio is short, audio that cannot be is long', async t => {
  t.same(checkLength({ ...opened, samples: samplesOf(9700), toleranceMs }), { verdict: 'short', differenceMs: -300 })
  t.same(checkLength({ ...opened, samples: samplesOf(10_060), toleranceMs }), { verdict: 'long', differenceMs: 60 })
  t.same(checkLength({ ...opened, samples: samplesOf(9900), toleranceMs: 50 }), { verdict: 'short', differenceMs: -100 })
})

t.test('a segment opened for a moment may lack its file, a longer one may not', async t => {
  const empty = (openMs: number) => checkLength({ samples: 0, sampleRateHz: 8000, openedAtMs: 0, closedAtMs: openMs, toleranceMs: lengthTolerance({ openMs, sampleRateHz: 8000 }) }).verdict
  t.equal(empty(100), 'ok')
  t.equal(empty(500), 'short')
})

t.test('a crashed recorder may have lost its write buffer', async t => {
  const crashed = lengthTolerance({ openMs: 10_000, sampleRateHz: 8000, hasCrashed: true })
  t.equal(checkLength({ ...opened, samples: samplesOf(10_000 - 2048 - 86), toleranceMs: crashed }).verdict, 'ok')
  t.equal(checkLength({ ...opened, samples: samplesOf(10_000 - 2300), toleranceMs: crashed }).verdict, 'short')
  const wide = lengthTolerance({ openMs: 10_000, sampleRateHz: 16_000, hasCrashed: true })
  t.equal(crashed.shortMs - wide.shortMs, 1024, 'half as long at 16 kHz')
})

t.test('over a long call two clocks may drift apart', async t => {
  const openMs = 3_600_000
  const tolerance = lengthTolerance({ openMs, sampleRateHz: 8000 })
  t.equal(checkLength({ samples: samplesOf(openMs + 300), sampleRateHz: 8000, openedAtMs: 0, closedAtMs: openMs, toleranceMs: tolerance }).verdict, 'ok')
  t.equal(checkLength({ samples: samplesOf(openMs + 500), sampleRateHz: 8000, openedAtMs: 0, closedAtMs: openMs, toleranceMs: tolerance }).verdict, 'long')
})
