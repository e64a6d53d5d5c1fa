import { setImmediate as nextTurn } from 'node:timers/promises'
import { eventually } from '@tacet/test-kit'
import t from 'tap'
import { numbers, openOffice } from '../support/office.ts'
import { checkAudio, proofOf } from '../support/proof.ts'
import { receiveCall, speak, type Talk } from '../support/talk.ts'
import { startTacet } from '../support/tacet.ts'

t.setTimeout(180_000)
const tacet = await startTacet(t)
const office = await openOffice(t, tacet)

/** Presses pause and resume in turn as fast as they are answered, whatever the answer, until told to stop. */
async function storm (talk: Talk, isOver: () => boolean, onAnswer: () => void): Promise<void> {
  for (let action: 'pause' | 'resume' = 'pause'; !isOver(); action = action === 'pause' ? 'resume' : 'pause') {
    await talk.send(action).then(onAnswer, () => {})
    await speak(talk.voices, 100)
    await nextTurn()
  }
}

t.test('call-control killed again and again in a storm of pauses leaves nothing of a pause, and each segment in one recording', async t => {
  const talks = [await receiveCall(office), await receiveCall(office, { number: numbers.queue, desk: 1 })]
  await Promise.all(talks.map(async talk => await talk.isRecorded()))
  await speak(talks.flatMap(({ voices }) => voices), 300)
  // Of each call, or one of them might never be paused.
  for (const killAfter of [1, 2, 4]) {
    const answers = talks.map(() => 0)
    let isOver = false
    const storms = Promise.all(talks.map(async (talk, index) => await storm(talk, () => isOver, () => { answers[index]! += 1 })))
    await eventually(() => answers.every(count => count >= killAfter), { intervalMs: 1, message: 'answers' })
    await tacet.services['call-control'].kill('SIGKILL')
    isOver = true
    await storms
    await tacet.start('call-control')
    await eventually(async () => {
      const states = await Promise.all(talks.map(async talk => (await talk.status(tacet.supervisorToken)).state))
      return states.every(state => state === 'recording' || state === 'paused')
    }, { message: 'the calls did not settle' })
  }
  for (const talk of talks) {
    await talk.pause()
    await speak(talk.voices, 300)
    await talk.resume()
    await speak(talk.voices, 400)
    await talk.hangup()
  }

  for (const talk of talks) {
    const proof = await proofOf(t, tacet, talk, { outcomes: ['complete', 'incomplete'] })
    t.notOk(proof.timeline.reasons.some(({ code }) => code === 'segment-long'))
    const opened = proof.manifest.segments.map(({ number }) => number)
    t.same(opened, [...new Set(opened)].sort((a, b) => a - b), 'each segment once, in order')
    t.ok(opened.length >= 4, `${opened.length} segments`)
    t.equal(new Set(tacet.probe.events.filter(({ type, data }) => type === 'recording.assembled' && data?.recordingId === talk.callId).map(({ id }) => id)).size, 1)
    t.ok(talk.silent.length >= 3, `${talk.silent.length} pauses were answered`)
    checkAudio(t, proof, { voices: talk.voices, recorded: talk.recorded.slice(-1), silent: talk.silent.filter(({ fromMs, toMs }) => toMs - fromMs > 60) })
  }
})

t.test('nothing of ours is left on the PBX', async t => {
  const { url, username, password } = tacet.stack.ari
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  await eventually(async () => {
    const channels: any = await (await fetch(`${url}/ari/channels`, { headers: { authorization } })).json()
    return channels.length === 0
  }, { message: 'channels are left' })
  t.pass()
})
