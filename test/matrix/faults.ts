import { crashPointsOf } from '../../services/recording-assembly/src/crash-points.ts'
import { crashPoints } from '../../services/call-control/src/crash-points.ts'
import { addSecond, closeThief, contest, drainAsterisk, freeze, isAsleep, isReplaced, isSecondInCharge, registerAll, removeSecond, startDrained, takeWebsocket, wake } from './disturb.ts'
import { startAgain, type Act, type Fault, type Group } from './play.ts'
import { replayKafka } from './replay.ts'

const nothing = async () => {}

/** call-control kills itself when it reaches the point, and is started again. */
const killedAt = (point: string): Fault => ({
  name: `call-control killed at ${point}`,
  ...at[point[0] as 'P' | 'R' | 'S'],
  armed: { service: 'call-control', env: { TACET_CRASH_AT: point } },
  inject: nothing,
  recover: async (world, next) => await startAgain(world, 'call-control', next),
  lastsMs: 300,
  costs: 5,
})
const at: Record<'P' | 'R' | 'S', { group: Group, during: Act[] }> = {
  P: { group: 'pause', during: ['pause'] },
  R: { group: 'resume', during: ['resume'] },
  S: { group: 'resume', during: ['call'] },
}

/** The same for recording-assembly: it has work when a pause closes a segment, and at the end of a call. */
const assemblyKilledAt = (act: 'pause' | 'hang up') => (point: string): Fault => ({
  name: `recording-assembly killed at ${point}`,
  group: 'assembly',
  during: [act],
  armed: { service: 'recording-assembly', env: { TACET_CRASH_AT: point } },
  inject: nothing,
  recover: async (world, next) => await startAgain(world, 'recording-assembly', next),
  lastsMs: 100,
  // A consumer that was killed holds up its group for ten seconds.
  costs: 18,
})

interface Disturbance extends Partial<Fault> { during: Fault['during'], inject: Fault['inject'], recover: Fault['recover'] }
const fault = (name: string, { group = 'infrastructure', lastsMs = 1000, costs = 10, ...more }: Disturbance): Fault => ({ name, group, lastsMs, costs, ...more })

const everything: Act[] = ['pause', 'resume', 'hang up', 'call']
const stopped = (part: 'kafka' | 'postgres', alarm: RegExp, lastsMs: number): Fault => fault(`${part} stopped for ${lastsMs / 1000} s`, {
  during: everything,
  inject: ({ ground }) => ground.parts[part].stop(),
  isFelt: async ({ ground }) => !await ground.parts[part].isUp().catch(() => false),
  alarm: { service: 'call-control', name: alarm },
  recover: ({ ground }) => ground.parts[part].start(),
  lastsMs,
  costs: 16,
})
const frozen = (service: 'call-control' | 'recording-assembly', during: Act[], lastsMs: number): Fault => fault(`${service} frozen for ${lastsMs / 1000} s`, {
  during,
  inject: ({ tacet }) => freeze(tacet.services[service]),
  isFelt: ({ tacet }) => isAsleep(tacet.services[service]),
  recover: ({ tacet }) => wake(tacet.services[service]),
  lastsMs,
  costs: 7,
})

/** What a recorder could not write is not there: a file may be missing, hollow, or end too early. */
const unwritten = /^segment-(missing|unreadable|short)$/

const isOfSegments = (point: string): boolean => point.endsWith('copies.request')

/** Every fault of the matrix: a new one is a line more. */
export const faults = ({ isLong }: { isLong: boolean }): Fault[] => [
  stopped('kafka', /^kafka-away$/, isLong ? 60_000 : 3_000),
  stopped('postgres', /^database-away$/, isLong ? 60_000 : 3_000),
  frozen('call-control', ['pause', 'resume', 'call'], isLong ? 30_000 : 4_000),
  frozen('recording-assembly', ['hang up'], isLong ? 30_000 : 4_000),
  fault('call-control frozen while another takes over', {
    during: ['pause', 'resume', 'call'],
    inject: async world => { await addSecond(world); await freeze(world.tacet.services['call-control']) },
    isFelt: isSecondInCharge,
    recover: async world => { await wake(world.tacet.services['call-control']); await removeSecond(world) },
    lastsMs: isLong ? 30_000 : 5_000,
    costs: 15,
  }),
  fault('the websocket taken over by another subscriber', { during: ['pause', 'resume', 'call'], inject: takeWebsocket, isFelt: isReplaced, alarm: { service: 'call-control', name: /^pbx-taken-over$/ }, recover: closeThief, costs: 4 }),
  fault('two instances, contested operations', { during: [], inject: (world, t) => contest(world, t, isLong ? { operations: 1000, perReign: 100 } : { operations: 20, perReign: 10 }), recover: removeSecond, costs: 12 }),
  fault('Asterisk restarted gracefully', { during: ['pause', 'resume'], inject: drainAsterisk, recover: startDrained, isAlone: true, costs: 9 }),
  fault('Asterisk killed in mid-call', {
    during: [],
    inject: ({ ground }) => ground.parts.asterisk.kill(),
    alarm: { service: 'call-control', name: /^ari-away$/ },
    recover: async world => { await world.ground.parts.asterisk.start(); await registerAll(world) },
    isEndOfCalls: true,
    isAlone: true,
    costs: 14,
  }),
  fault('every message of Kafka twice, and all from the start again', { during: ['pause', 'hang up'], inject: replayKafka, recover: nothing, costs: 20 }),
  fault('the spool full', {
    group: 'spool',
    during: ['pause', 'resume for a while', 'call'],
    inject: async ({ ground }) => ground.spool.fill(),
    alarm: { service: 'recording-assembly', name: unwritten },
    recover: async ({ ground }) => ground.spool.free(),
    lastsMs: 5000,
    // What was said before the pause was still in the recorder's buffer.
    lacking: { pause: unwritten, 'resume for a while': unwritten, call: unwritten },
    isAlone: true,
    costs: 10,
  }),
  fault('the spool not writable', {
    group: 'spool',
    during: ['pause', 'resume for a while', 'call'],
    inject: async ({ ground }) => ground.spool.makeReadOnly(),
    alarm: { service: 'recording-assembly', name: /^segment-missing$/ },
    recover: async ({ ground }) => ground.spool.makeWritable(),
    lastsMs: 5000,
    // Whoever has a file open goes on writing.
    lacking: { 'resume for a while': /^segment-missing$/, call: /^segment-missing$/ },
    isAlone: true,
    costs: 10,
  }),
  ...crashPoints.map(killedAt),
  ...[...crashPointsOf.take.filter(isOfSegments), ...crashPointsOf.check].map(assemblyKilledAt('pause')),
  // The second file is the timeline.
  ...[...crashPointsOf.take.filter(point => !isOfSegments(point)), ...crashPointsOf.assemble.flatMap(point => /store.put|file written/.test(point) ? [point, `${point}:2`] : point), ...crashPointsOf['delete-segments'], ...crashPointsOf.measure, ...crashPointsOf.encode, ...crashPointsOf.publish].map(assemblyKilledAt('hang up')),
]
