import { payloadSchema } from '@tacet/contracts'
import { v7 as uuidv7 } from 'uuid'
import { currentCorrelationId } from '../context.ts'
import type { Executor } from '../db/database.ts'
import type { OutboxTable } from './table.ts'

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
  if (messages.length === 0) return
  await executor.insert(table).values(outboxRows(messages))
}

/** The rows that `appendToOutbox` would write, for those who put them into a larger statement. Throws when data does not match the contracts. */
export const outboxRows = (messages: OutboxMessage[]): OutboxTable['$inferInsert'][] => messages.map(toRow)

function toRow (message: OutboxMessage): OutboxTable['$inferInsert'] {
  const { topic, type, subject, data, id = uuidv7(), occurredAt = new Date(), correlationId = currentCorrelationId(), traceparent } = message
  const schema = payloadSchema(topic, type)
  if (schema === undefined) throw new Error(`The contracts know no event ${type} in ${topic}`)
  return {
    eventId: id,
    topic,
    key: subject,
    type,
    headers: { ...(correlationId === undefined ? {} : { correlationId }), ...(traceparent === undefined ? {} : { traceparent }) },
    payload: data === null ? null : schema.parse(data),
    occurredAt,
  }
}
