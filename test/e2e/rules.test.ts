import { readdir } from 'node:fs/promises'
import { eventually } from '@tacet/test-kit'
import t from 'tap'
import { numbers, openOffice } from '../support/office.ts'
import { auditOf, checkAudio, checkStory, checkUnrecorded, proofOf, segmentFiles } from '../support/proof.ts'
import { receiveCall, speak } from '../support/talk.ts'
import { startTacet } from '../support/tacet.ts'

t.setTimeout(180_000)
const tacet = await startTacet(t)
const office = await openOffice(t, tacet)
const off = { inbound: 'off', outbound: 'off', internal: 'off' }
const [anna] = tacet.agents

t.test('a call that is not to be recorded leaves nothing on any disk', async t => {
  await tacet.putCompany({ recording: off })
  const talk = await receiveCall(office)
  t.match(await talk.status(), { state: 'off', allowedActions: ['resume'], recordingRule: { value: 'off', decidedBy: 'company' } })
  talk.mute()
  await speak(talk.voices, 500)
  await talk.hangup()
  t.same(await checkUnrecorded(t, tacet, talk), ['call.ringing', 'call.answered', 'call.agent-joined', 'call.agent-left', 'call.ended'])
  t.same((await readdir(tacet.recordingsDir, { recursive: true })).filter(file => file.includes(talk.callId)), [])
})

t.test('an agent starts a recording that is off, and then may stop and start it', async t => {
  await tacet.putCompany({ recording: off })
  const talk = await receiveCall(office)
  talk.mute()
  await speak(talk.voices, 500)
  t.same(await segmentFiles(tacet, talk.callId), [])
  const started = await talk.send('start')
  t.match(started, { status: 200, body: { state: 'recording', reasons: [], allowedActions: ['pause'] } })
  await speak(talk.voices, 500)
  t.match((await talk.send('stop')).body, { state: 'paused', reasons: ['agent'] })
  await speak(talk.voices, 400)
  await talk.resume()
  await speak(talk.voices, 500)
  await talk.hangup()

  const proof = await proofOf(t, tacet, talk)
  checkStory(t, proof.types, ['call.ringing', 'call.answered', 'call.agent-joined', 'segment.opened', 'recording.started', 'segment.closed', 'recording.paused',
    'segment.opened', 'recording.resumed', 'call.agent-left', 'call.ended', 'segment.closed', 'recording.ended'])
  t.match(proof.timeline.gaps, [{ reasons: ['not-started'], endedAt: started.body.effectiveAt, atSample: 0 }, { reasons: ['agent'] }])
  t.match(proof.events.find(({ type }) => type === 'recording.started')?.data, { by: { kind: 'agent', agentId: anna.agentId } })
  checkAudio(t, proof, talk)
})

const denials = [
  { level: 'company', deny: async () => await tacet.putCompany({ agentInitiatedPause: 'deny' }) },
  { level: 'number', deny: async () => await tacet.putNumber(numbers.direct, { agentInitiatedPause: 'deny' }) },
  { level: 'agent', deny: async () => await tacet.putAgent(0, { agentInitiatedPause: 'deny' }) },
]
for (const { level, deny } of denials) {
  t.test(`a pause that the ${level} denies is refused and audited, and the recording goes on`, async t => {
    await allowAll()
    await deny()
    const talk = await receiveCall(office)
    await talk.isRecorded()
    t.same((await talk.status()).allowedActions, [])
    await speak(talk.voices, 300)
    const refused = await talk.send('pause')
    t.match(refused.problem(), { status: 403, code: 'pause-denied', decidedBy: level })
    t.match((await talk.send('resume')).problem(), { status: 403, code: 'pause-denied', decidedBy: level })
    t.match(await phone('pause'), { status: 403, body: { code: 'pause-denied', decidedBy: level } })
    await speak(talk.voices, 300)
    t.equal((await talk.status()).state, 'recording')
    await talk.hangup()

    const proof = await proofOf(t, tacet, talk)
    t.notOk(proof.types.includes('recording.paused'))
    t.equal(proof.timeline.segments.length, 1)
    t.same(proof.timeline.gaps, [])
    checkAudio(t, proof, talk)
    const audit = await eventually(() => auditOf(tacet, talk.callId).length === 3 && auditOf(tacet, talk.callId), { message: 'three entries in the audit log' })
    t.same(audit.map(({ action }) => action), ['recording.pause', 'recording.resume', 'recording.pause'])
    for (const entry of audit) {
      t.match(entry, {
        companyId: tacet.companyId,
        outcome: 'refused',
        code: 'pause-denied',
        actor: { kind: 'agent', agentId: anna.agentId },
        effectiveAt: null,
        detail: { rule: { mayPause: false, decision: { value: 'deny', decidedBy: level } } },
      })
    }
  })
}

t.test('a call keeps the rules it was answered under; the next has the new ones', async t => {
  await allowAll()
  const talk = await receiveCall(office)
  await talk.isRecorded()
  await tacet.putCompany({ agentInitiatedPause: 'deny', recording: off })
  await tacet.putAgent(0, { agentInitiatedPause: 'deny' })
  await speak(talk.voices, 300)
  await talk.pause()
  await speak(talk.voices, 300)
  await talk.resume()
  await speak(talk.voices, 300)
  await talk.hangup()
  checkAudio(t, await proofOf(t, tacet, talk), talk)

  const next = await receiveCall(office)
  t.match(await next.status(), { state: 'off', allowedActions: [], recordingRule: { value: 'off', decidedBy: 'company' } })
  t.match((await next.send('start')).problem(), { status: 403, code: 'pause-denied', decidedBy: 'agent' })
  await next.hangup()
  await checkUnrecorded(t, tacet, next)
})

async function allowAll (): Promise<void> {
  await tacet.putCompany({})
  await tacet.putNumber(numbers.direct, {})
  await tacet.putAgent(0, {})
}

const phone = async (key: string) => await tacet.callControl(`/phone/v1/${anna.deviceToken}/${key}`)
