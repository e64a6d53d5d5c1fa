import fc from 'fast-check'
import t from 'tap'
import { canonicalJson, createVerifier, genesisHash, hashOf, type StoredLink } from '../../src/domain/audit-chain.ts'

const columnsOf = (entry: string) => ({ action: JSON.parse(entry).action })

function chainOf (actions: string[]): StoredLink[] {
  let previousHash = genesisHash
  return actions.map((action, index) => {
    const link = { chain: 'acme', seq: index + 1, previousHash, entry: canonicalJson({ action }) }
    previousHash = hashOf(link)
    return { ...link, auditId: String(index), hash: previousHash, shown: { action } }
  })
}

function verify (links: StoredLink[], length = links.length, hash = links.at(-1)?.hash ?? genesisHash) {
  const verifier = createVerifier(columnsOf)
  for (const link of links) {
    const tampering = verifier.check(link)
    if (tampering !== null) return [link.seq, tampering]
  }
  return verifier.end({ length, hash })
}

t.test('canonical JSON says the same whatever the order', async t => {
  t.equal(canonicalJson({ b: [1, { d: null, c: 'é' }], a: undefined, '': true }), '{"":true,"b":[1,{"c":"é","d":null}]}')
  fc.assert(fc.property(fc.jsonValue(), value => {
    t.same(JSON.parse(canonicalJson(value)), JSON.parse(JSON.stringify(value)))
    return canonicalJson(value) === canonicalJson(JSON.parse(canonicalJson(value)))
  }), { numRuns: 50 })
})

t.test('a chain as it was written is intact', async t => {
  t.equal(verify([]), null)
  t.equal(verify(chainOf(['a', 'b', 'c'])), null)
})

t.test('whatever is changed, moved, taken away or added is found at its place', async t => {
  const [first, second, third] = chainOf(['a', 'b', 'c']) as [StoredLink, StoredLink, StoredLink]
  const forged = { ...second, entry: canonicalJson({ action: 'x' }), shown: { action: 'x' } }
  t.same(verify([first, forged, third]), [2, 'hash'])
  t.same(verify([first, { ...forged, hash: hashOf(forged) }, third]), [3, 'previous-hash'], 'with a hash of its own, the next one tells')
  t.same(verify([first, { ...second, shown: { action: 'x' } }, third]), [2, 'columns'])
  t.same(verify([first, third]), [3, 'missing'])
  t.same(verify([second, first, third]), [2, 'missing'])
  t.equal(verify([first, second], 3, third.hash), 'truncated')
  t.equal(verify([], 3, third.hash), 'truncated')
})
