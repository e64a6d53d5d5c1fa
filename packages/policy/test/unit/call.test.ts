import t from 'tap'
import type { InheritedAccess, InheritedSwitch } from '@tacet/contracts'
import { resolveCall } from '@tacet/policy'
import { agent, company, everywhere, number } from './builders.ts'

t.test('an inbound call follows its agent alone', async t => {
  const call = resolveCall({ direction: 'inbound', company: company(), number: number('off', 'deny'), agent: agent('on', 'allow'), peer: null })
  t.equal(call.recording.isRecorded, true)
  t.equal(call.recording.peerDecision, null)
  t.match(call.pause, { mayPause: true, refusal: null, peerDecision: null })
})

t.test('with recording off and access, the agent may still start it', async t => {
  const call = resolveCall({ direction: 'outbound', company: company({ recording: everywhere('off') }), number: null, agent: agent(), peer: null })
  t.equal(call.recording.isRecorded, false)
  t.equal(call.pause.mayPause, true)
})

t.test('a refusal names the level that decided', async t => {
  const denying = company({ agentInitiatedPause: 'deny' })
  const refusal = (rules: Pick<Parameters<typeof resolveCall>[0], 'company' | 'number' | 'agent'>) =>
    resolveCall({ direction: 'inbound', peer: null, ...rules }).pause.refusal
  t.same(refusal({ company: denying, number: null, agent: agent() }), { code: 'pause-denied', decidedBy: 'company' })
  t.same(refusal({ company: company(), number: number('inherit', 'deny'), agent: agent() }), { code: 'pause-denied', decidedBy: 'number' })
  t.same(refusal({ company: company(), number: number('inherit', 'allow'), agent: agent('inherit', 'deny') }), { code: 'pause-denied', decidedBy: 'agent' })
})

t.test('an internal call is recorded only if both agents resolve to on', async t => {
  const rows: [InheritedSwitch, InheritedSwitch, boolean][] = [
    ['inherit', 'inherit', true], ['on', 'inherit', true], ['off', 'inherit', false], ['inherit', 'off', false], ['off', 'off', false], ['on', 'off', false],
  ]
  for (const [mine, theirs, isRecorded] of rows) {
    const call = resolveCall({ direction: 'internal', company: company(), number: null, agent: agent(mine), peer: agent(theirs) })
    t.equal(call.recording.isRecorded, isRecorded, `${mine} with ${theirs}`)
  }
})

t.test('an internal call is stopped only if both have access, and neither learns who lacks it', async t => {
  const rows: [InheritedAccess, InheritedAccess, boolean][] = [
    ['inherit', 'inherit', true], ['allow', 'inherit', true], ['deny', 'inherit', false], ['inherit', 'deny', false], ['deny', 'deny', false], ['allow', 'deny', false],
  ]
  for (const [mine, theirs, mayPause] of rows) {
    const { pause } = resolveCall({ direction: 'internal', company: company(), number: null, agent: agent('inherit', mine), peer: agent('inherit', theirs) })
    t.equal(pause.mayPause, mayPause, `${mine} with ${theirs}`)
    t.same(pause.refusal, mayPause ? null : { code: 'internal-peer-denied' }, `${mine} with ${theirs}: the refusal`)
  }
})

t.test('an internal call whose peer is unknown is neither recorded nor stopped by its agent', async t => {
  const call = resolveCall({ direction: 'internal', company: company(), number: null, agent: agent('on', 'allow'), peer: null })
  t.equal(call.recording.isRecorded, false)
  t.same(call.pause.refusal, { code: 'internal-peer-denied' })
})

t.test('a peer is only looked at on internal calls', async t => {
  const call = resolveCall({ direction: 'inbound', company: company(), number: null, agent: agent('on', 'allow'), peer: agent('off', 'deny') })
  t.match(call, { recording: { isRecorded: true, peerDecision: null }, pause: { mayPause: true, peerDecision: null } })
})
