import t from 'tap'
import { createTally } from '../../src/testing/tally.ts'
import type { Failed, FileResult, TapEvent } from '../../src/testing/tally.ts'

const start = (name: string, level: number): TapEvent => ['start', { name, level }]
const end = (name: string, level: number, ok: boolean, more = {}): TapEvent => ['end', { name, level, ok, time: 5, fullname: name, ...more }]
const assertion = (ok: boolean, name: string): TapEvent => [ok ? 'pass' : 'fail', { ok, name, fullname: name, diag: { diff: '-1 +2' } }]

function count (...events: TapEvent[]) {
  const files: FileResult[] = []
  const failures: Failed[] = []
  const tally = createTally({ onFile: (file) => files.push(file), onFailed: (failed) => failures.push(failed) })
  for (const event of events) tally.add(event)
  return { ...tally.result(), files, failures: failures.map(({ name }) => name) }
}

const inFile = (ok: boolean, ...events: TapEvent[]): TapEvent[] =>
  [start('all', 0), start('a.test.ts', 1), ...events, end('a.test.ts', 1, ok), end('all', 0, ok)]

t.test('the innermost subtests are what is counted', async (t) => {
  const seen = count(...inFile(false,
    start('outer', 2), start('inner', 3), assertion(true, 'x'), assertion(true, 'y'), end('inner', 3, true), end('outer', 2, true),
    start('other', 2), assertion(false, 'z'), end('other', 2, false)))
  t.match(seen, { passed: 1, failed: 1, isComplete: true, failures: ['z'] })
  t.match(seen.files, [{ file: 'a.test.ts', ok: false, passed: 1, failed: 1 }])
})

t.test('a file without subtests is one case', async (t) => {
  t.match(count(...inFile(true, assertion(true, 'x'), assertion(true, 'y'))), { passed: 1, failed: 0 })
})

t.test('what a file measured is told with it', async (t) => {
  const seen = count(start('all', 0),
    start('a.test.ts', 1), start('case', 2), assertion(true, 'x'), assertion(true, 'figures: 3 ms'), end('case', 2, true), end('a.test.ts', 1, true),
    start('b.test.ts', 1), end('b.test.ts', 1, true), end('all', 0, true))
  t.same(seen.files.map(({ figures }) => figures), [['3 ms'], []])
})

t.test('a file that fails outside its cases is a failed case', async (t) => {
  const seen = count(...inFile(false, start('good', 2), assertion(true, 'x'), end('good', 2, true)))
  t.match(seen, { passed: 1, failed: 1, failures: ['a.test.ts'] })
})

t.test('what is skipped, still to do, or an empty file is named and not counted', async (t) => {
  const seen = count(
    start('all', 0),
    start('a.test.ts', 1), ['skip', { name: 's', fullname: 's', skip: 'no time' }], ['todo', { name: 'd', fullname: 'd', todo: true }],
    start('good', 2), end('good', 2, true), end('a.test.ts', 1, true),
    start('b.test.ts', 1), end('b.test.ts', 1, true, { skip: 'no tests found' }),
    end('all', 0, true))
  t.match(seen, { passed: 1, failed: 0, unrun: ['s: no time', 'd: true', 'b.test.ts: no tests found'] })
  t.match(seen.files, [{ ok: true }, { ok: false }])
})

t.test('a run that was cut off is not complete', async (t) => {
  t.match(count(start('all', 0), start('a.test.ts', 1)), { passed: 0, failed: 0, isComplete: false })
})
