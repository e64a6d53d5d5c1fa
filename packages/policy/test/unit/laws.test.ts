import fc from 'fast-check'
import t from 'tap'
import { directions, type Agent, type Company, type PhoneNumber } from '@tacet/contracts'
import { resolveCall, resolveLevels, type CallRules } from '@tacet/policy'
import { agent, company, number } from './builders.ts'

const value = fc.constantFrom('on', 'off')
const said = fc.constantFrom('inherit', 'on', 'off')
const anyLevels = fc.record({ company: fc.record({ value, isLocked: fc.boolean() }), number: fc.option(said), agent: said })

const byDirection = <Value>(of: fc.Arbitrary<Value>) => fc.record({ inbound: of, outbound: of, internal: of })
const override = { recording: byDirection(fc.constantFrom('inherit', 'on', 'off')), agentInitiatedPause: fc.constantFrom('inherit', 'allow', 'deny') }
const anyCompany: fc.Arbitrary<Company> = fc.record({
  recording: byDirection(fc.constantFrom('on', 'off')),
  agentInitiatedPause: fc.constantFrom('allow', 'deny'),
  locks: fc.record({ recording: fc.boolean(), agentInitiatedPause: fc.boolean() }),
}).map(fields => company(fields))
const anyNumber: fc.Arbitrary<PhoneNumber> = fc.record(override).map(fields => ({ ...number(), ...fields }))
const anyAgent: fc.Arbitrary<Agent> = fc.record(override).map(fields => ({ ...agent(), ...fields }))
const anyCall: fc.Arbitrary<CallRules> = fc.record({
  direction: fc.constantFrom(...directions), company: anyCompany, number: fc.option(anyNumber), agent: anyAgent, peer: fc.option(anyAgent),
})

t.test('law: the most specific level wins while nothing is locked', async () => {
  fc.assert(fc.property(anyLevels, value, (levels, mine) => {
    const unlocked = { ...levels, company: { ...levels.company, isLocked: false } }
    const decision = resolveLevels({ ...unlocked, agent: mine })
    return decision.value === mine && decision.decidedBy === 'agent'
  }))
})

t.test('law: a lock wins over everything below it', async () => {
  fc.assert(fc.property(anyLevels, levels => {
    const decision = resolveLevels({ ...levels, company: { ...levels.company, isLocked: true } })
    return decision.value === levels.company.value && decision.decidedBy === 'company' && decision.isLocked
  }))
})

t.test('law: inherit is neutral, a level that inherits may as well be absent', async t => {
  fc.assert(fc.property(anyLevels, levels => {
    const inheriting = resolveLevels({ ...levels, number: 'inherit' })
    const absent = resolveLevels({ ...levels, number: null })
    t.same({ ...inheriting, chain: null }, { ...absent, chain: null })
  }))
})

t.test('law: the deciding level is the first in the chain that says the value, and every level is in it once', async () => {
  fc.assert(fc.property(anyLevels, levels => {
    const { value, decidedBy, isLocked, chain } = resolveLevels(levels)
    const decider = isLocked ? chain.find(step => step.isLocked) : chain.find(step => step.value !== 'inherit')
    return decider?.level === decidedBy && decider.value === value && new Set(chain.map(step => step.level)).size === chain.length
  }))
})

t.test('law: an internal call is what both agents allow, and the same seen from either side', async t => {
  fc.assert(fc.property(anyCall, anyAgent, (call, peer) => {
    const internal = { ...call, direction: 'internal' as const }
    const mine = resolveCall({ ...internal, peer })
    const theirs = resolveCall({ ...internal, agent: peer, peer: call.agent })
    t.equal(mine.recording.isRecorded, theirs.recording.isRecorded)
    t.same(mine.pause.refusal, theirs.pause.refusal)
    t.equal(mine.recording.isRecorded, mine.recording.decision.value === 'on' && theirs.recording.decision.value === 'on')
    t.equal(mine.pause.mayPause, mine.pause.decision.value === 'allow' && theirs.pause.decision.value === 'allow')
  }))
})

t.test('law: who may not is told a reason, who may is not refused', async () => {
  fc.assert(fc.property(anyCall, call => {
    const { mayPause, refusal } = resolveCall(call).pause
    return mayPause === (refusal === null)
  }))
})
