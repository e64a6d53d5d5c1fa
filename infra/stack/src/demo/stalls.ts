import type { PlayedCall } from './call.ts'

const packetMs = 20

/** How long packets were held up at worst: sent late by a phone, or a hole in what Anna's phone received. */
export function longestStallMs ({ sent, receivedByAgent }: PlayedCall): number {
  const lateness = Object.values(sent).map(({ packets }) => {
    const offsets = packets.map(({ sentAtMs, number }) => sentAtMs - number * packetMs)
    return Math.max(...offsets) - Math.min(...offsets)
  })
  const holes = receivedByAgent.slice(1).map(({ arrivedAtMs }, index) => arrivedAtMs - receivedByAgent[index]!.arrivedAtMs - packetMs)
  return Math.round(Math.max(...lateness, ...holes))
}
