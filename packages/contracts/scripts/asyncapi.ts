import { z } from 'zod'
import { dataSchemaOf, eventAttributesSchema, eventCatalogue, topics } from '../src/index.ts'
import * as contracts from '../src/index.ts'

type Topic = keyof typeof eventCatalogue

interface Channel {
  title: string
  description: string
  key: string
  /** The services that write to the topic. */
  writers: contracts.ServiceName[]
  isCompacted?: boolean
}

const channels: Record<Topic, Channel> = {
  [topics.calls]: {
    title: 'Calls',
    description: 'Everything call-control says of a call. One call has one key, so its events keep their order; `seq` grows by one with each.',
    key: 'callId',
    writers: ['call-control'],
  },
  [topics.recordings]: { title: 'Recordings', description: 'What became of a finished recording.', key: 'recordingId', writers: ['recording-assembly'] },
  [topics.settings]: {
    title: 'Settings',
    description: 'The latest state of every company, number and agent. `version` only grows; an older one than you have is to be ignored.',
    key: 'companyId, numberId or agentId',
    writers: ['settings'],
    isCompacted: true,
  },
  [topics.credentials]: {
    title: 'Credentials',
    description: 'The latest state of every credential: the SHA-256 of its token, never the token; and the public keys by which JWTs are verified.',
    key: 'credentialId or keySetId',
    writers: ['settings'],
    isCompacted: true,
  },
  [topics.audit]: {
    title: 'Audit',
    description: 'Every command, refusal and change of settings: who, when, which rule decided.',
    key: 'companyId, or `operator` for entries of no company',
    writers: ['settings', 'call-control', 'recording-assembly'],
  },
}

/** Schemas that appear in several payloads; they are referred to by name. */
const shared = {
  TrackFile: contracts.trackFileSchema,
  Segment: contracts.segmentSchema,
  Actor: contracts.actorSchema,
  Gap: contracts.gapSchema,
  CallAgent: contracts.callAgentSchema,
  Manifest: contracts.manifestSchema,
  Company: contracts.companySchema,
  Number: contracts.numberSchema,
  Agent: contracts.agentSchema,
  Credential: contracts.credentialSchema,
  KeySet: contracts.keySetSchema,
  AuditEntry: contracts.auditEntrySchema,
}

const schemaPrefix = '#/components/schemas/'
const pascalCase = (type: string) => type.replaceAll(/(?:^|[.-])([a-z])/g, (_match, letter: string) => letter.toUpperCase())
const channelId = (topic: Topic) => channels[topic].title.toLowerCase()

const eventsOf = (topic: Topic): [type: string, schema: z.ZodType][] => Object.entries(eventCatalogue[topic])
const allTopics = Object.keys(eventCatalogue) as Topic[]
const allEvents = allTopics.flatMap(eventsOf)

/** Every payload and shared schema under its name, and the name of each. */
function createRegistry () {
  const registry = z.registry<{ id: string }>()
  for (const [id, schema] of Object.entries(shared)) registry.add(schema, { id })
  for (const [type, schema] of allEvents) {
    if (!registry.has(schema)) registry.add(schema, { id: pascalCase(type) })
  }
  return registry
}

/** Binary mode of the CloudEvents Kafka binding: the attributes are headers. */
function cloudEventTrait () {
  const { properties = {}, required = [] } = z.toJSONSchema(eventAttributesSchema, { target: 'draft-7' })
  const header = (attribute: string) => `ce_${attribute.toLowerCase()}`
  return {
    contentType: 'application/json',
    headers: {
      type: 'object',
      required: ['ce_specversion', ...required.map(header)],
      properties: {
        ce_specversion: { const: '1.0' },
        ...Object.fromEntries(Object.entries(properties).map(([attribute, schema]) => [header(attribute), schema])),
      },
    },
    correlationId: { location: '$message.header#/ce_correlationid' },
  }
}

const common = (topic: Topic) => ({
  bindings: { kafka: { key: { type: 'string', description: channels[topic].key } } },
  traits: [{ $ref: '#/components/messageTraits/cloudEvent' }],
})

const messageOf = (topic: Topic, type: string, payloadId: string) => ({
  name: type,
  headers: {
    type: 'object',
    properties: { ce_type: { const: type }, ce_dataschema: { const: dataSchemaOf(type) }, 'content-type': { const: 'application/json' } },
  },
  payload: { $ref: schemaPrefix + payloadId },
  ...common(topic),
})

const tombstone = (topic: Topic) => ({
  name: `${channelId(topic)}.tombstone`,
  summary: 'The entity with this key is gone. `ce_type` is the type its changes had.',
  payload: { type: 'null' },
  ...common(topic),
})

const channelOf = (topic: Topic) => {
  const { title, description, isCompacted, key } = channels[topic]
  const names = [...eventsOf(topic).map(([type]) => type), ...(isCompacted ? [`${channelId(topic)}.tombstone`] : [])]
  return {
    address: topic,
    title,
    description: `${description} Key: ${key}.${isCompacted ? ' Compacted, one partition: reading it from the start gives a snapshot.' : ''}`,
    messages: Object.fromEntries(names.map(name => [name, { $ref: `#/components/messages/${name}` }])),
    bindings: { kafka: { topic, ...(isCompacted ? { partitions: 1, topicConfiguration: { 'cleanup.policy': ['compact'] } } : {}) } },
  }
}

const operationsOf = (topic: Topic) => channels[topic].writers.map(writer => [
  `${writer}.${channelId(topic)}`,
  { action: 'send', channel: { $ref: `#/channels/${channelId(topic)}` }, title: `${writer} publishes ${channelId(topic)}` },
])

function tolerateNewFields (schema: { additionalProperties?: unknown }): void {
  if (schema.additionalProperties === false) delete schema.additionalProperties
}

/** The AsyncAPI 3.0 document of every event, made from the schemas that validate. */
export function createAsyncApi () {
  const registry = createRegistry()
  const { schemas } = z.toJSONSchema(registry, { target: 'draft-7', uri: id => schemaPrefix + id, override: ({ jsonSchema }) => tolerateNewFields(jsonSchema) })
  const messages = allTopics.flatMap(topic => [
    ...eventsOf(topic).map(([type, schema]) => [type, messageOf(topic, type, registry.get(schema)?.id ?? pascalCase(type))]),
    ...(channels[topic].isCompacted ? [[`${channelId(topic)}.tombstone`, tombstone(topic)]] : []),
  ])
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Tacet events',
      version: '1.0.0',
      description: [
        'CloudEvents 1.0 in Kafka binary mode. Topics may carry a prefix (`KAFKA_TOPIC_PREFIX`).',
        'Delivery is at least once: `ce_id` tells repetitions.',
        'New fields and new types may appear: ignore what you do not know. A breaking change gets a new topic.',
      ].join(' '),
    },
    defaultContentType: 'application/json',
    channels: Object.fromEntries(allTopics.map(topic => [channelId(topic), channelOf(topic)])),
    operations: Object.fromEntries(allTopics.flatMap(operationsOf)),
    components: {
      messageTraits: { cloudEvent: cloudEventTrait() },
      messages: Object.fromEntries(messages),
      schemas: Object.fromEntries(Object.entries(schemas).map(([id, { $id: _, $schema: __, ...schema }]) => [id, schema])),
    },
  }
}
