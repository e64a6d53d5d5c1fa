import { test } from 'tap'
import { planAssembly } from '../../src/domain/plan.ts'
import { manifestOf } from '../helpers/manifest.ts'

const call = manifestOf([{ fromMs: 0, toMs: 1000 }, { fromMs: 2000, toMs: 3000 }, { fromMs: 4000, toMs: 5000 }])

test('segments are planned in the order of their numbers, whatever the manifest\'s', t => {
  const plan = planAssembly({ ...call, segments: call.segments.toReversed() })
  t.match(plan, { kind: 'assembly', segments: [{ segment: { number: 1 } }, { segment: { number: 2 } }, { segment: { number: 3 } }] })
  t.end()
})

test('a call without segments has an empty plan', t => {
  t.same(planAssembly({ ...call, segments: [] }), { kind: 'assembly', channels: 1, sampleRateHz: 8000, segments: [] })
  t.end()
})

const withTracks = (...names: ('mix' | 'in' | 'out')[]) => {
  const [first, ...others] = call.segments
  const track = first!.tracks[0]!
  return { ...call, segments: [{ ...first!, tracks: names.map(name => ({ ...track, track: name, name: name === 'mix' ? track.name : `${track.name}-${name}` })) }, ...others] }
}

test('two sides make a stereo recording, the customer first, also beside a mix', t => {
  t.match(planAssembly(withTracks('out', 'in')), { kind: 'assembly', channels: 2, segments: [{ tracks: [{ file: { track: 'in' }, isForeign: false }, { file: { track: 'out' }, isForeign: false }] }, { tracks: [{ file: { track: 'mix' } }] }, {}] })
  t.match(planAssembly(call), { channels: 1 })
  t.end()
})

test('other combinations of tracks are not understood, and said so', t => {
  for (const names of [['in'], ['in', 'in'], ['mix', 'out'], ['in', 'out', 'mix']] as const) t.match(planAssembly(withTracks(...names)), { kind: 'unsupported', detail: /segment 1 has the tracks/ })
  t.end()
})

test('a segment that comes twice is refused, not doubled', t => {
  t.match(planAssembly({ ...call, segments: [...call.segments, call.segments[1]!] }), { kind: 'unsupported', detail: /segment 2 comes twice/ })
  t.end()
})

test('the file of another call or another segment is foreign, that of an alias is not', t => {
  const other = '01990000-0000-7000-8000-00000000beef'
  const [first] = call.segments
  const named = (name: string) => ({ ...call, segments: [{ ...first!, tracks: [{ ...first!.tracks[0]!, name }] }] })
  const isForeign = (name: string, aliases: string[] = []) => {
    const plan = planAssembly({ ...named(name), aliases })
    return plan.kind === 'assembly' && plan.segments[0]!.tracks[0]!.isForeign
  }
  t.equal(isForeign(`tacet/tacet-${call.callId}-1`), false)
  t.equal(isForeign(`tacet/tacet-${other}-1`), true)
  t.equal(isForeign(`tacet/tacet-${call.callId}-2`), true)
  t.equal(isForeign(`tacet/tacet-${other}-1`, [other]), false)
  t.end()
})
