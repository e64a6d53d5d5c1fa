// Makes every topic of topics.json that isn't there yet in KAFKA_BROKERS. KAFKA_REPLICATION_FACTOR: absent, the brokers' default.
import { readFileSync } from 'node:fs'
import { Kafka, logLevel } from 'kafkajs'

const { KAFKA_BROKERS = '', KAFKA_TOPIC_PREFIX = '', KAFKA_REPLICATION_FACTOR } = process.env
const wanted = JSON.parse(readFileSync(new URL('topics.json', import.meta.url), 'utf8'))
const admin = new Kafka({ brokers: KAFKA_BROKERS.split(','), logLevel: logLevel.ERROR }).admin()
await admin.connect()
try {
  const existing = new Set(await admin.listTopics())
  const missing = wanted.map(({ name, ...topic }) => ({ ...topic, topic: KAFKA_TOPIC_PREFIX + name })).filter(({ topic }) => !existing.has(topic))
  if (missing.length > 0) {
    await admin.createTopics({
      waitForLeaders: true,
      topics: missing.map(({ topic, partitions, configs }) => ({
        topic,
        numPartitions: partitions,
        replicationFactor: KAFKA_REPLICATION_FACTOR ? Number(KAFKA_REPLICATION_FACTOR) : -1,
        configEntries: Object.entries(configs).map(([name, value]) => ({ name, value })),
      })),
    })
  }
  console.log(`${missing.length} topics made, ${wanted.length - missing.length} were there`)
} finally {
  await admin.disconnect()
}
