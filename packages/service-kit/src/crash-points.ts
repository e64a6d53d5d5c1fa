import { z } from 'zod'
import { ConfigError, variable } from './config.ts'

/** Called whenever a step of a protocol is done. */
export type Reached = (point: string) => void

/** Of services whose tests kill them at a point. */
export const crashConfig = {
  crashAt: variable('TACET_CRASH_AT', z.string().regex(/^[A-Za-z0-9. -]{1,60}(:[1-9]\d{0,3})?$/).optional(), 'for tests only: the step of a protocol after which the process kills itself, `P3`, or `P3:2` for the second time; refused where NODE_ENV is production'),
  nodeEnv: variable('NODE_ENV', z.string().default('development'), '`production` refuses what is for tests only'),
}

/** Undefined unless a test asked for a death. Throws a ConfigError in production, and for a point that does not exist. */
export function createReached ({ crashAt, nodeEnv }: { crashAt: string | undefined, nodeEnv: string }, points: readonly string[]): Reached | undefined {
  if (crashAt === undefined) return undefined
  if (nodeEnv === 'production') throw new ConfigError('Invalid configuration\n✖ TACET_CRASH_AT is for tests only: not with NODE_ENV=production')
  const [wanted = '', times = '1'] = crashAt.split(':')
  if (!points.includes(wanted)) throw new ConfigError(`Invalid configuration\n✖ TACET_CRASH_AT: there is no ${wanted}, only ${points.join(', ')}`)
  let left = Number(times)
  return point => {
    if (point !== wanted) return
    left -= 1
    if (left === 0) process.kill(process.pid, 'SIGKILL')
  }
}
