import { connectBareAri, type BareAri } from '../bare-ari.ts'
import { startCallers, type BenchCall } from '../calls.ts'
import { createClient, type Client } from '../client.ts'
import { describeSpread, median, ms, spreadOf, time, type Figure } from '../figures.ts'
import { createPresses, hasTrouble, noteTrouble, type Presses } from '../presses.ts'
import type { Row } from '../row.ts'

const sizes = [50, 100]
const goalMs = 150

/** Many calls paused in the same instant, each by a phone with a connection of its own. */
export const together: Row = {
  name: 'together',
  needsStack: true,
  async run ({ stack, agentToken, times, say }) {
    const [callers, bare] = await Promise.all([startCallers(stack), connectBareAri(stack)])
    const tacet = createClient(stack.callControl!.url, { token: agentToken, connections: Math.max(...sizes) })
    try {
      say('placing calls')
      const calls = await callers.open(times(Math.max(...sizes)))
      const legs = await bare.legs()
      const figures: Figure[] = []
      for (const size of sizes) {
        const some = calls.slice(0, size)
        const rounds = []
        for (let round = -1; round < times(10); round++) {
          say(`${some.length} calls, round ${round}`)
          const took = await playRound(some, legs, tacet, bare)
          if (round >= 0) rounds.push(took)
        }
        figures.push(figureOf(some.length, rounds))
      }
      await callers.hangup()
      return figures
    } finally {
      await Promise.all([callers.close(), bare.close(), tacet.close()])
    }
  },
}

interface Round { allMs: number, bareAllMs: number, presses: Presses }

async function playRound (calls: BenchCall[], legs: Map<string, string>, tacet: Client, bare: BareAri): Promise<Round> {
  const everywhere = async (work: (call: BenchCall) => Promise<unknown>) => await Promise.all(calls.map(work))
  await everywhere(({ callId }) => tacet.get(`/v1/calls/${callId}/recording`)) // all connections are up
  const presses = createPresses(tacet)
  const allMs = await time(() => everywhere(({ callId }) => presses.pause(callId)))
  const recorders: string[] = []
  for (const { sipCallId } of calls) recorders.push(await bare.start(legs.get(sipCallId)!))
  const bareAllMs = await time(() => Promise.all(recorders.map(bare.stop)))
  await Promise.all(recorders.map(bare.remove))
  for (let i = 0; i < calls.length; i += 10) await Promise.all(calls.slice(i, i + 10).map(({ callId }) => presses.resume(callId)))
  return { allMs, bareAllMs, presses }
}

function figureOf (size: number, rounds: Round[]): Figure {
  const [all, bareAll] = [rounds.map(({ allMs }) => allMs), rounds.map(({ bareAllMs }) => bareAllMs)]
  const ratio = median(all) / median(bareAll)
  const total = (what: 'undurable' | 'failed') => rounds.reduce((sum, { presses }) => sum + presses[what], 0)
  const trouble = { undurable: total('undurable'), failed: total('failed') }
  return {
    figure: `${size} calls paused at once, until all have their 200`,
    tacet: `median ${ms(median(all))}, worst ${ms(Math.max(...all))}${noteTrouble(trouble)}`,
    reference: `bare ARI, continue → StasisStart, 8 connections: median ${ms(median(bareAll))}, worst ${ms(Math.max(...bareAll))}`,
    ratio,
    goal: `all ≤ ${goalMs} ms each time, ≤ 2 × bare`,
    isMet: Math.max(...all) <= goalMs && ratio <= 2 && !hasTrouble(trouble),
    details: { rounds: rounds.length, ...trouble, lastFailure: rounds.findLast(({ presses }) => presses.lastFailure)?.presses.lastFailure, all, bareAll, each: describeSpread(spreadOf(rounds.flatMap(({ presses }) => presses.tookMs))) },
  }
}
