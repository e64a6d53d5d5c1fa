import { test } from 'tap'
import { readLink, writeLink, type Link } from '../../src/domain/link.ts'

const id = '01990000-0000-7000-8000-000000000001'
const link: Link = { linkId: id, recordingId: id, version: 1, format: 'wav', isDownload: false, expires: 1_000, companyId: id, credentialId: id, agentId: null }
const before = 999_999

test('a link says what it was made for, until it expires', async t => {
  const token = writeLink(link, ['new'])
  t.same(readLink(token, ['new'], before), link)
  t.equal(readLink(token, ['new'], 1_000_000), null)
})

test('an older secret is believed until it is taken away, and only the first signs', async t => {
  t.same(readLink(writeLink(link, ['old']), ['new', 'old'], before), link)
  t.equal(readLink(writeLink(link, ['old']), ['new'], before), null)
  t.equal(writeLink(link, ['new', 'old']), writeLink(link, ['new']))
  t.equal(readLink(writeLink(link, ['new']), [], before), null)
})

test('whoever changes anything has no link', async t => {
  const token = writeLink(link, ['new'])
  const [, signature] = token.split('.')
  const longer = Buffer.from(JSON.stringify({ ...link, expires: 9_999_999_999 })).toString('base64url')
  for (const forged of [`${longer}.${signature}`, `${token}x`, token.slice(0, -2), `${token}.${signature}`, signature!, '', '.', `.${signature}`, 'é.ü']) t.equal(readLink(forged, ['new'], before), null, forged)
})
