import { topics } from '@tacet/contracts'
import { startCallers } from '../calls.ts'
import { createClient } from '../client.ts'
import { connectKafka, listen } from '../events.ts'
import { describeSpread, spreadOf } from '../figures.ts'
import type { Row } from '../row.ts'

const bareTopic = 'bench.bare'

/** From the answer to the phone until another service has the event; turn about with a message that goes straight to Kafka. */
export const events: Row = {
  name: 'events',
  needsStack: true,
  async run ({ stack, agentToken, times, say }) {
    const kafka = connectKafka(stack.kafka.brokers)
    const [admin, producer] = [kafka.admin(), kafka.producer()]
    await Promise.all([admin.connect(), producer.connect()])
    await admin.createTopics({ waitForLeaders: true, topics: [{ topic: bareTopic, numPartitions: 1, replicationFactor: 1 }] })
    const callTopic = stack.kafka.topicPrefix + topics.calls
    const [callers, listener] = await Promise.all([startCallers(stack), listen(stack.kafka.brokers, [callTopic, bareTopic])])
    const tacet = createClient(stack.callControl!.url, { token: agentToken })
    try {
      const [call] = await callers.open(1)
      const path = `/v1/calls/${call!.callId}/recording`
      const after200: number[] = []
      const bare: number[] = []
      const count = times(200)
      for (let i = -5; i < count; i++) {
        if (i % 50 === 0) say(`event ${i} of ${count}`)
        listener.arrived.length = 0
        const paused = listener.waitFor(({ key, type }) => key === call!.callId && type === 'recording.paused')
        await tacet.post(`${path}/pause`)
        const answeredAtMs = performance.now()
        const event = await paused
        const eventMs = event.atMs - answeredAtMs

        const received = listener.waitFor(({ key }) => key === `bare-${i}`)
        const sentAtMs = performance.now()
        await producer.send({ topic: bareTopic, acks: -1, messages: [{ key: `bare-${i}`, value: 'x'.repeat(event.bytes) }] })
        const bareMs = (await received).atMs - sentAtMs
        await tacet.post(`${path}/resume`)
        if (i < 0) continue
        after200.push(eventMs)
        bare.push(bareMs)
      }
      await callers.hangup()
      const [published, reference] = [spreadOf(after200), spreadOf(bare)]
      return [{
        figure: '200 → its event at a Kafka consumer',
        tacet: describeSpread(published),
        reference: `bare kafkajs, produce → consume: ${describeSpread(reference)}`,
        ratio: published.p50 / reference.p50,
        goal: 'p99 ≤ 50 ms',
        isMet: published.p99 <= 50,
        details: { published, reference },
      }]
    } finally {
      await Promise.all([callers.close(), listener.close(), tacet.close(), producer.disconnect(), admin.disconnect()])
    }
  },
}
