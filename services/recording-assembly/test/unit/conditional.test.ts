import { test } from 'tap'
import { allowsRange, evaluate, isMatch, parseRange } from '../../src/http/conditional.ts'

test('a range is cut to the file', t => {
  t.same(parseRange('bytes=0-99', 1000), { start: 0, end: 99 })
  t.same(parseRange('bytes=100-', 1000), { start: 100, end: 999 })
  t.same(parseRange('bytes=990-2000', 1000), { start: 990, end: 999 })
  t.same(parseRange('Bytes= 5-5 ', 1000), { start: 5, end: 5 })
  t.end()
})

test('a suffix range counts from the end', t => {
  t.same(parseRange('bytes=-100', 1000), { start: 900, end: 999 })
  t.same(parseRange('bytes=-5000', 1000), { start: 0, end: 999 })
  t.end()
})

test('a range outside the file can not be satisfied', t => {
  t.equal(parseRange('bytes=1000-', 1000), 'unsatisfiable')
  t.equal(parseRange('bytes=-0', 1000), 'unsatisfiable')
  t.equal(parseRange(`bytes=${'9'.repeat(400)}-`, 1000), 'unsatisfiable')
  t.end()
})

test('everything is answered where no single range of bytes is understood', t => {
  for (const header of [undefined, '', 'bytes=-', 'bytes=5-4', 'bytes=a-b', 'items=0-5', 'bytes=0-1,5-6', 'bytes=0-1; x']) t.equal(parseRange(header, 1000), null, String(header))
  t.end()
})

test('conditions count in the order of RFC 9110', t => {
  const own = { etag: '"a"', modifiedAt: new Date('1994-11-06T08:49:37.600Z') }
  const [before, then, after] = ['Sun, 06 Nov 1994 08:49:36 GMT', 'Sun, 06 Nov 1994 08:49:37 GMT', 'Mon, 07 Nov 1994 08:49:37 GMT']
  const verdicts: [Parameters<typeof evaluate>[0], string][] = [
    [{}, 'send'],
    [{ 'if-match': '"a"' }, 'send'],
    [{ 'if-match': '"b", "a"' }, 'send'],
    [{ 'if-match': '*' }, 'send'],
    [{ 'if-match': '"b"' }, 'failed'],
    [{ 'if-match': 'W/"a"' }, 'failed'],
    [{ 'if-unmodified-since': then }, 'send'],
    [{ 'if-unmodified-since': before }, 'failed'],
    [{ 'if-match': '"a"', 'if-unmodified-since': before }, 'send'],
    [{ 'if-match': '"b"', 'if-none-match': '"a"' }, 'failed'],
    [{ 'if-match': '"a"', 'if-none-match': '"a"' }, 'not-modified'],
    [{ 'if-none-match': 'W/"a"' }, 'not-modified'],
    [{ 'if-modified-since': then }, 'not-modified'],
    [{ 'if-modified-since': after }, 'not-modified'],
    [{ 'if-modified-since': 'Sunday, 06-Nov-94 08:49:37 GMT' }, 'not-modified'],
    [{ 'if-modified-since': 'Sun Nov  6 08:49:37 1994' }, 'not-modified'],
    [{ 'if-modified-since': before }, 'send'],
    [{ 'if-none-match': '"b"', 'if-modified-since': then }, 'send'],
    [{ 'if-modified-since': 'tomorrow' }, 'send'],
    [{ 'if-modified-since': '2026-01-01' }, 'send'],
    [{ 'if-unmodified-since': 'yesterday' }, 'send'],
  ]
  for (const [conditions, verdict] of verdicts) t.equal(evaluate(conditions, own), verdict, JSON.stringify(conditions))
  t.equal(evaluate({ 'if-modified-since': after, 'if-unmodified-since': before }, { ...own, modifiedAt: null }), 'send', 'without a date of ours theirs do not count')
  t.end()
})

test('entity tags are compared as RFC 9110 says', t => {
  t.equal(isMatch(undefined, '"a"'), false)
  t.equal(isMatch('"a"', '"a"'), true)
  t.equal(isMatch('W/"a"', '"a"'), true)
  t.equal(isMatch('"b", "a"', '"a"'), true)
  t.equal(isMatch('*', '"a"'), true)
  t.equal(isMatch('"b"', '"a"'), false)
  t.equal(allowsRange(undefined, '"a"'), true)
  t.equal(allowsRange('"a"', '"a"'), true)
  t.equal(allowsRange('W/"a"', '"a"'), false, 'a weak one does not do for a range')
  t.equal(allowsRange('Sat, 29 Oct 1994 19:43:31 GMT', '"a"'), false)
  t.end()
})
