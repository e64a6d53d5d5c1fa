import type { IHeaders } from 'kafkajs'
import { dataSchemaOf, eventAttributesSchema, payloadSchema, type EventAttributes, type TacetEvent } from '@tacet/contracts'
import { z } from 'zod'

/** What goes to the producer for one event. */
export interface EventMessage {
  key: string
  value: string | null
  headers: Record<string, string>
}

export interface ReceivedMessage {
  key: Buffer | string | null
  value: Buffer | string | null
  headers?: IHeaders | undefined
}

/** What a message turned out to be. `unknown` types are for somebody else, or for a later version of us. */
export type ParsedMessage =
  | { kind: 'event', event: TacetEvent }
  | { kind: 'unknown', type: string }
  | { kind: 'poison', reason: string }

const attributeHeaders = {
  id: 'ce_id',
  type: 'ce_type',
  source: 'ce_source',
  subject: 'ce_subject',
  time: 'ce_time',
  correlationId: 'ce_correlationid',
  traceparent: 'ce_traceparent',
} satisfies Record<keyof EventAttributes, string>

/**
 * CloudEvents 1.0, Kafka protocol binding, binary mode; the key is the subject. Data of null becomes a tombstone.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
 */
export function toKafkaMessage ({ data, ...attributes }: TacetEvent): EventMessage {
  const headers: Record<string, string> = { ce_specversion: '1.0', ce_dataschema: dataSchemaOf(attributes.type), 'content-type': 'application/json' }
  for (const [name, header] of Object.entries(attributeHeaders)) {
    const value = attributes[name as keyof EventAttributes]
    if (value !== undefined) headers[header] = value
  }
  return { key: attributes.subject, value: data === null ? null : JSON.stringify(data), headers }
}

/** Reads a message of `topic` (its name without prefix) and checks it against the contracts. */
export function fromKafkaMessage (topic: string, message: ReceivedMessage): ParsedMessage {
  const header = (name: string) => headerText(message.headers?.[name])
  const specVersion = header('ce_specversion')
  if (specVersion !== '1.0') return { kind: 'poison', reason: `not a CloudEvent 1.0 (ce_specversion: ${specVersion ?? 'absent'})` }

  const attributes = eventAttributesSchema.safeParse(Object.fromEntries(Object.entries(attributeHeaders).map(([name, key]) => [name, header(key)])))
  if (!attributes.success) return { kind: 'poison', reason: `attributes: ${z.prettifyError(attributes.error)}` }

  const { type } = attributes.data
  const schema = payloadSchema(topic, type)
  if (schema === undefined) return { kind: 'unknown', type }
  // Absent attributes stay absent: with exact optional types undefined is not the same.
  const event = Object.fromEntries(Object.entries(attributes.data).filter(([, value]) => value !== undefined)) as EventAttributes
  if (message.value === null) return { kind: 'event', event: { ...event, data: null } }

  const json = parseJson(message.value.toString())
  if (!json.isOk) return { kind: 'poison', reason: 'the value is not JSON' }
  const data = schema.safeParse(json.value)
  if (!data.success) return { kind: 'poison', reason: `data of ${type}: ${z.prettifyError(data.error)}` }
  return { kind: 'event', event: { ...event, data: data.data } }
}

function headerText (value: IHeaders[string]): string | undefined {
  const first = Array.isArray(value) ? value[0] : value
  return first?.toString()
}

function parseJson (text: string): { isOk: true, value: unknown } | { isOk: false } {
  try {
    return { isOk: true, value: JSON.parse(text) }
  } catch {
    return { isOk: false }
  }
}
