import { deadLetterTopic, topics } from '@tacet/contracts'
import { createKafka, createLogger } from '@tacet/service-kit'
import { messageOf, ok, unknown, warning, wrong, type Finding } from './finding.ts'

const wanted = [...Object.values(topics), ...(['settings', 'call-control', 'recording-assembly'] as const).map(deadLetterTopic)]
const onePartition: string[] = [topics.settings, topics.credentials]

/** Whether the topics are there, whole, and whether somebody should look at the dead letters. */
export async function checkTopics (brokers: string[] | undefined, topicPrefix: string): Promise<Finding[]> {
  if (brokers === undefined) return [unknown('Kafka', 'its address is not known', 'set KAFKA_BROKERS (and KAFKA_TOPIC_PREFIX)')]
  const kafka = createKafka({ brokers, clientId: 'tacet-doctor', topicPrefix, logger: createLogger({ name: 'doctor', level: 'silent' }) })
  const admin = kafka.createAdmin()
  try {
    await admin.connect()
    const existing = new Set(await admin.listTopics())
    const there = wanted.filter(topic => existing.has(kafka.prefixed(topic)))
    const missing = wanted.filter(topic => !there.includes(topic))
    const { topics: metadata } = await admin.fetchTopicMetadata({ topics: there.map(topic => kafka.prefixed(topic)) })
    const letters = await Promise.all(there.filter(topic => topic.endsWith('.dead-letters.v1')).map(async topic => {
      const offsets = await admin.fetchTopicOffsets(kafka.prefixed(topic))
      return { topic, count: offsets.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0) }
    }))
    return [
      missing.length === 0 ? ok('Kafka: topics', `all ${there.length} are there`) : wrong('Kafka: topics', `missing: ${missing.join(', ')}`, 'create them as infra/kafka/topics.json says'),
      ...metadata.filter(({ name, partitions }) => onePartition.includes(kafka.unprefixed(name)) && partitions.length !== 1)
        .map(({ name, partitions }) => wrong(`Kafka: ${name}`, `has ${partitions.length} partitions`, 'it must have one, or the order of changes is lost: make it again')),
      ...letters.filter(({ count }) => count > 0).map(({ topic, count }) => warning(`Kafka: ${topic}`, `${count} messages nobody could read`, 'look at their header dead_letter_reason')),
    ]
  } catch (error) {
    return [wrong('Kafka', `not reached at ${brokers.join(', ')} (${messageOf(error)})`, 'look whether Kafka runs and is reachable under the names it advertises')]
  } finally {
    await admin.disconnect().catch(() => {})
  }
}
