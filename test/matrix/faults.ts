import { crashPoints as assemblySteps } from '../../services/recording-assembly/src/crash-points.ts'
import { crashPoints } from '../../services/call-control/src/crash-points.ts'
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

/** The same for recording-assembly, at the end of a call. */
const assemblyKilledAt = (point: string): Fault => ({
  name: `recording-assembly killed at ${point}`,
  during: ['hang up'],
  armed: { service: 'recording-assembly', env: { TACET_CRASH_AT: point } },
  inject: nothing,
  recover: async (world, next) => await startAgain(world, 'recording-assembly', next),
  lastsMs: 100,
  // A consumer that was killed holds up its group for ten seconds.
  costs: 35,
})

/** Every fault of the matrix: a new one is a line more. */
export const faults = (): Fault[] => [
  ...crashPoints.filter(point => point !== 'P7').map(killedAt),
  // The second file is the timeline.
  ...assemblySteps.flatMap(point => /store.put|file written/.test(point) ? [point, `${point}:2`] : point).map(assemblyKilledAt),
]
