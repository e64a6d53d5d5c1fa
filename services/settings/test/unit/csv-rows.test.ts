import fc from 'fast-check'
import t from 'tap'
import { agentCells, agentOfRow, asText, fromText, numberOfRow } from '../../src/domain/csv-rows.ts'

const beginnings = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']
const textArbitrary = fc.string({ unit: fc.oneof(fc.constantFrom(...beginnings, "'", ';', ' ', 'x'), fc.string({ minLength: 1, maxLength: 1, unit: 'grapheme' })) })

t.test('what is written as text reads as it was, whatever it is', async () => {
  fc.assert(fc.property(textArbitrary, text => fromText(asText(text)) === text), { numRuns: 2_000 })
})

t.test('no cell is a formula, also where a semicolon begins a cell', async t => {
  const cells = (text: string) => text.split(';').map(cell => cell.replace(/^ +/, ''))
  fc.assert(fc.property(textArbitrary, text => cells(asText(text)).every(cell => !beginnings.some(sign => cell.startsWith(sign)))), { numRuns: 2_000 })
  for (const sign of beginnings) t.equal(asText(`${sign}1`), `'${sign}1`)
  t.equal(asText('x;=HYPERLINK("…")'), "x;'=HYPERLINK(\"…\")")
  t.equal(asText("'=old"), "''=old")
  t.equal(asText("l'été; 50 % - a@b"), "l'été; 50 % - a@b")
})

t.test('a row says only what its cells say', async t => {
  t.same(numberOfRow({ number: '100', label: ' ', recordingOutbound: 'off' }), { id: undefined, patch: { number: '100', recording: { outbound: 'off' } } })
  t.same(agentOfRow({ agentId: 'a', name: "'=Anna" }), { id: 'a', patch: { name: '=Anna' } })
  t.same(agentOfRow({ name: 'Anna', endpoints: 'PJSIP/1, PJSIP/2' }).patch, { name: 'Anna', endpoints: ['PJSIP/1', 'PJSIP/2'] })
  const cells = agentCells({
    agentId: 'a', companyId: 'c', version: 1, name: '@home', endpoints: ['PJSIP/1', 'PJSIP/2'], roles: ['supervisor', 'agent'], agentInitiatedPause: 'deny', recording: { inbound: 'on', outbound: 'off', internal: 'inherit' },
  })
  t.same(agentOfRow(cells), {
    id: 'a', patch: { name: '@home', endpoints: ['PJSIP/1', 'PJSIP/2'], roles: ['supervisor', 'agent'], agentInitiatedPause: 'deny', recording: { inbound: 'on', outbound: 'off', internal: 'inherit' } },
  })
})
