import { Parser } from '@asyncapi/parser'
import { readFile } from 'node:fs/promises'
import t from 'tap'
import { deadLetterTopic, eventCatalogue, topics } from '@tacet/contracts'
import { asyncApiText } from '../../scripts/generate.ts'
import { createAsyncApi } from '../../scripts/asyncapi.ts'

const committed = new URL('../../../../docs/contracts/asyncapi.yaml', import.meta.url)

t.test('the committed AsyncAPI document is what the schemas generate (else: npm run generate)', async t => {
  t.equal(await readFile(committed, 'utf8'), asyncApiText())
})

t.test('the document is valid AsyncAPI 3.0 and describes every event of the catalogue on its topic', async t => {
  const { document, diagnostics } = await new Parser().parse(asyncApiText())
  t.same(diagnostics.filter(({ severity }) => severity === 0).map(({ path, message }) => `${path.join('.')}: ${message}`), [])
  t.ok(document)

  const described = Object.fromEntries(document!.channels().all().map(channel => [
    channel.address(), channel.messages().all().map(message => message.name()).filter(name => !name?.endsWith('.tombstone')),
  ]))
  t.same(described, Object.fromEntries(Object.entries(eventCatalogue).map(([topic, events]) => [topic, Object.keys(events)])))
})

t.test('every message carries the CloudEvents headers of its type and a payload that is described', async t => {
  const { document } = await new Parser().parse(asyncApiText())
  for (const message of document!.messages().all()) {
    const { required, properties } = message.headers()!.json() as { required: string[], properties: Record<string, { const?: string }> }
    t.same(required, ['ce_specversion', 'ce_id', 'ce_type', 'ce_source', 'ce_subject', 'ce_time'], `${message.name()} headers`)
    if (!message.name()!.endsWith('.tombstone')) {
      t.equal(properties.ce_type?.const, message.name())
      t.equal(message.payload()!.type(), 'object', `${message.name()} payload`)
    }
  }
})

t.test('the document promises no reader that fields will never be added', async t => {
  t.notMatch(asyncApiText(), /additionalProperties: false/)
})

t.test('only the topics that hold a latest state are compacted, in one partition, with tombstones', async t => {
  const compacted = Object.values(createAsyncApi().channels).filter(channel => 'partitions' in channel.bindings.kafka)
  t.same(compacted.map(({ address }) => address), [topics.settings, topics.credentials])
  for (const { title, messages } of compacted) t.ok(`${title.toLowerCase()}.tombstone` in messages)
})

t.test('the topics that are created agree with the document', async t => {
  const file = await readFile(new URL('../../../../infra/kafka/topics.json', import.meta.url), 'utf8')
  const created = JSON.parse(file) as { name: string, partitions: number, configs: Record<string, string> }[]
  const deadLetters = (['settings', 'call-control', 'recording-assembly'] as const).map(deadLetterTopic)
  t.same(created.map(({ name }) => name).sort(), [...Object.values(topics), ...deadLetters].sort())
  for (const { name, partitions, configs } of created.filter(topic => topic.configs['cleanup.policy'] === 'compact')) {
    t.match({ name, partitions }, { name: /^tacet\.(settings|credentials)\.v1$/, partitions: 1 })
    t.notOk('retention.ms' in configs, 'a snapshot never expires')
  }
})
