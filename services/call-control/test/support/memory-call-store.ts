import { outboxRows } from '@tacet/service-kit'
import { isOver, type Call } from '../../src/domain/call.ts'
import { LeaseLost, StoreUnavailable, type CallStore, type Message, type PauseIntent, type StoredAnswer } from '../../src/usecases/ports.ts'

interface Row { call: Call, pbxId: string, revision: number, epoch: number }

/** What several instances share. */
export interface MemoryDatabase {
  calls: Map<string, Row>
  intents: PauseIntent[]
  answers: StoredAnswer[]
  outbox: Message[]
}

export const createMemoryDatabase = (): MemoryDatabase => ({ calls: new Map(), intents: [], answers: [], outbox: [] })

export interface MemoryCallStore extends CallStore {
  database: MemoryDatabase
  /** The database is away. */
  isDown: boolean
  /** The commit happens, its answer gets lost. */
  losesAnswers: boolean
  /** Commits wait for this. */
  gate: Promise<void> | undefined
  commits: number
}

/** The call store in memory, under one epoch. Like the real one it refuses events that the contracts don't know. */
export function createMemoryCallStore ({ database = createMemoryDatabase(), pbxId = 'demo', epoch = 1 } = {}): MemoryCallStore {
  const isThere = () => {
    if (store.isDown) throw new StoreUnavailable('the database is away')
  }

  const store: MemoryCallStore = {
    database,
    isDown: false,
    losesAnswers: false,
    gate: undefined,
    commits: 0,

    async commit ({ call, revision, messages, answers }) {
      store.commits += 1
      const written = structuredClone({ call, messages, answers })
      outboxRows(messages)
      await store.gate
      isThere()
      const row = database.calls.get(call.callId)
      if (row && (row.epoch > epoch || row.revision >= revision)) {
        if (row.epoch === epoch && row.revision === revision) return
        throw new LeaseLost(`call ${call.callId} is at revision ${row.revision} of epoch ${row.epoch}`)
      }
      database.calls.set(call.callId, { call: written.call, pbxId, revision, epoch })
      const isNewEvent = (message: Message) => !database.outbox.some(({ id }) => id === message.id)
      database.outbox.push(...written.messages.filter(isNewEvent))
      const isNewAnswer = (answer: StoredAnswer) => !database.answers.some(({ credentialId, idempotencyKey }) => credentialId === answer.credentialId && idempotencyKey === answer.idempotencyKey)
      database.answers.push(...written.answers.filter(isNewAnswer))
      database.intents = database.intents.filter(intent => intent.callId !== call.callId || intent.revision >= revision)
      if (store.losesAnswers) throw new StoreUnavailable('the answer got lost')
    },
    async noteIntent (intent) {
      isThere()
      database.intents.push(structuredClone(intent))
    },
    async announce (message) {
      isThere()
      outboxRows([message])
      database.outbox.push(structuredClone(message))
    },
    async loadOpen () {
      isThere()
      const open = [...database.calls.values()].filter(row => row.pbxId === pbxId && !isOver(row.call))
      const callIds = new Set(open.map(({ call }) => call.callId))
      return structuredClone({
        calls: open.map(({ call, revision }) => ({ call, revision, intents: database.intents.filter(({ callId }) => callId === call.callId).sort((one, other) => one.attempt.requestedAtMs - other.attempt.requestedAtMs) })),
        answers: database.answers.filter(({ callId }) => callIds.has(callId)),
      })
    },
    async find (callId) {
      isThere()
      return structuredClone(database.calls.get(callId)?.call)
    },
  }
  return store
}
