import t from 'tap'
import type { Manifest } from '@tacet/contracts'
import { agentlessGraceMs, decideFor, evolve, ruleVersionsFor } from '../../src/domain/call-machine.ts'
import { newCall, publicState, type Call, type CallInput, type CallTransition, type SettingsNow } from '../../src/domain/call.ts'
import type { CallView } from '../../src/domain/call-view.ts'
import { callIdOf } from '../support/lab.ts'
import { anna, ben, cleo, company, companyId, createSettings, everywhere, agent, phoneNumber, type Settings } from '../support/rules.ts'

const annaView = { agentId: anna, endpoint: 'PJSIP/1001', channelId: '1.2', isJoined: true }
const benView = { agentId: ben, endpoint: 'PJSIP/1002', channelId: '1.3', isJoined: true }
const ringing: CallView = {
  companyId,
  direction: 'inbound',
  number: '+442071838750',
  customer: '+447700900123',
  agents: [{ ...annaView, isJoined: false }],
  legIds: ['1.1', '1.2'],
  recordedLegId: null,
  isWideband: false,
  isRinging: true,
  isAnswered: false,
  sipCallIds: [],
  startedAtMs: 1000,
  agentSinceMs: 1000,
}
const talking: CallView = { ...ringing, agents: [annaView], recordedLegId: '1.1', isAnswered: true }
const talkingInside: CallView = { ...talking, direction: 'internal', number: null, customer: null, agents: [annaView, benView], recordedLegId: '1.2', legIds: ['1.2', '1.3'] }

const observed = (atMs: number, view: CallView, settings: SettingsNow): CallInput => ({ type: 'observed', atMs, view, settings, isCatchUp: false })

/** A call that rang and was answered under these settings. */
function answered (options: Settings = {}, view = talking): CallTransition & { settings: SettingsNow } {
  const { settings } = createSettings(options)
  const call = evolve(newCall(callIdOf('1.1'), 'demo', '1.1', ringing, 1000), observed(1000, { ...ringing, direction: view.direction }, settings)).call
  return { ...evolve(call, observed(2000, view, settings)), settings }
}

const open = (call: Call): Call => evolve(call, { type: 'recording', input: { type: 'recorder-started', atMs: 2010, segment: 1, requestedAtMs: 2001 } }).call
const typesOf = ({ events }: CallTransition) => events.map(({ type }) => type)

t.test('a call whose rules say on starts its recorder when it is answered', async t => {
  const result = answered()
  t.same(typesOf(result), ['call.answered', 'call.agent-joined'])
  t.match(result.effects, [{ type: 'start-recorder', segment: 1, cause: { by: { kind: 'policy' } } }])
})

t.test('the most specific rule decides whether it is recorded', async t => {
  const off = company({ recording: everywhere('off') })
  const isStarted = (options: Settings) => answered(options).effects.length > 0
  t.notOk(isStarted({ company: off }))
  t.ok(isStarted({ company: off, numbers: [phoneNumber('+442071838750', 'on')] }))
  t.notOk(isStarted({ company: off, numbers: [phoneNumber('+442071838750', 'on')], agents: [agent(anna, { recording: everywhere('off') })] }))
  t.notOk(isStarted({ company: { ...off, locks: { recording: true, agentInitiatedPause: false } }, agents: [agent(anna, { recording: everywhere('on') })] }))
})

t.test('a company that wants stereo gets a track for each side, and its settings travel in the manifest', async t => {
  const { call } = answered({ company: company({ recordingChannels: 'stereo', retentionDays: 30, gaps: 'silence' }) })
  t.same(call.tracks, ['in', 'out'])
  t.same(answered().call.tracks, ['mix'])
  const { events } = evolve(evolve(open(call), { type: 'gone', atMs: 9000 }).call, { type: 'recording', input: { type: 'recorder-stopped', atMs: 9010, segment: 1, proof: 'event' } })
  const { manifest } = events.at(-1)?.data as { manifest: Manifest }
  t.same(manifest.settings, { gaps: 'silence', minimumLengthMs: 0, retentionDays: 30, recordingChannels: 'stereo', outputFormats: [] })
  t.match(manifest, { companyName: 'Acme', agents: [{ agentId: anna, name: 'Somebody' }] })
  t.same(manifest.segments[0]?.tracks.map(({ track, name }) => [track, name.slice(-5)]), [['in', '-1-in'], ['out', '1-out']])
})

t.test('an internal call is recorded only if both agents resolve to on', async t => {
  t.equal(answered({}, talkingInside).effects.length, 1)
  t.equal(answered({ agents: [agent(anna), agent(ben, { recording: everywhere('off') })] }, talkingInside).effects.length, 0)
})

t.test('a call whose settings are not known yet is not recorded', async t => {
  const result = answered({ company: company({ companyId: 'c0000000-0000-4000-8000-00000000ffff' }) })
  t.same(result.effects, [])
  t.equal(publicState(result.call.recording), 'off')
})

t.test('the rules are those of the answer, whatever the settings say later', async t => {
  const { call } = answered()
  const later = createSettings({ company: company({ transfers: 'continue', version: 9 }) }).settings
  const after = evolve(open(call), observed(3000, { ...talking, agents: [annaView, benView] }, later)).call
  t.equal(after.rules?.company.version, 1)
  t.match(after.participants[1], { name: 'Somebody', rules: { agentId: ben } })
  t.same(evolve(after, { type: 'transferred', atMs: 4000, kind: 'blind', byChannelId: '1.2', to: '1003' }).effects.map(({ type }) => type), ['stop-recorder'])
})

t.test('a transfer of an unanswered call is none', async t => {
  const { settings } = createSettings()
  const call = evolve(newCall(callIdOf('1.1'), 'demo', '1.1', ringing, 1000), observed(1000, ringing, settings)).call
  t.same(evolve(call, { type: 'transferred', atMs: 1500, kind: 'blind', byChannelId: '1.2', to: null }).events, [])
})

t.test('a leg that is replaced takes the recording along, in a new segment', async t => {
  const { call, settings } = answered()
  const result = evolve(open(call), observed(3000, { ...talking, legIds: ['1.2', '1.9'], recordedLegId: '1.9' }, settings))
  t.equal(result.call.recordedLegId, '1.9')
  t.match(result.effects, [{ type: 'stop-recorder', segment: 1 }])
  const next = evolve(result.call, { type: 'recording', input: { type: 'recorder-stopped', atMs: 3010, segment: 1, proof: 'absent' } })
  t.match(next.effects, [{ type: 'discard-recorder', segment: 1 }, { type: 'start-recorder', segment: 2 }])
  t.match(next.call.recording.segments, [{ number: 1, closedBy: 'lost' }])
})

t.test('a leg that is replaced while it is paused stays paused', async t => {
  const { call, settings } = answered()
  const silenced = evolve(open(call), { type: 'recording', input: { type: 'silence', atMs: 2500, reason: 'agent', cause: { commandId: null, by: { kind: 'agent', agentId: anna, credentialId: null } } } }).call
  const paused = evolve(silenced, { type: 'recording', input: { type: 'recorder-stopped', atMs: 2600, segment: 1, proof: 'event' } }).call
  const result = evolve(paused, observed(3000, { ...talking, legIds: ['1.2', '1.9'], recordedLegId: '1.9' }, settings))
  t.same(result.effects, [])
  t.equal(result.call.recordedLegId, '1.9')
  t.equal(publicState(result.call.recording), 'paused')
})

t.test('a call without its agents goes on for a while, then its recording ends', async t => {
  const { call, settings } = answered()
  const alone = { ...talking, agents: [], legIds: ['1.1'] }
  const left = evolve(open(call), observed(3000, alone, settings))
  t.same(typesOf(left), ['call.agent-left'])
  t.same(left.effects, [])
  const later = evolve(left.call, observed(3000 + agentlessGraceMs, alone, settings))
  t.match(later.effects, [{ type: 'stop-recorder', urgency: 'seal' }])
})

t.test('an agent who comes in time keeps the recording going', async t => {
  const { call, settings } = answered()
  const left = evolve(open(call), observed(3000, { ...talking, agents: [], legIds: ['1.1'] }, settings)).call
  const joined = evolve(left, observed(4000, { ...talking, agents: [benView], legIds: ['1.1', '1.3'] }, settings))
  t.same(typesOf(joined), ['call.agent-joined'])
  t.equal(joined.call.agentlessSinceMs, null)
})

t.test('nothing is said of a call after it has ended', async t => {
  const { call, settings } = answered()
  const ended = evolve(open(call), { type: 'gone', atMs: 5000 }).call
  t.equal(ended.recording.phase.status, 'ending')
  const late: CallInput[] = [
    observed(5001, { ...talking, agents: [annaView, benView] }, settings),
    { type: 'held', atMs: 5001, channelId: '1.1' },
    { type: 'transferred', atMs: 5001, kind: 'blind', byChannelId: '1.2', to: null },
    { type: 'joined', atMs: 5001, linkedId: '9.9', alias: callIdOf('9.9') },
    { type: 'gone', atMs: 5001 },
  ]
  for (const input of late) t.match(evolve(ended, input), { call: ended, events: [], effects: [], ignored: 'the call has ended' })
  const over = evolve(ended, { type: 'recording', input: { type: 'recorder-stopped', atMs: 5010, segment: 1, proof: 'absent' } })
  t.same(typesOf(over), ['segment.closed', 'recording.ended'])
  t.match(evolve(over.call, { type: 'recording', input: { type: 'end', atMs: 6000, reason: 'hangup' } }), { ignored: 'the call is over' })
})

t.test('an unanswered call leaves no recording behind', async t => {
  const { settings } = createSettings()
  const call = evolve(newCall(callIdOf('1.1'), 'demo', '1.1', ringing, 1000), observed(1000, ringing, settings)).call
  t.same(typesOf(evolve(call, { type: 'gone', atMs: 2000 })), ['call.ended'])
})

t.test('a call that was off all the time leaves no recording behind', async t => {
  const { call } = answered({ company: company({ recording: everywhere('off') }) })
  t.match(call.recording.gaps, [{ startedAtMs: 2000, reasons: ['not-started'] }])
  t.same(typesOf(evolve(call, { type: 'gone', atMs: 3000 })), ['call.agent-left', 'call.ended'])
})

t.test('on an internal call whoever is at the other end now has a say, not who was there before', async t => {
  const cleoView = { agentId: cleo, endpoint: 'PJSIP/1003', channelId: '1.4', isJoined: true }
  const stubborn = agent(ben, { agentInitiatedPause: 'deny' })
  const { call, settings } = answered({ company: company({ transfers: 'continue' }), agents: [agent(anna), stubborn, agent(cleo)] }, talkingInside)
  const refusalOf = (of: Call, agentId: string) => decideFor(of, agentId)?.pause.refusal?.code ?? null
  t.equal(refusalOf(call, anna), 'internal-peer-denied')
  const ringingAtCleo = evolve(call, observed(3000, { ...talkingInside, agents: [annaView, { ...cleoView, isJoined: false }] }, settings)).call
  t.equal(refusalOf(ringingAtCleo, anna), 'internal-peer-denied', 'while nobody is there, who was there last')
  const atCleo = evolve(ringingAtCleo, observed(4000, { ...talkingInside, agents: [annaView, cleoView] }, settings)).call
  t.equal(refusalOf(atCleo, anna), null)
  t.equal(refusalOf(atCleo, cleo), null)
  const withBoth = evolve(call, observed(3000, { ...talkingInside, agents: [...talkingInside.agents, cleoView] }, settings)).call
  t.equal(refusalOf(withBoth, anna), 'internal-peer-denied', 'of several, everybody has a say')
  t.match(ruleVersionsFor(withBoth, anna).length, 2)
})

t.test('an agent who comes back has the rules of the day, not those of the first time', async t => {
  const { call, settings } = answered()
  const back = { agentId: anna, endpoint: 'PJSIP/1001', channelId: '1.9', isJoined: true }
  const left = evolve(call, observed(3000, { ...talking, agents: [] }, settings)).call
  const { settings: later } = createSettings({ agents: [agent(anna, { agentInitiatedPause: 'deny' })] })
  const again = evolve(left, observed(4000, { ...talking, agents: [back] }, later)).call
  t.equal(decideFor(again, anna)?.pause.refusal?.code, 'pause-denied')
})
