import t from 'tap'
import { annaLeg, callIdOf, createLab, leg, type Lab, type LabOptions } from '../support/lab.ts'
import { createReplayLab, endpointsOf, readEvents, show } from '../support/replay.ts'
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
    t.test(`while the customer's call is paused, no recorder can hear them in a real ${scenario}, where transfers ${transfers}`, async t => {
      const events = readEvents(scenario)
      const lab = createReplayLab(events, { company: company({ transfers }) })
      const endpoints = endpointsOf(events)
      const heard = new Set<string>()
      let isPaused = false
      for (const recorded of events) {
        await show(lab, recorded)
        const main = lab.follower.sessions()[0]
        if (!isPaused && main?.call.recording.phase.status === 'recording') {
          await lab.command('pause', main.call.callId)
          isPaused = true
        }
        if (isPaused) for (const recorderId of await recordingNow(lab)) heard.add(endpoints.get(legOf(lab, recorderId)) ?? '')
      }
      t.ok(isPaused)
      // The agent's own leg goes before the customer comes.
      t.same([...heard], scenario === 'attended-transfer-to-outside' ? ['PJSIP/1001'] : [])
    })
  }
}

const outside = (stage: 'up' | 'ringing' = 'up') => leg({ channelId: '1795419350.2', endpoint: 'PJSIP/trunk', linkedId: '1795419350.1', stage })
const legOf = ({ driver }: Lab, recorderId: string) => driver.calls.flatMap(call => call.name === 'start' && call.recorderId === recorderId ? [call.legId] : [])[0] ?? ''
const legsHeard = async (lab: Lab) => (await recordingNow(lab)).map(recorderId => legOf(lab, recorderId))

/** Anna calls somebody outside, besides the customer who waits. */
async function callOutside (lab: Lab): Promise<void> {
  for (const stage of ['ringing', 'up'] as const) {
    for (const known of [fromAnna(stage), outside(stage)]) lab.follower.apply({ type: 'leg-seen', leg: known })
    await lab.time.settle()
  }
  lab.follower.apply({ type: 'bridge', bridgeId: 'b2', channelIds: ['1795419350.1', '1795419350.2'] })
  await lab.time.settle()
}

t.test('whom an agent calls outside while a customer is paused is recorded from the agent\'s own leg, at once', async t => {
  const { lab, callId } = await createMain()
  await lab.command('pause', callId)
  await callOutside(lab)
  t.equal(phaseOf(lab, consultationId), 'recording')
  t.same(await legsHeard(lab), ['1795419350.1'])
  t.match(lab.follower.session(consultationId)?.call.recording, { reasons: [], gaps: [], nextSegment: 2 })
})

t.test('whom an agent had called before is recorded from the agent\'s own leg as soon as the customer is paused', async t => {
  const { lab, callId } = await createMain()
  await callOutside(lab)
  t.same((await legsHeard(lab)).sort(), ['1795419347.6', '1795419350.2'])
  lab.driver.faults.stopDelayMs = 100
  const pause = lab.command('pause', callId)
  await lab.time.settle()
  t.equal(lab.driver.calls.filter(({ name }) => name === 'stop').length, 2, 'both stops go out at once')
  await lab.time.advance(1000)
  await pause
  t.same(await legsHeard(lab), ['1795419350.1'])
  t.match(lab.follower.session(consultationId)?.call.recording, { phase: { status: 'recording' }, reasons: [], gaps: [{ reasons: ['policy'] }] })

  const resume = lab.command('resume', callId)
  await lab.time.advance(1000)
  await resume
  t.same((await legsHeard(lab)).sort(), ['1795419347.6', '1795419350.1'], 'it may stay there')
  for (const action of ['pause', 'resume'] as const) {
    const command = lab.command(action, consultationId)
    await lab.time.advance(1000)
    await command
  }
  t.ok((await legsHeard(lab)).includes('1795419350.2'), 'the next segment is recorded as usual')
})

t.test('when the agent\'s own leg goes, nothing is recorded of the other while the customer is paused', async t => {
  const { lab, callId } = await createMain()
  await lab.command('pause', callId)
  await callOutside(lab)
  lab.driver.hangUpLeg('1795419350.1')
  lab.follower.apply({ type: 'leg-gone', channelId: '1795419350.1' })
  await lab.time.advance(1000)
  t.same(await legsHeard(lab), [])
})

t.test('from the agent\'s own leg each still has their own track', async t => {
  const { lab, callId } = await createMain({ company: company({ recordingChannels: 'stereo' }) })
  await lab.command('pause', callId)
  await callOutside(lab)
  const sides = lab.driver.calls.flatMap(call => call.name === 'start' ? [[call.legId, call.recorderId.split('-').at(-1), call.spy]] : [])
  t.same(sides, [['1795419347.6', 'in', 'in'], ['1795419347.6', 'out', 'out'], ['1795419350.1', 'in', 'out'], ['1795419350.1', 'out', 'in']])
})

t.test('who takes a call that rang at an agent with a paused customer is recorded as usual', async t => {
  const { lab, callId } = await createMain()
  await lab.command('pause', callId)
  const trunk = (stage: 'up' | 'ringing') => leg({ channelId: '1795419360.1', endpoint: 'PJSIP/trunk', linkedId: '1795419360.1', stage })
  const ringing = ['1001', '1002'].map((extension, index) => (stage: 'up' | 'ringing') => leg({ channelId: `1795419360.${index + 2}`, endpoint: `PJSIP/${extension}`, linkedId: '1795419360.1', stage }))
  for (const known of [trunk('ringing'), ...ringing.map(at => at('ringing'))]) lab.follower.apply({ type: 'leg-seen', leg: known })
  await lab.time.settle()
  for (const known of [trunk('up'), ringing[1]!('up')]) lab.follower.apply({ type: 'leg-seen', leg: known })
  lab.follower.apply({ type: 'bridge', bridgeId: 'b3', channelIds: ['1795419360.1', '1795419360.3'] })
  await lab.time.settle()
  t.same(await legsHeard(lab), ['1795419360.1'])
})

t.test('a paused customer who is joined to an older call of the agent stays unheard there', async t => {
  const lab = createLab({ company: company({ transfers: 'continue' }) })
  const older = { linkedId: '1795419340.1' }
  const [fromDesk, toOutside] = [annaLeg({ channelId: '1795419340.1', dialledNumber: '+447700900999', ...older }), leg({ channelId: '1795419340.2', endpoint: 'PJSIP/trunk', ...older })]
  for (const known of [fromDesk, toOutside]) lab.follower.apply({ type: 'leg-seen', leg: known })
  lab.follower.apply({ type: 'bridge', bridgeId: 'b0', channelIds: [fromDesk.channelId, toOutside.channelId] })
  const { call: { callId } } = await lab.answerCall()
  await lab.command('pause', callId)
  await lab.time.advance(1000)
  t.same(await legsHeard(lab), [fromDesk.channelId])

  lab.follower.apply({ type: 'bridge', bridgeId: 'b0', channelIds: [toOutside.channelId, '1795419347.6'] })
  lab.follower.apply({ type: 'transferred', kind: 'attended', byChannelIds: [fromDesk.channelId, annaLeg().channelId], to: null })
  for (const channelId of [fromDesk.channelId, annaLeg().channelId]) {
    lab.driver.hangUpLeg(channelId)
    lab.follower.apply({ type: 'leg-gone', channelId })
  }
  await lab.time.advance(2000)
  t.match(lab.follower.session(callIdOf(fromDesk.channelId))?.call.recording, { phase: { status: 'paused' }, reasons: ['agent'] })
  t.same(await recordingNow(lab), [])
})

t.test('a customer whose call was there before another one is paused is recorded on as before', async t => {
  const { lab, callId } = await createMain()
  const legs = [leg({ channelId: '1795419350.1', endpoint: 'PJSIP/trunk', linkedId: '1795419350.1', callerNumber: '+447700900777', dialledNumber: '+442071838750' }), annaLeg({ channelId: '1795419350.2', linkedId: '1795419350.1' })]
  for (const known of legs) lab.follower.apply({ type: 'leg-seen', leg: known })
  lab.follower.apply({ type: 'bridge', bridgeId: 'b2', channelIds: ['1795419350.1', '1795419350.2'] })
  await lab.time.settle()
  await lab.time.advance(1000)
  await lab.command('pause', callId)
  await lab.time.advance(1000)
  t.same(await legsHeard(lab), ['1795419350.1'])
  t.match(lab.follower.session(consultationId)?.call.recording, { phase: { status: 'recording' }, nextSegment: 2, gaps: [] })
})
