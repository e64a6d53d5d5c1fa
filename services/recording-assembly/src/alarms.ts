import { counter, type Logger, type Metrics } from '@tacet/service-kit'
import type { Alarms } from './usecases/ports.ts'

/** As call-control's are: one line on the log, and one metric for all. */
export function createAlarms ({ logger, metrics }: { logger: Logger, metrics: Metrics }): Alarms {
  const alarms = counter(metrics, 'tacet_recording_alarms_total', 'Recordings a person should look at', ['alarm'])
  return {
    raise (alarm, facts, message) {
      alarms.inc({ alarm })
      logger.error({ alarm, ...facts }, message)
    },
  }
}
