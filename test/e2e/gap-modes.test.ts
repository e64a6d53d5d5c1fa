import t from 'tap'
import { numbers, openOffice } from '../support/office.ts'
import { checkPlacement } from '../support/placement.ts'
import { checkAudio, proofOf } from '../support/proof.ts'
import { receiveCall, speak } from '../support/talk.ts'
import { startTacet } from '../support/tacet.ts'

t.setTimeout(180_000)
const tacet = await startTacet(t)
const office = await openOffice(t, tacet)

/** Those of a round at the same time, at a desk each. */
const rounds = [
  [{ gaps: 'remove', recordingChannels: 'stereo' }, { gaps: 'silence', recordingChannels: 'mono' }],
  [{ gaps: 'silence', recordingChannels: 'stereo' }, { gaps: 'tone', recordingChannels: 'mono' }],
  [{ gaps: 'tone', recordingChannels: 'stereo' }],
] as const
const desks = [{ number: numbers.direct, desk: 0 }, { number: numbers.queue, desk: 1 }] as const

for (const round of rounds) {
  t.test(`every sample is where the timeline says, nothing is from a gap: ${round.map(({ gaps, recordingChannels }) => `${gaps} in ${recordingChannels}`).join(', ')}`, async t => {
    const talks = []
    for (const [index, settings] of round.entries()) {
      // Frozen when the call is answered.
      await tacet.putCompany(settings)
      const talk = await receiveCall(office, desks[index])
      await talk.isRecorded()
      talks.push({ ...talk, settings })
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

    for (const { settings: { gaps, recordingChannels }, ...talk } of talks) {
      await t.test(`${gaps}, ${recordingChannels}`, async t => {
        const proof = await proofOf(t, tacet, talk)
        t.match(proof.timeline, { gapMode: gaps, channels: recordingChannels === 'stereo' ? 2 : 1, fills: { length: gaps === 'remove' ? 0 : 2 } })
        const sides = [[talk.customer], [talk.agent]]
        const heard = recordingChannels === 'stereo' ? sides : [talk.voices]
        for (const [index, samples] of proof.channels.entries()) {
          checkAudio(t, { samples }, { voices: heard[index]!, recorded: talk.recorded, silent: talk.silent })
          const others = talk.voices.filter(voice => !heard[index]!.includes(voice))
          checkAudio(t, { samples }, { voices: others, recorded: [], silent: [...talk.recorded, ...talk.silent] })
        }
        checkPlacement(t, proof, heard)
      })
    }
  })
}
