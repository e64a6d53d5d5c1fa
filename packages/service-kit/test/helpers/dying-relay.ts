import { createKafka, createLogger, createMetrics, createRelay, openDatabase } from '@tacet/service-kit'
import { outbox } from './schema.ts'

/** A relay whose process is killed right after Kafka has the first batch, before the rows are marked. */
const [url = '', broker = '', topicPrefix = ''] = process.argv.slice(2)
const logger = createLogger({ name: 'dying', level: 'silent' })
const database = openDatabase({ url, name: 'dying-relay', logger })
const kafka = createKafka({ brokers: [broker], clientId: 'dying', topicPrefix, logger })

createRelay({
  database,
  table: outbox,
  source: 'urn:tacet:test',
  logger,
  metrics: createMetrics({ name: 'dying' }),
  kafka: {
    ...kafka,
    createProducer () {
      const producer = kafka.createProducer()
      return {
        ...producer,
        async sendBatch (batch) {
          await producer.sendBatch(batch)
          process.kill(process.pid, 'SIGKILL')
          return []
        },
      }
    },
  },
}).start()
