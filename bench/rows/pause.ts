import { connectBareAri } from '../bare-ari.ts'
import { startCallers } from '../calls.ts'
import { createClient } from '../client.ts'
import { describeSpread, spreadOf, time, type Figure } from '../figures.ts'
import type { Row } from '../row.ts'

const warmUps = 10

/** One call, paused by Tacet and, while it is paused, by bare ARI: turn about, on the same leg. */
export const pause: Row = {
  name: 'pause',
  needsStack: true,
  async run ({ stack, agentToken, times, say }) {
    const [callers, bare] = await Promise.all([startCallers(stack), connectBareAri(stack)])
    const tacet = createClient(stack.callControl!.url, { token: agentToken })
    try {
      const [call] = await callers.open(1)
      const path = `/v1/calls/${call!.callId}/recording`
      const leg = (await bare.legs()).get(call!.sipCallId)!
      const took = { pause: [] as number[], resume: [] as number[], bare: [] as number[], bareProof: [] as number[] }
      const count = times(200)
      for (let i = -warmUps; i < count; i++) {
        if (i % 50 === 0) say(`pause ${i} of ${count}`)
        const pauseMs = await time(() => tacet.post(`${path}/pause`))
        const recorderId = await bare.start(leg)
        const askedAtMs = performance.now()
        const provenAtMs = await bare.stop(recorderId)
        const bareMs = performance.now() - askedAtMs
        const resumeMs = await time(() => tacet.post(`${path}/resume`))
        if (i < 0) continue
        took.pause.push(pauseMs)
        took.resume.push(resumeMs)
        took.bare.push(bareMs)
        took.bareProof.push(provenAtMs - askedAtMs)
      }
      await callers.hangup()
      return [figureOf(took)]
    } finally {
      await Promise.all([callers.close(), bare.close(), tacet.close()])
    }
  },
}

function figureOf (took: Record<'pause' | 'resume' | 'bare' | 'bareProof', number[]>): Figure {
  const [paused, bare] = [spreadOf(took.pause), spreadOf(took.bare)]
  const ratio = paused.p50 / bare.p50
  return {
    figure: 'pause, request → 200, one call',
    tacet: describeSpread(paused),
    reference: `bare ARI (continue, StasisStart, DELETE): ${describeSpread(bare)}`,
    ratio,
    goal: 'p50 ≤ 5 ms, p99 ≤ 20 ms, ≤ 2.5 × bare',
    isMet: paused.p50 <= 5 && paused.p99 <= 20 && ratio <= 2.5,
    details: { paused, bare, bareUntilProof: spreadOf(took.bareProof), resumedWithItsGuard: spreadOf(took.resume) },
  }
}
