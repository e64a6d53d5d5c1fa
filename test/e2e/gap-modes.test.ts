import { g722, l16, opus, pcmu } from '@tacet/test-kit'
import t from 'tap'
import { numbers, openLine, openOffice } from '../support/office.ts'
import { atEightKilohertz, checkPlacement, checkWideband } from '../support/placement.ts'
import { checkAudio, proofOf } from '../support/proof.ts'
import { pauseOnce, receiveCall, speak } from '../support/talk.ts'
import { startTacet } from '../support/tacet.ts'

t.setTimeout(300_000)
const tacet = await startTacet(t)

/** Calls of a round are at the same time, at a desk each, some with a customer whose line speaks another codec. `npm run soak` plays also those that say nothing new. */
const rounds = [
  { codec: pcmu, calls: [['remove', 'stereo'], ['silence', 'mono']] },
  { codec: pcmu, calls: [['silence', 'stereo'], ['tone', 'mono']] },
  { codec: pcmu, calls: [['tone', 'stereo'], ['remove', 'mono']], isRepetition: true },
  { codec: g722, calls: [['tone', 'stereo'], ['silence', 'stereo', pcmu]] },
  { codec: l16, calls: [['tone', 'stereo'], ['silence', 'mono']], isRepetition: true },
  { codec: l16, calls: [['remove', 'stereo'], ['tone', 'mono']], isRepetition: true },
  { codec: l16, calls: [['silence', 'stereo'], ['remove', 'mono']], isRepetition: true },
] as const
const desks = [{ number: numbers.direct, desk: 0 }, { number: numbers.queue, desk: 1 }] as const

for (const { codec, calls } of rounds.filter(round => !('isRepetition' in round) || process.env.GAP_MODES === 'all')) {
  const names = calls.map(([gaps, recordingChannels, line]) => `${gaps} in ${recordingChannels}${line ? `, customer on ${line.encoding}` : ''}`).join(', ')
  t.test(`every sample is where the timeline says, nothing is from a gap: ${names}, ${codec.encoding}`, async t => {
    const office = await openOffice(t, tacet, { codec })
    const talks = []
    for (const [index, [gaps, recordingChannels, line = codec]] of calls.entries()) {
      // Frozen when the call is answered.
      await tacet.putCompany({ gaps, recordingChannels })
      const talk = await receiveCall({ ...office, outside: line === codec ? office.outside : await openLine(t, tacet, line) }, desks[index])
      await talk.isRecorded()
      talks.push({ ...talk, gaps, recordingChannels, line })
    }
    const voices = talks.flatMap(talk => talk.voices)
    await speak(voices, 500)
    for (let pauses = 0; pauses < 2; pauses++) {
      await Promise.all(talks.map(talk => talk.pause()))
      await speak(voices, 500)
      await Promise.all(talks.map(talk => talk.resume()))
      await speak(voices, 500)
    }
    await Promise.all(talks.map(talk => talk.hangup()))

    for (const { gaps, recordingChannels, line, ...talk } of talks) {
      await t.test(`${gaps}, ${recordingChannels}`, async t => {
        const proof = await proofOf(t, tacet, talk)
        t.match(proof.timeline, { gapMode: gaps, channels: recordingChannels === 'stereo' ? 2 : 1, fills: { length: gaps === 'remove' ? 0 : 2 } })
        t.equal(proof.timeline.sampleRateHz, line === pcmu ? 8000 : 16000)
        if (line !== pcmu) checkWideband(t, proof, codec)
        const sides = [[talk.customer], [talk.agent]]
        const heard = recordingChannels === 'stereo' ? sides : [talk.voices]
        for (const [index, samples] of atEightKilohertz(proof).channels.entries()) {
          checkAudio(t, { samples }, { voices: heard[index]!, recorded: talk.recorded, silent: talk.silent })
          const others = talk.voices.filter(voice => !heard[index]!.includes(voice))
          checkAudio(t, { samples }, { voices: others, recorded: [], silent: [...talk.recorded, ...talk.silent] })
        }
        checkPlacement(t, proof, heard, { isLossless: codec !== g722 })
      })
    }
  })
}

t.test('a call in Opus is recorded where Asterisk can decode it, and where it cannot is not passed off as a recording', async t => {
  await tacet.putCompany({ recordingChannels: 'mono', gaps: 'remove' })
  const office = await openOffice(t, tacet, { codec: opus })
  const call = async () => {
    const talk = await receiveCall(office)
    await pauseOnce(talk, 600)
    await talk.hangup()
    return talk
  }
  await setOpus('POST')
  const talk = await call()
  const proof = await proofOf(t, tacet, talk)
  t.equal(proof.timeline.sampleRateHz, 16000)
  checkWideband(t, proof, opus)
  checkAudio(t, { samples: atEightKilohertz(proof).channels[0]! }, talk)

  t.teardown(() => setOpus('POST'))
  await setOpus('DELETE')
  const unheard = await call()
  t.ok(Math.min(...unheard.voices.map(voice => voice.call.received.length)) > 50, 'they talk with each other all the same')
  const { timeline } = await proofOf(t, tacet, unheard, { outcomes: ['incomplete'] })
  t.match(timeline.reasons, [{ code: 'nothing-heard' }])
})

/** Loads Debian's Opus codec, or takes it away from Asterisk. */
async function setOpus (method: 'POST' | 'DELETE'): Promise<void> {
  const { url, username, password } = tacet.stack.ari
  const { status } = await fetch(new URL('/ari/asterisk/modules/codec_opus_open_source.so', url), { method, headers: { authorization: `Basic ${btoa(`${username}:${password}`)}` }, signal: AbortSignal.timeout(5000) })
  // 409: it is loaded already.
  if (status !== 204 && status !== 409) throw new Error(`Asterisk's Opus codec: ${method} was answered ${status}`)
}
