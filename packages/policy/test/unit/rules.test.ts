import t from 'tap'
import { directions, type Access, type InheritedAccess, type InheritedSwitch, type Switch } from '@tacet/contracts'
import { resolveLevels, resolvePause, resolveRecording } from '@tacet/policy'
import { agent, company, everywhere, number } from './builders.ts'

type RecordingRow = [company: Switch, isLocked: boolean, number: InheritedSwitch | null, agent: InheritedSwitch, value: Switch, decidedBy: string]
const recordingRows: RecordingRow[] = [
  ['on', false, 'inherit', 'inherit', 'on', 'company'],
  ['off', false, 'inherit', 'inherit', 'off', 'company'],
  ['off', false, null, 'inherit', 'off', 'company'],
  ['on', false, 'off', 'inherit', 'off', 'number'],
  ['off', false, 'on', 'inherit', 'on', 'number'],
  ['on', false, 'off', 'on', 'on', 'agent'],
  ['on', false, null, 'off', 'off', 'agent'],
  ['on', true, 'off', 'off', 'on', 'company'],
  ['off', true, 'on', 'on', 'off', 'company'],
]

t.test('recording: the most specific level that does not inherit decides, unless the company locks it', async t => {
  for (const [companySays, isLocked, numberSays, agentSays, value, decidedBy] of recordingRows) {
    const decision = resolveRecording({
      company: company({ recording: everywhere(companySays), locks: { recording: isLocked, agentInitiatedPause: false } }),
      number: numberSays && number(numberSays),
      agent: agent(agentSays),
      direction: 'inbound',
    })
    t.match(decision, { value, decidedBy, isLocked }, `${companySays}${isLocked ? ' locked' : ''}/${numberSays ?? '-'}/${agentSays}`)
  }
})

type PauseRow = [company: Access, isLocked: boolean, number: InheritedAccess | null, agent: InheritedAccess, value: Access, decidedBy: string]
const pauseRows: PauseRow[] = [
  ['allow', false, 'inherit', 'inherit', 'allow', 'company'],
  ['deny', false, 'inherit', 'inherit', 'deny', 'company'],
  ['deny', false, 'allow', 'inherit', 'allow', 'number'],
  ['allow', false, 'allow', 'deny', 'deny', 'agent'],
  ['deny', false, null, 'allow', 'allow', 'agent'],
  ['deny', true, 'allow', 'allow', 'deny', 'company'],
  ['allow', true, 'deny', 'deny', 'allow', 'company'],
]

t.test('agent-initiated pause: the same order of levels', async t => {
  for (const [companySays, isLocked, numberSays, agentSays, value, decidedBy] of pauseRows) {
    const decision = resolvePause({
      company: company({ agentInitiatedPause: companySays, locks: { recording: false, agentInitiatedPause: isLocked } }),
      number: numberSays && number('inherit', numberSays),
      agent: agent('inherit', agentSays),
    })
    t.match(decision, { value, decidedBy, isLocked }, `${companySays}${isLocked ? ' locked' : ''}/${numberSays ?? '-'}/${agentSays}`)
  }
})

t.test('every combination of levels agrees with the rule as written in the design', async t => {
  for (const companySays of ['on', 'off'] as const) {
    for (const isLocked of [true, false]) {
      for (const numberSays of ['inherit', 'on', 'off', null] as const) {
        for (const agentSays of ['inherit', 'on', 'off'] as const) {
          const says = [agentSays, numberSays, companySays].filter(value => value !== null && value !== 'inherit')
          const { value } = resolveLevels<Switch>({ company: { value: companySays, isLocked }, number: numberSays, agent: agentSays })
          t.equal(value, isLocked ? companySays : says[0], `${companySays} ${isLocked} ${numberSays} ${agentSays}`)
        }
      }
    }
  }
})

t.test('recording is decided for each direction by itself', async t => {
  for (const direction of directions) {
    const only = { ...everywhere<InheritedSwitch>('inherit'), [direction]: 'off' as const }
    for (const asked of directions) {
      const decision = resolveRecording({ company: company(), number: null, agent: { ...agent(), recording: only }, direction: asked })
      t.equal(decision.value, asked === direction ? 'off' : 'on', `agent off for ${direction}, asked for ${asked}`)
    }
  }
})

t.test('a lock of one setting leaves the other one free', async t => {
  const locked = company({ locks: { recording: true, agentInitiatedPause: false }, agentInitiatedPause: 'deny' })
  t.equal(resolvePause({ company: locked, number: null, agent: agent('off', 'allow') }).value, 'allow')
  t.equal(resolveRecording({ company: locked, number: null, agent: agent('off', 'allow'), direction: 'inbound' }).value, 'on')
})

t.test('the chain tells what every level said, most specific first, also below a lock', async t => {
  const rules = { company: company({ locks: { recording: true, agentInitiatedPause: false } }), number: number('off'), agent: agent() }
  t.same(resolveRecording({ ...rules, direction: 'inbound' }), {
    value: 'on',
    decidedBy: 'company',
    isLocked: true,
    chain: [
      { level: 'agent', value: 'inherit', isLocked: false },
      { level: 'number', value: 'off', isLocked: false },
      { level: 'company', value: 'on', isLocked: true },
    ],
  })
  t.same(resolvePause({ ...rules, number: null }).chain.map(({ level }) => level), ['agent', 'company'], 'a call without a number of ours')
})
