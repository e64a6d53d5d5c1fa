import { crashPointsOf } from '../../services/recording-assembly/src/crash-points.ts'
import { crashPoints } from '../../services/call-control/src/crash-points.ts'
import { addSecond, contest, drainAsterisk, freeze, registerAll, removeSecond, replayKafka, startDrained, takeWebsocket, wake } from './disturb.ts'
import { startAgain, type Act, type Fault } from './play.ts'

const nothing = async () => {}

/** call-control kills itself when it reaches the point, and is started again. */
const killedAt = (point: string): Fault => ({
  name: `call-control killed at ${point}`,
  during: actAt[point[0] as 'P' | 'R' | 'S'],
  armed: { service: 'call-control', env: { TACET_CRASH_AT: point } },
  inject: nothing,
  recover: async (world, next) => await startAgain(world, 'call-control', next),
  lastsMs: 300,
  costs: 5,
})
const actAt: Record<'P' | 'R' | 'S', Act[]> = { P: ['pause'], R: ['resume'], S: ['call'] }

/** The same for recording-assembly: it has work when a pause closes a segment, and at the end of a call. */
const assemblyKilledAt = (act: Act) => (point: string): Fault => ({
  name: `recording-assembly killed at ${point}`,
  during: [act],
  armed: { service: 'recording-assembly', env: { TACET_CRASH_AT: point } },
  inject: nothing,
  recover: async (world, next) => await startAgain(world, 'recording-assembly', next),
  lastsMs: 100,
  // A consumer that was killed holds up its group for ten seconds.
  costs: 35,
})

interface Disturbance extends Partial<Fault> { during: Fault['during'], inject: Fault['inject'], recover: Fault['recover'] }
const fault = (name: string, { lastsMs = 1000, costs = 10, ...more }: Disturbance): Fault => ({ name, lastsMs, costs, ...more })

const everything: Act[] = ['pause', 'resume', 'hang up', 'call']
const stopped = (part: 'kafka' | 'postgres', lastsMs: number, costs: number): Fault =>
  fault(`${part} stopped for ${lastsMs / 1000} s`, { during: everything, inject: ({ ground }) => ground.parts[part].stop(), recover: ({ ground }) => ground.parts[part].start(), lastsMs, costs })
const frozen = (lastsMs: number): Fault =>
  fault(`call-control frozen for ${lastsMs / 1000} s`, { during: ['pause', 'resume', 'call'], inject: ({ tacet }) => freeze(tacet.services['call-control']), recover: ({ tacet }) => wake(tacet.services['call-control']), lastsMs, costs: 12 })

const isOfSegments = (point: string): boolean => point.endsWith('copies.request')

/** Every fault of the matrix: a new one is a line more. */
export const faults = ({ isLong }: { isLong: boolean }): Fault[] => [
  stopped('kafka', isLong ? 60_000 : 3_000, 20),
  stopped('postgres', isLong ? 60_000 : 3_000, 20),
  frozen(isLong ? 30_000 : 4_000),
  fault('call-control frozen while another takes over', { during: ['pause', 'resume', 'call'], inject: async world => { await addSecond(world); await freeze(world.tacet.services['call-control']) }, recover: async world => { await wake(world.tacet.services['call-control']); await removeSecond(world) }, lastsMs: isLong ? 30_000 : 5_000, costs: 15 }),
  fault('recording-assembly frozen', { during: ['hang up'], inject: ({ tacet }) => freeze(tacet.services['recording-assembly']), recover: ({ tacet }) => wake(tacet.services['recording-assembly']), lastsMs: isLong ? 30_000 : 4_000, costs: 10 }),
  fault('the websocket taken over by another subscriber', { during: ['pause', 'resume', 'call'], inject: takeWebsocket, recover: nothing, costs: 8 }),
  fault('two instances, contested operations', { during: [], inject: world => contest(world, isLong ? { operations: 1000, perReign: 100 } : { operations: 20, perReign: 10 }), recover: removeSecond, costs: 20 }),
  fault('Asterisk restarted gracefully', { during: ['pause', 'resume'], inject: drainAsterisk, recover: startDrained, isAlone: true, costs: 15 }),
  fault('Asterisk killed in mid-call', { during: [], inject: ({ ground }) => ground.parts.asterisk.kill(), recover: async world => { await world.ground.parts.asterisk.start(); await registerAll(world) }, fate: 'cut off', isAlone: true, costs: 12 }),
  fault('every message of Kafka twice, and all from the start again', { during: ['pause', 'hang up'], inject: replayKafka, recover: nothing, costs: 15 }),
  ...crashPoints.map(killedAt),
  ...[...crashPointsOf.take.filter(isOfSegments), ...crashPointsOf.check].map(assemblyKilledAt('pause')),
  // The second file is the timeline. Nobody wants other formats here: `encode` has its own test.
  ...[...crashPointsOf.take.filter(point => !isOfSegments(point)), ...crashPointsOf.assemble.flatMap(point => /store.put|file written/.test(point) ? [point, `${point}:2`] : point), ...crashPointsOf['delete-segments']].map(assemblyKilledAt('hang up')),
]
