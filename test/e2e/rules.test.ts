import t, { type Test } from 'tap'
import type { Access, InheritedAccess, InheritedSwitch, Level, Switch } from '@tacet/contracts'
import { numbers, openOffice } from '../support/office.ts'
import { auditTrail, checkAudio, checkStory, checkUnrecorded, filesOf, proofOf, segmentFiles, waitForEvent, type Proof } from '../support/proof.ts'
import { receiveCall, speak, type Talk } from '../support/talk.ts'
import { startTacet } from '../support/tacet.ts'

t.setTimeout(180_000)
const tacet = await startTacet(t)
const office = await openOffice(t, tacet)
const [anna] = tacet.agents

/** One row of the table of the rules: what each level says, and what must come of it on a live call. */
interface Row {
  recording: [company: Switch, number: InheritedSwitch, agent: InheritedSwitch]
  access: [company: Access, number: InheritedAccess, agent: InheritedAccess]
  isLocked?: boolean
  isAccessLocked?: boolean
  isRecorded: boolean
  recordingBy: Level
  mayPause: boolean
  accessBy: Level
}

const rows: Record<string, Row> = {
  'a company that records and lets its agents stop it': row(['on', 'inherit', 'inherit'], ['allow', 'inherit', 'inherit'], { recordingBy: 'company', accessBy: 'company' }),
  'a company that denies stopping': row(['on', 'inherit', 'inherit'], ['deny', 'inherit', 'inherit'], { recordingBy: 'company', accessBy: 'company', mayPause: false }),
  'a number that denies stopping': row(['on', 'inherit', 'inherit'], ['allow', 'deny', 'inherit'], { recordingBy: 'company', accessBy: 'number', mayPause: false }),
  'a number that allows what the company denies': row(['on', 'inherit', 'inherit'], ['deny', 'allow', 'inherit'], { recordingBy: 'company', accessBy: 'number' }),
  'an agent who is denied what company and number allow': row(['on', 'inherit', 'inherit'], ['allow', 'allow', 'deny'], { recordingBy: 'company', accessBy: 'agent', mayPause: false }),
  'a company that does not record, and lets its agents': row(['off', 'inherit', 'inherit'], ['allow', 'inherit', 'inherit'], { recordingBy: 'company', accessBy: 'company', isRecorded: false }),
  'a company that does not record, nor lets its agents': row(['off', 'inherit', 'inherit'], ['deny', 'inherit', 'inherit'], { recordingBy: 'company', accessBy: 'company', isRecorded: false, mayPause: false }),
  'a number that is not recorded': row(['on', 'off', 'inherit'], ['deny', 'inherit', 'inherit'], { recordingBy: 'number', accessBy: 'company', isRecorded: false, mayPause: false }),
  'an agent who is recorded on a number that is not': row(['on', 'off', 'on'], ['allow', 'inherit', 'inherit'], { recordingBy: 'agent', accessBy: 'company' }),
  'a company that locks its recording on': { ...row(['on', 'off', 'off'], ['allow', 'inherit', 'inherit'], { recordingBy: 'company', accessBy: 'company' }), isLocked: true },
  'a company that locks its denial of stopping': { ...row(['on', 'inherit', 'inherit'], ['deny', 'allow', 'allow'], { recordingBy: 'company', accessBy: 'company', mayPause: false }), isAccessLocked: true },
}

function row (recording: Row['recording'], access: Row['access'], then: Pick<Row, 'recordingBy' | 'accessBy'> & Partial<Row>): Row {
  return { recording, access, isRecorded: true, mayPause: true, ...then }
}

const everywhere = <Value>(value: Value) => ({ inbound: value, outbound: value, internal: value })

async function rule ({ recording: [company, number, agent], access, isLocked = false, isAccessLocked = false }: Pick<Row, 'recording' | 'access' | 'isLocked' | 'isAccessLocked'>): Promise<void> {
  await Promise.all([
    tacet.putCompany({ recording: everywhere(company), agentInitiatedPause: access[0], locks: { recording: isLocked, agentInitiatedPause: isAccessLocked } }),
    tacet.putNumber(numbers.direct, { recording: everywhere(number), agentInitiatedPause: access[1] }),
    tacet.putAgent(0, { recording: everywhere(agent), agentInitiatedPause: access[2] }),
  ])
}

for (const [name, row] of Object.entries(rows)) {
  const { recording, access, isLocked = false, isAccessLocked = false, isRecorded, recordingBy, mayPause, accessBy } = row
  t.test(`${name}: recording ${recording.join('/')}${isLocked ? ', locked' : ''}; access ${access.join('/')}${isAccessLocked ? ', locked' : ''}`, async t => {
    await rule(row)
    const talk = await receiveCall(office)
    if (isRecorded) await talk.isRecorded()
    else talk.mute()
    t.match(await talk.status(), {
      state: isRecorded ? 'recording' : 'off',
      allowedActions: mayPause ? [isRecorded ? 'pause' : 'resume'] : [],
      recordingRule: { value: isRecorded ? 'on' : 'off', decidedBy: recordingBy, isLocked },
    })
    await speak(talk.voices, 300)
    if (!isRecorded) t.same(await filesOf(tacet, talk.callId), [])
    const commands = mayPause ? await stopAndStart(t, talk, isRecorded) : await tryInVain(t, talk, row)
    await talk.hangup()

    if (isRecorded || mayPause) checkRecorded(t, talk, await proofOf(t, tacet, talk), row)
    else t.same(await checkUnrecorded(t, tacet, talk), ['call.ringing', 'call.answered', 'call.agent-joined', 'call.agent-left', 'call.ended'])
    const audit = await auditTrail(tacet, talk.callId, commands.length)
    t.same(audit.map(({ action }) => action), commands.map(action => `recording.${action}`))
    for (const entry of audit) {
      t.match(entry, {
        companyId: tacet.companyId,
        actor: { kind: 'agent', agentId: anna.agentId, address: '127.0.0.1' },
        detail: { rule: { mayPause, decision: { value: mayPause ? 'allow' : 'deny', decidedBy: accessBy, isLocked: isAccessLocked, chain: chainOf(access) } } },
        ...(mayPause ? { outcome: 'done', code: null, effectiveAt: String } : { outcome: 'refused', code: 'pause-denied', effectiveAt: null }),
      })
    }
  })
}

const chainOf = ([company, number, agent]: Row['access']) => [{ level: 'agent', value: agent }, { level: 'number', value: number }, { level: 'company', value: company }]

/** Many times; from off the first start is an agent's. */
async function stopAndStart (t: Test, talk: Talk, isRecorded: boolean): Promise<('pause' | 'resume')[]> {
  const commands: ('pause' | 'resume')[] = []
  if (!isRecorded) {
    t.match(await talk.send('start'), { status: 200, body: { state: 'recording', reasons: [], allowedActions: ['pause'] } })
    commands.push('resume')
    await speak(talk.voices, 400)
  }
  for (let round = 1; round <= 2; round += 1) {
    t.match((await talk.pause()).body, { state: 'paused', reasons: ['agent'], allowedActions: ['resume'] })
    await speak(talk.voices, 300)
    t.match((await talk.resume()).body, { state: 'recording', reasons: [] })
    await speak(talk.voices, 400)
    commands.push('pause', 'resume')
  }
  return commands
}

/** By the API and by the phone's key. */
async function tryInVain (t: Test, talk: Talk, { isRecorded, accessBy }: Row): Promise<('pause' | 'resume')[]> {
  for (const action of ['pause', 'resume', 'start'] as const) {
    t.match((await talk.send(action)).problem(), { status: 403, code: 'pause-denied', decidedBy: accessBy })
  }
  t.match(await tacet.callControl(`/phone/v1/${anna.deviceToken}/toggle`), { status: 403, body: { code: 'pause-denied', decidedBy: accessBy } })
  await speak(talk.voices, 300)
  t.equal((await talk.status()).state, isRecorded ? 'recording' : 'off')
  t.equal((await segmentFiles(tacet, talk.callId)).length, isRecorded ? 1 : 0)
  return ['pause', 'resume', 'resume', isRecorded ? 'pause' : 'resume']
}

function checkRecorded (t: Test, talk: Talk, proof: Proof, { isRecorded, mayPause }: Row): void {
  const again = ['segment.closed', 'recording.paused', 'segment.opened', 'recording.resumed']
  checkStory(t, proof.types, ['call.ringing', 'call.answered', 'call.agent-joined', 'segment.opened', 'recording.started', ...(mayPause ? [...again, ...again] : []),
    'call.agent-left', 'call.ended', 'segment.closed', 'recording.ended'])
  const paused = { reasons: ['agent'], by: [{ kind: 'agent', agentId: anna.agentId }] }
  t.match(proof.timeline.gaps, [...(isRecorded ? [] : [{ reasons: ['not-started'], atSample: 0 }]), ...(mayPause ? [paused, paused] : [])])
  t.match(proof.events.find(({ type }) => type === 'recording.started')?.data.by, isRecorded ? { kind: 'policy' } : { kind: 'agent', agentId: anna.agentId })
  checkAudio(t, proof, talk)
}

t.test('a call keeps the rules it was answered under; the next has the new ones', async t => {
  await rule({ recording: ['on', 'inherit', 'inherit'], access: ['allow', 'inherit', 'inherit'] })
  const talk = await receiveCall(office)
  await talk.isRecorded()
  await rule({ recording: ['off', 'inherit', 'inherit'], access: ['deny', 'inherit', 'deny'] })
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

t.test('a pause that lasts longer than the company wants ends by itself, and a machine is in the audit log', async t => {
  await rule({ recording: ['on', 'inherit', 'inherit'], access: ['allow', 'inherit', 'inherit'] })
  await tacet.putCompany({ longestPauseMs: 1_500, afterLongestPause: 'resume' })
  const talk = await receiveCall(office)
  await talk.isRecorded()
  await speak(talk.voices, 300)
  const { requestedAtMs, answeredAtMs } = await talk.pause()
  const resumed = await waitForEvent(tacet, talk.callId, 'recording.resumed')
  await speak(talk.voices, 400)
  await talk.hangup()

  t.match(resumed.data.by, { kind: 'machine', agentId: null, credentialId: null })
  const proof = await proofOf(t, tacet, talk)
  t.match(proof.timeline.gaps, [{ reasons: ['agent'], by: [{ kind: 'agent' }] }])
  checkAudio(t, proof, { voices: talk.voices, recorded: [...talk.recorded, { fromMs: Date.parse(resumed.data.at), toMs: talk.silent.at(-1)!.toMs }], silent: [{ fromMs: answeredAtMs, toMs: requestedAtMs + 1_500 }] })
  t.match(await auditTrail(tacet, talk.callId, 2), [
    { action: 'recording.pause', outcome: 'done', actor: { kind: 'agent' } },
    { action: 'recording.resume', outcome: 'done', actor: { kind: 'machine', agentId: null }, detail: { device: 'longest-pause', longestPauseMs: 1_500 } },
  ])
})
