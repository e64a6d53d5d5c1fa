import { setTimeout } from 'node:timers/promises'
import { connectBareAri } from '../bare-ari.ts'
import { startCallers } from '../calls.ts'
import { createClient } from '../client.ts'
import { describeSpread, spreadOf, time, type Figure } from '../figures.ts'
import { createPresses, hasTrouble, noteTrouble, type Presses } from '../presses.ts'
import type { Row } from '../row.ts'

const warmUps = 10
/** More than any real call; each adds a segment to the call. */
const pausesPerCall = 20

/** Until what the last press has set off, in Kafka and behind it, is done, and until a recorder has something in its file. */
const settled = () => setTimeout(200)

/** One call, paused by Tacet and, while it is paused, by bare ARI: turn about, on the same leg. */
export const pause: Row = {
  name: 'pause',
  needsStack: true,
  async run ({ stack, agentToken, times, say }) {
    const [callers, bare] = await Promise.all([startCallers(stack), connectBareAri(stack)])
    const tacet = createClient(stack.callControl!.url, { token: agentToken })
    try {
      const presses = createPresses(tacet)
      const nextCall = async () => {
        await callers.hangup()
        const [call] = await callers.open(1)
        return { callId: call!.callId, leg: (await bare.legs()).get(call!.sipCallId)! }
      }
      let call = await nextCall()
      const took = { resume: [] as number[], bare: [] as number[] }
      const count = times(200)
      for (let i = -warmUps; i < count; i++) {
        if (i % 50 === 0) say(`pause ${i} of ${count}`)
        if (i > 0 && i % pausesPerCall === 0) call = await nextCall()
        await settled()
        await presses.pause(call.callId)
        await settled()
        const recorderId = await bare.start(call.leg)
        await settled()
        const askedAtMs = performance.now()
        const bareMs = await bare.stop(recorderId) - askedAtMs
        await bare.remove(recorderId)
        const resumeMs = await time(() => presses.resume(call.callId))
        if (i < 0) continue
        took.resume.push(resumeMs)
        took.bare.push(bareMs)
      }
      await callers.hangup()
      return [figureOf({ ...took, pause: presses.tookMs.slice(warmUps) }, presses)]
    } finally {
      await Promise.all([callers.close(), bare.close(), tacet.close()])
    }
  },
}

function figureOf (took: Record<'pause' | 'resume' | 'bare', number[]>, presses: Presses): Figure {
  const [paused, bare] = [spreadOf(took.pause), spreadOf(took.bare)]
  const ratio = paused.p50 / bare.p50
  return {
    figure: 'pause, request → 200, one call',
    tacet: describeSpread(paused) + noteTrouble(presses),
    reference: `bare ARI, continue → StasisStart: ${describeSpread(bare)}`,
    ratio,
    goal: 'p50 ≤ 5 ms, p99 ≤ 20 ms, ≤ 2.5 × bare',
    isMet: paused.p50 <= 5 && paused.p99 <= 20 && ratio <= 2.5 && !hasTrouble(presses),
    details: { paused, undurable: presses.undurable, failed: presses.failed, lastFailure: presses.lastFailure, bare, resumedWithItsGuard: spreadOf(took.resume) },
  }
}
