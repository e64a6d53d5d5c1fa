import t from 'tap'
import { judgeEdges, type Edge } from './edges.ts'

const limitMs = 60
const edge = (ms: number, { delayMs = 0, storingMs = 0 } = {}): Edge => ({ where: 'here', ms, delayMs, delayedMs: 3 * delayMs, storingMs })
const among = (edges: Edge[]) => judgeEdges([...Array.from({ length: 20 }, () => edge(20)), ...edges], limitMs)

t.test('what is off by more than the limit is not excused on a machine that did its part', async t => {
  t.match(among([edge(100)]), { late: { length: 1 }, inexcusable: [{ ms: 100 }] })
  t.match(among([edge(-100)]), { inexcusable: [{ ms: -100 }] })
  t.match(among([edge(60)]), { late: { length: 0 } })
})

t.test('it is excused by as much as the machine was late during that segment, and no more', async t => {
  t.match(among([edge(110, { delayMs: 20 })]), { inexcusable: { length: 0 }, unexplained: { length: 0 } })
  t.match(among([edge(130, { delayMs: 20 })]), { inexcusable: [{ ms: 130 }] })
})

t.test('it is excused by the time that the storing took, but not often', async t => {
  const slow = edge(140, { storingMs: 100 })
  t.match(among([slow]), { inexcusable: { length: 0 }, unexplained: [{ ms: 140 }], isTooOften: false })
  t.match(among([slow, slow, slow]), { inexcusable: { length: 0 }, isTooOften: true })
})

t.test('no machine excuses the median', async t => {
  const verdict = judgeEdges(Array.from({ length: 20 }, () => edge(100, { delayMs: 100 })), limitMs)
  t.match(verdict, { medianMs: 100, inexcusable: { length: 0 } })
})
