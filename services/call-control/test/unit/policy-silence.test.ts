import t from 'tap'
import { annaLeg, callIdOf, createLab, leg, type Lab, type LabOptions } from '../support/lab.ts'
import { createReplayLab, readEvents, show } from '../support/replay.ts'
import { agent, anna, ben, cleo, company, everywhere } from '../support/rules.ts'

const consultationId = callIdOf('1795419350.1')
const phaseOf = ({ follower }: Lab, callId: string) => follower.session(callId)?.call.recording.phase.status
const reasonsOf = ({ follower }: Lab, callId: string) => follower.session(callId)?.call.recording.reasons
const recordingNow = async ({ driver }: Lab) => (await driver.list()).filter(({ state }) => state === 'recording').map(({ recorderId }) => recorderId)

const fromAnna = (stage: 'up' | 'ringing' = 'up') => annaLeg({ channelId: '1795419350.1', linkedId: '1795419350.1', stage, dialledNumber: '1002' })
const toBen = (stage: 'up' | 'ringing' = 'up') => leg({ channelId: '1795419350.2', endpoint: 'PJSIP/1002', linkedId: '1795419350.1', stage })

async function ring (lab: Lab): Promise<void> {
  for (const known of [fromAnna('ringing'), toBen('ringing')]) lab.follower.apply({ type: 'leg-seen', leg: known })
  await lab.time.settle()
}

async function consult (lab: Lab): Promise<void> {
  await ring(lab)
  for (const known of [fromAnna(), toBen()]) lab.follower.apply({ type: 'leg-seen', leg: known })
  lab.follower.apply({ type: 'bridge', bridgeId: 'b2', channelIds: ['1795419350.1', '1795419350.2'] })
  await lab.time.settle()
}

async function createMain (options: LabOptions = {}) {
  const lab = createLab(options)
  const { call: { callId } } = await lab.answerCall()
  return { lab, callId }
}

t.test('a consultation that begins while the customer\'s call is paused is not recorded', async t => {
  const { lab, callId } = await createMain()
  await lab.command('pause', callId)
  await consult(lab)
  t.equal(phaseOf(lab, consultationId), 'paused')
  t.same(reasonsOf(lab, consultationId), ['policy'])
  t.same(await recordingNow(lab), [])
})

t.test('a consultation that is recorded falls silent with the customer\'s call, and goes on with it', async t => {
  const { lab, callId } = await createMain()
  await consult(lab)
  t.equal(phaseOf(lab, consultationId), 'recording')
  await lab.command('pause', callId)
  await lab.time.settle()
  t.equal(phaseOf(lab, consultationId), 'paused')
  t.same(await recordingNow(lab), [])
  const resume = lab.command('resume', callId)
  await lab.time.advance(2000)
  await resume
  t.equal(phaseOf(lab, consultationId), 'recording')
  t.equal((await recordingNow(lab)).length, 2)
})

t.test('the stop of a consultation goes out as soon as that of the customer\'s call', async t => {
  const { lab, callId } = await createMain()
  await consult(lab)
  lab.driver.faults.stopDelayMs = 1000
  const pause = lab.command('pause', callId)
  await lab.time.settle()
  t.equal(lab.driver.calls.filter(({ name }) => name === 'stop').length, 2)
  await lab.time.advance(1000)
  await pause
})

t.test('an agent can not lift what the rules silence', async t => {
  const { lab, callId } = await createMain()
  await lab.command('pause', callId)
  await consult(lab)
  await t.rejects(lab.command('resume', consultationId), { code: 'still-paused' })
  t.same(await recordingNow(lab), [])
})

t.test('the rules start nothing that they don\'t record', async t => {
  const { lab, callId } = await createMain({ agents: [agent(anna), agent(ben, { recording: { ...everywhere('inherit'), internal: 'off' } }), agent(cleo)] })
  await lab.command('pause', callId)
  await consult(lab)
  t.equal(phaseOf(lab, consultationId), 'off')
  const resume = lab.command('resume', callId)
  await lab.time.advance(2000)
  await resume
  t.equal(phaseOf(lab, consultationId), 'off')
  t.same(reasonsOf(lab, consultationId), [], 'but an agent may start it now')
  t.equal((await recordingNow(lab)).length, 1)
})

t.test('a colleague who only rang is free to be recorded elsewhere', async t => {
  const lab = createLab()
  lab.follower.apply({ type: 'leg-seen', leg: leg({ channelId: '1795419347.9', endpoint: 'PJSIP/1002', stage: 'ringing' }) })
  const { call: { callId } } = await lab.answerCall()
  lab.follower.apply({ type: 'leg-gone', channelId: '1795419347.9' })
  await lab.command('pause', callId)
  const toCleo = leg({ channelId: '1795419350.2', endpoint: 'PJSIP/1003', linkedId: '1795419350.1' })
  const fromBen = leg({ channelId: '1795419350.1', endpoint: 'PJSIP/1002', linkedId: '1795419350.1' })
  for (const known of [fromBen, toCleo]) lab.follower.apply({ type: 'leg-seen', leg: known })
  lab.follower.apply({ type: 'bridge', bridgeId: 'b2', channelIds: [fromBen.channelId, toCleo.channelId] })
  await lab.time.settle()
  t.equal(phaseOf(lab, consultationId), 'recording')
})

for (const transfers of ['stop', 'continue'] as const) {
  for (const scenario of ['attended-transfer', 'attended-transfer-to-outside', 'attended-transfer-while-ringing']) {
    t.test(`while the customer's call is paused, nothing of a real ${scenario} is recorded, where transfers ${transfers}`, async t => {
      const events = readEvents(scenario)
      const lab = createReplayLab(events, { company: company({ transfers }) })
      const isInternal = scenario !== 'attended-transfer-to-outside'
      let isPaused = false
      for (const recorded of events) {
        await show(lab, recorded)
        const main = lab.follower.sessions()[0]
        if (!isPaused && main?.call.recording.phase.status === 'recording') {
          await lab.command('pause', main.call.callId)
          isPaused = true
        }
        const heard = (await recordingNow(lab)).filter(recorderId => isInternal || recorderId.includes(main!.call.callId))
        if (isPaused) t.same(heard, [])
      }
      t.ok(isPaused)
    })
  }
}
