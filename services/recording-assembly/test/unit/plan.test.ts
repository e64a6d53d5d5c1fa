import { test } from 'tap'
import { planAssembly } from '../../src/domain/plan.ts'
import { manifestOf } from '../helpers/manifest.ts'

const call = manifestOf([{ fromMs: 0, toMs: 1000 }, { fromMs: 2000, toMs: 3000 }, { fromMs: 4000, toMs: 5000 }])

test('segments are planned in the order of their numbers, whatever the manifest\'s', t => {
  const plan = planAssembly({ ...call, segments: call.segments.toReversed() })
  t.match(plan, { kind: 'mono', segments: [{ segment: { number: 1 } }, { segment: { number: 2 } }, { segment: { number: 3 } }] })
  t.end()
})

test('a call without segments has an empty plan', t => {
  t.same(planAssembly({ ...call, segments: [] }), { kind: 'mono', segments: [] })
  t.end()
})

test('separate tracks are not supported yet, and said so', t => {
  const [first] = call.segments
  const track = first!.tracks[0]!
  const stereo = { ...first!, tracks: [{ ...track, track: 'in' as const, name: `${track.name}-in` }, { ...track, track: 'out' as const, name: `${track.name}-out` }] }
  t.match(planAssembly({ ...call, segments: [stereo] }), { kind: 'unsupported', detail: /separate tracks/ })
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
    return plan.kind === 'mono' && plan.segments[0]!.isForeign
  }
  t.equal(isForeign(`tacet/tacet-${call.callId}-1`), false)
  t.equal(isForeign(`tacet/tacet-${other}-1`), true)
  t.equal(isForeign(`tacet/tacet-${call.callId}-2`), true)
  t.equal(isForeign(`tacet/tacet-${other}-1`, [other]), false)
  t.end()
})
