import t from 'tap'
import { normaliseNumber, spellingsOf } from '@tacet/policy'

t.test('a number has one spelling: E.164, or an extension as it is', async t => {
  const rows: [string, string | null, string | null][] = [
    ['+420111222333', null, '+420111222333'], ['+4201', null, null], ['+999123456789', 'CZ', null],
    ['100', null, '100'], ['100', 'CZ', '100'], ['123456', 'GB', '123456'],
    ['603123456', 'CZ', '+420603123456'], ['02071838750', 'GB', '+442071838750'], ['00420603123456', 'CZ', '+420603123456'], ['12345678901234', 'CZ', null],
    ['02071838750', null, null], ['603123456', 'US', null],
  ]
  for (const [number, country, kept] of rows) t.equal(normaliseNumber(number, country), kept, `${number} in ${country}`)
})

t.test('a trunk may spell a number in its own way', async t => {
  const kept = '+442071838750'
  for (const [dialled, country] of [[kept, null], ['442071838750', null], ['00442071838750', null], ['02071838750', 'GB'], ['442071838750', 'GB'], ['2071838750', 'GB']] as const) {
    t.ok(spellingsOf(dialled, country).includes(kept), `${dialled} in ${country}`)
  }
  t.same(spellingsOf('100', 'GB'), ['100'], 'an extension is nothing else')
  t.same(spellingsOf('02071838750', null), ['02071838750'], 'nobody knows whose it is')
  t.same(spellingsOf('anonymous', 'GB'), ['anonymous'])
})
