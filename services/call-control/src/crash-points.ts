import type { AriRest, RecorderDriver } from '@tacet/ari'
import type { Reached } from '@tacet/service-kit'
import type { Commands } from './usecases/command-recording.ts'
import type { CallStore } from './usecases/ports.ts'

/**
 * The steps of a pause (P), a resume (R) and a first start (S), each reached when it is done, as the design numbers them;
 * P7 is recording-assembly's.
 * `P2-intent`: the intent is written, which happens beside P2 and P3. `P-sent`: Kafka has the events, and the outbox does not know it yet.
 */
export const crashPoints = ['P1', 'P2', 'P2-intent', 'P3', 'P4', 'P5', 'P6', 'P-sent', 'R1', 'R2', 'R3', 'R4', 'R5', 'R6', 'S1', 'S2', 'S3', 'S4', 'S5'] as const

/** Each hands back what it is given, or the same that tells of its steps. */
export interface Marks {
  rest: (rest: AriRest) => AriRest
  driver: (driver: RecorderDriver) => RecorderDriver
  store: (store: CallStore) => CallStore
  commands: (commands: Commands) => Commands
  sent: () => void
}

/** Lets what the steps are made of tell when they are done. Without `reached` everything is handed back as it is. */
export function createMarks (reached: Reached | undefined): Marks {
  if (!reached) return { rest: rest => rest, driver: driver => driver, store: store => store, commands: commands => commands, sent () {} }
  return {
    sent: () => reached('P-sent'),
    rest: rest => ({
      ...rest,
      async continueInDialplan (channelId, context, extension, ...more) {
        await rest.continueInDialplan(channelId, context, extension, ...more)
        if (extension.startsWith('stop-')) reached('P2')
      },
    }),
    driver: driver => ({
      ...driver,
      async stop (request) {
        reached('P1')
        const proof = await driver.stop(request)
        reached('P3')
        return proof
      },
      async discard (...request) {
        await driver.discard(...request)
        reached('P6')
      },
      async start (request) {
        const letter = startOf(Number(/-(\d+)(-in|-out)?$/.exec(request.recorderId)?.[1]))
        reached(`${letter}3`)
        const proof = await driver.start(request)
        reached(`${letter}4`)
        return proof
      },
    }),
    store: store => ({
      ...store,
      async noteIntent (intent) {
        await store.noteIntent(intent)
        reached('P2-intent')
      },
      async commit (commit) {
        const { phase } = commit.call.recording
        const letter = 'segment' in phase ? startOf(phase.segment.number) : 'P'
        const isReservation = phase.status === 'starting' || phase.status === 'resuming'
        if (isReservation) reached(`${letter}1`)
        await store.commit(commit)
        if (isReservation) reached(`${letter}2`)
        if (phase.status === 'recording') reached(`${letter}5`)
        if (phase.status === 'paused') reached('P4')
      },
    }),
    commands: commands => ({
      ...commands,
      async execute (command) {
        const answer = await commands.execute(command)
        // By then it is written to the socket.
        setImmediate(() => reached(command.action === 'pause' ? 'P5' : 'R6'))
        return answer
      },
    }),
  }
}

const startOf = (segment: number) => segment === 1 ? 'S' : 'R'
