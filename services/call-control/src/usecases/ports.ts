import type { CommandAnswer } from '@tacet/contracts'
import type { Call } from '../domain/call.ts'
import type { Attempt } from './audit-attempt.ts'

/** An event on its way out; `id` is chosen once, so that a repeated commit can't publish it twice. */
export interface Message {
  id: string
  topic: string
  type: string
  subject: string
  occurredAt: Date
  data: unknown
}

/** The answer to a command that came with an Idempotency-Key. */
export interface StoredAnswer {
  credentialId: string
  idempotencyKey: string
  callId: string
  action: 'pause' | 'resume'
  answer: CommandAnswer
}

export interface Commit {
  call: Call
  /** Grows with every commit of a call; an older one never overwrites a newer. */
  revision: number
  messages: Message[]
  answers: StoredAnswer[]
}

/** Written beside the stop, so that a pause asked for is not forgotten if we die before it is proven. */
export interface PauseIntent {
  callId: string
  /** Of the call when the pause was asked for: a call that has moved on since makes the intent stale. */
  revision: number
  attempt: Attempt
}

export interface OpenCall { call: Call, revision: number, intents: PauseIntent[] }

/** Keeps calls. Everything throws StoreUnavailable when the database can't be reached, and LeaseLost when another instance took over. */
export interface CallStore {
  /** One transaction: the call, its events, the answers given. Repeating it changes nothing. */
  commit (commit: Commit): Promise<void>
  noteIntent (intent: PauseIntent): Promise<void>
  /** Publishes what is about none of our calls. */
  announce (message: Message): Promise<void>
  loadOpen (): Promise<{ calls: OpenCall[], answers: StoredAnswer[] }>
  /** A call that is over or that another instance follows. */
  find (callId: string): Promise<Call | undefined>
}

export class StoreUnavailable extends Error {
  override name = 'StoreUnavailable'
}

export class LeaseLost extends Error {
  override name = 'LeaseLost'
}
