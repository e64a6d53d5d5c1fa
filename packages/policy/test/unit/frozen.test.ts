import t from 'tap'
import { decide, finishedRecordingSettingsOf, freezeAgent, freezeCompanyAndNumber, longestPauseOf, resolveCall, versionsOf } from '@tacet/policy'
import { agent, company, number } from './builders.ts'

t.test('a frozen call keeps its rules when the settings change, also through JSON', async t => {
  const settings = { company: company(), number: number('on', 'deny'), agent: agent() }
  const live = resolveCall({ ...settings, direction: 'inbound', peer: null })
  const frozen = JSON.parse(JSON.stringify({
    rules: freezeCompanyAndNumber(settings.company, settings.number), agent: freezeAgent(settings.agent), peer: null,
  }))

  settings.company.locks.recording = true
  settings.number.recording.inbound = 'off'
  settings.number.agentInitiatedPause = 'allow'
  t.same(decide({ ...frozen, direction: 'inbound' }), live)
})

t.test('a snapshot shares nothing with the settings it was taken from', async t => {
  const settings = { company: company(), agent: agent() }
  const rules = freezeCompanyAndNumber(settings.company, null)
  const frozenAgent = freezeAgent(settings.agent)
  settings.company.recording.inbound = 'off'
  settings.agent.recording.inbound = 'off'
  t.equal(decide({ direction: 'inbound', rules, agent: frozenAgent, peer: null }).recording.isRecorded, true)
})

t.test('a snapshot holds no personal data and names its versions', async t => {
  const rules = freezeCompanyAndNumber(company(), number())
  const frozenAgent = freezeAgent(agent())
  t.notMatch(JSON.stringify({ rules, frozenAgent }), /Alice|PJSIP|Acme|Sales/)
  t.same(versionsOf({ rules, agent: frozenAgent, peer: { ...frozenAgent, version: 9 } }), { company: 1, number: 2, agent: 3, peer: 9 })
  t.same(versionsOf({ rules: freezeCompanyAndNumber(company(), null), agent: frozenAgent, peer: null }), { company: 1, number: null, agent: 3, peer: null })
})

t.test('the longest pause and what becomes of the recording are frozen too', async t => {
  const finished = { gaps: 'tone', minimumLengthMs: 5_000, retentionDays: 30, recordingChannels: 'stereo', outputFormats: ['opus'] } as const
  const changed = company({ ...finished, outputFormats: ['opus'], longestPauseMs: 60_000, afterLongestPause: 'resume' })
  const rules = JSON.parse(JSON.stringify(freezeCompanyAndNumber(changed, null)))
  t.same(finishedRecordingSettingsOf(rules), finished)
  t.same(longestPauseOf(rules), { afterMs: 60_000, then: 'resume' })
  t.equal(longestPauseOf(freezeCompanyAndNumber(company(), null)), null)
})

t.test('a call frozen before these settings existed has their defaults', async t => {
  const { gaps: _, longestPauseMs: __, afterLongestPause: ___, minimumLengthMs: ____, retentionDays: _____, recordingChannels: ______, outputFormats: _______, ...older } = company()
  const rules = freezeCompanyAndNumber(older as ReturnType<typeof company>, null)
  t.notOk('gaps' in rules.company)
  const defaults = { gaps: 'remove', minimumLengthMs: 0, retentionDays: null, recordingChannels: 'mono', outputFormats: [] }
  t.same(finishedRecordingSettingsOf(rules), defaults)
  t.same(finishedRecordingSettingsOf(null), defaults)
  t.equal(longestPauseOf(rules), null)
})
