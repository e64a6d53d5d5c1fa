import { createFakeRecorderDriver, type FakeRecorderDriver } from '@tacet/ari'
import { v5 as uuidv5 } from 'uuid'
import type { Call } from '../../src/domain/call.ts'
import type { Leg } from '../../src/domain/pbx.ts'
import { createCallSession, type CallSession } from '../../src/usecases/call-session.ts'
import { createAnswerBook, createCommands, type Action, type AnswerBook, type Command, type Commands } from '../../src/usecases/command-recording.ts'
import { createCallFollower, type CallFollower } from '../../src/usecases/follow-calls.ts'
import { keepPolicySilence } from '../../src/usecases/keep-policy-silence.ts'
import { createLull, type Lull } from '../../src/usecases/lull.ts'
import type { CallStore, Message } from '../../src/usecases/ports.ts'
import type { RecorderTimings } from '../../src/usecases/recorders.ts'
import { createFakeTime, type FakeTime } from './fake-time.ts'
import { createMemoryCallStore, type MemoryCallStore } from './memory-call-store.ts'
import { anna, asAgent, createSettings, type Settings } from './rules.ts'

export interface Lab {
  time: FakeTime
  driver: FakeRecorderDriver
  store: MemoryCallStore
  /** What calls are stored in: `store`, unless the options name another. */
  callStore: CallStore
  answers: AnswerBook
  lull: Lull
  follower: CallFollower
  commands: Commands
  newId: () => string
  /** What the recorders complained about. */
  complaints: string[]
  storeFailures: unknown[]
  /** Every event and audit entry that was stored, in order. */
  messages: () => Message[]
  eventTypes: () => string[]
  command: (action: Action, callId: string, fields?: Partial<Command>) => Promise<Awaited<ReturnType<Commands['execute']>>>
  /** An inbound call from the trunk to Anna, answered and settled. */
  answerCall: () => Promise<CallSession>
  hangUp: () => Promise<void>
}

export interface LabOptions extends Settings {
  time?: FakeTime
  driver?: FakeRecorderDriver
  store?: MemoryCallStore
  callStore?: CallStore
  timings?: Partial<RecorderTimings>
}

export const timings: RecorderTimings = { resumeGuardMs: 150, startTimeoutMs: 2000, stopTimeoutMs: 2000, retryDelayMs: 500, maxSealAttempts: 5 }
export const commitTimeoutMs = 1000

const namespace = 'b3f2f6a4-2f0e-4f0e-9a57-6b8f6f3d1c50'
export const callIdOf = (linkedId: string): string => uuidv5(`demo/${linkedId}`, namespace)

/** The use cases of one instance, on a recorder driver and a store in memory, in fake time. */
export function createLab (options: LabOptions = {}): Lab {
  const { time = createFakeTime(), driver = createFakeRecorderDriver({ clock: time.clock }), store = createMemoryCallStore() } = options
  const { callStore = store } = options
  const answers = createAnswerBook()
  const complaints: string[] = []
  const storeFailures: unknown[] = []
  let ids = 0
  const prefix = Math.floor(Math.random() * 0xffff_ffff).toString(16).padStart(8, '0')
  const newId = () => `${prefix}-0000-7000-8000-${(ids += 1).toString(16).padStart(12, '0')}`

  const lull = createLull({ wait: time.wait, withinMs: 250 })

  const openSession = (call: Call, revision: number): CallSession => createCallSession(call, revision, {
    store: callStore,
    driver,
    lull,
    timings: { ...timings, ...options.timings },
    clock: time.now,
    wait: time.wait,
    newId,
    commitTimeoutMs,
    backoff: function * () { for (;;) yield 100 },
    onStored: () => {},
    onFailure: error => storeFailures.push(error),
    onError: (_error, what, segment) => complaints.push(`${what}: ${segment}`),
    onTransition: (before, _input, { call: after }) => {
      if (before.recording.phase.status === after.recording.phase.status && before.participants === after.participants) return
      queueMicrotask(() => keepPolicySilence(follower.sessions(), time.now()))
    },
  })
  const follower = createCallFollower({ ...createSettings(options), pbxId: 'demo', clock: time.now, callIdOf, openSession })
  const commands = createCommands({ clock: time.now, lull, newId, store: callStore, answers, session: follower.session, onIntentFailure: error => storeFailures.push(error), onRefusalNotStored: error => storeFailures.push(error) })

  return {
    time,
    driver,
    store,
    callStore,
    answers,
    lull,
    follower,
    commands,
    newId,
    complaints,
    storeFailures,
    messages: () => store.database.outbox,
    eventTypes: () => store.database.outbox.map(({ type }) => type),
    command: (action, callId, fields = {}) => commands.execute({ action, principal: asAgent(anna), callId, idempotencyKey: null, note: null, address: null, device: 'test', ...fields }),
    async answerCall () {
      for (const leg of [trunkLeg, annaLeg]) follower.apply({ type: 'leg-seen', leg: leg({ stage: 'ringing' }) })
      for (const leg of [trunkLeg, annaLeg]) follower.apply({ type: 'leg-seen', leg: leg() })
      follower.apply({ type: 'bridge', bridgeId: 'b1', channelIds: [annaLeg().channelId, trunkLeg().channelId] })
      await time.settle()
      return follower.session(callIdOf(trunkLeg().channelId))!
    },
    async hangUp () {
      driver.hangUpLeg(trunkLeg().channelId)
      for (const { channelId } of [annaLeg(), trunkLeg()]) follower.apply({ type: 'leg-gone', channelId })
      await time.settle()
    },
  }
}

export const leg = (fields: Partial<Leg> & Pick<Leg, 'channelId' | 'endpoint'>): Leg => ({
  linkedId: '1795419347.6',
  stage: 'up',
  createdAtMs: Date.parse('2026-11-23T08:59:50.000Z'),
  callerNumber: null,
  connectedNumber: null,
  dialledNumber: null,
  sipCallId: null,
  numberOverride: null,
  isWideband: false,
  ...fields,
})

export const trunkLeg = (fields: Partial<Leg> = {}): Leg =>
  leg({ channelId: '1795419347.6', endpoint: 'PJSIP/trunk', callerNumber: '+447700900123', dialledNumber: '+442071838750', sipCallId: 'trunk-sip', ...fields })
export const annaLeg = (fields: Partial<Leg> = {}): Leg =>
  leg({ channelId: '1795419347.7', endpoint: 'PJSIP/1001', callerNumber: '1001', connectedNumber: '+447700900123', sipCallId: 'anna-sip', ...fields })
