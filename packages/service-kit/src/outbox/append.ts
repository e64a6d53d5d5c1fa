import { payloadSchema } from '@tacet/contracts'
import { v7 as uuidv7 } from 'uuid'
import { currentCorrelationId } from '../context.ts'
import type { Executor } from '../db/database.ts'
import type { OutboxRow, OutboxTable } from './table.ts'

export type NewOutboxRow = Required<Pick<OutboxRow, 'eventId' | 'topic' | 'key' | 'type' | 'headers' | 'payload' | 'occurredAt'>>

export interface OutboxMessage {
  topic: string
  type: string
  /** The entity the event is about; becomes the key. */
  subject: string
  /** null makes a tombstone, in compacted topics only. */
  data: unknown
  /** Chosen by the caller when a repeated transaction must not make a second event. */
  id?: string
  occurredAt?: Date
  correlationId?: string
  traceparent?: string
}

/**
 * Writes events in the caller's transaction, in one statement; call `relay.wake()` after the commit.
 * Events of one key keep their order if their writers take turns, which they do when each first changes the entity's row.
 * Throws when data does not match the contracts: what we publish is never poison.
 */
export async function appendToOutbox (executor: Executor, table: OutboxTable, messages: OutboxMessage[]): Promise<void> {
  if (messages.length > 0) await executor.insert(table).values(outboxRows(messages))
}

/** The rows that `appendToOutbox` writes, for those who write them within a larger statement. */
export function outboxRows (messages: OutboxMessage[]): NewOutboxRow[] {
  return messages.map(message => {
    const { topic, type, subject, data, id = uuidv7(), occurredAt = new Date(), correlationId = currentCorrelationId(), traceparent } = message
    return {
      eventId: id,
      topic,
      key: subject,
      type,
      headers: { ...(correlationId === undefined ? {} : { correlationId }), ...(traceparent === undefined ? {} : { traceparent }) },
      payload: data === null ? null : checkedData(topic, type, data),
      occurredAt,
    }
  })
}

function checkedData (topic: string, type: string, data: unknown): unknown {
  const schema = payloadSchema(topic, type)
  if (schema === undefined) throw new Error(`The contracts know no event ${type} in ${topic}`)
  return schema.parse(data)
}
