import { randomUUID } from 'node:crypto'
import { CloudEvent, Kafka, type KafkaMessage } from 'cloudevents'
import t from 'tap'
import { topics, type TacetEvent } from '@tacet/contracts'
import { fromKafkaMessage, toKafkaMessage } from '@tacet/service-kit'
import { callHeld } from '../helpers/events.ts'

const callId = randomUUID()
const { type, subject, data } = callHeld(callId, 1)
const event: TacetEvent = {
  id: randomUUID(), type, source: 'urn:tacet:call-control', subject, time: '2026-11-23T09:00:00.000Z', correlationId: 'c-1', traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', data,
}

t.test('the CloudEvents SDK reads what we write', async t => {
  const { key, value, headers } = toKafkaMessage(event)
  const message = { key, value, body: value, headers } as unknown as KafkaMessage<unknown>
  t.ok(Kafka.isEvent(message))
  const read = Kafka.toEvent(message) as CloudEvent<unknown>
  t.ok(read.validate())
  t.match(read, { id: event.id, type, source: event.source, subject, time: event.time, specversion: '1.0', datacontenttype: 'application/json', dataschema: 'urn:tacet:event:call.held:1' })
  t.match(read, { correlationid: 'c-1', traceparent: event.traceparent })
  t.same(read.data, data)
})

t.test('we read what the CloudEvents SDK writes', async t => {
  const written = new CloudEvent({ ...event, correlationId: undefined, correlationid: 'c-1', data }, false)
  const { headers, body } = Kafka.binary(written)
  const parsed = fromKafkaMessage(topics.calls, { key: subject, value: JSON.stringify(body), headers: headers as Record<string, string> })
  t.match(parsed, { kind: 'event', event: { id: event.id, type, source: event.source, subject, correlationId: 'c-1', data: { callId, seq: 1 } } })
})

t.test('what we write we read again, unchanged', async t => {
  t.same(fromKafkaMessage(topics.calls, toKafkaMessage(event)), { kind: 'event', event })
  t.equal(toKafkaMessage(event).key, subject)
})

t.test('absent attributes make no headers', async t => {
  const { correlationId: _, traceparent: __, ...bare } = event
  t.notMatch(Object.keys(toKafkaMessage(bare).headers), /correlationid|traceparent/)
  t.same(fromKafkaMessage(topics.calls, toKafkaMessage(bare)), { kind: 'event', event: bare })
})

t.test('data of null is a tombstone both ways', async t => {
  const message = toKafkaMessage({ ...event, data: null })
  t.equal(message.value, null)
  t.match(fromKafkaMessage(topics.calls, message), { kind: 'event', event: { data: null } })
})

t.test('fields we do not know are tolerated', async t => {
  const message = toKafkaMessage({ ...event, data: { ...data as object, mood: 'blue' } })
  t.match(fromKafkaMessage(topics.calls, message), { kind: 'event' })
})

t.test('a type the topic does not have is unknown, not poison', async t => {
  t.same(fromKafkaMessage(topics.recordings, toKafkaMessage(event)), { kind: 'unknown', type })
  t.same(fromKafkaMessage(topics.calls, toKafkaMessage({ ...event, type: 'toString' })), { kind: 'unknown', type: 'toString' })
})

t.test('what is no event of ours is poison, with the reason', async t => {
  const message = toKafkaMessage(event)
  const reasonOf = (changes: object) => {
    const parsed = fromKafkaMessage(topics.calls, { ...message, ...changes })
    return parsed.kind === 'poison' ? parsed.reason : parsed.kind
  }
  t.match(reasonOf({ headers: undefined }), /ce_specversion: absent/)
  t.match(reasonOf({ headers: { ...message.headers, ce_specversion: '0.3' } }), /0\.3/)
  t.match(reasonOf({ headers: { ...message.headers, ce_time: 'yesterday' } }), /time/)
  t.match(reasonOf({ value: '{' }), /not JSON/)
  t.match(reasonOf({ value: '{"seq":0}' }), /callId/)
})
