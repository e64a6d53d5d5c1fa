import type { AriLatency } from '@tacet/ari'
import { counter, gauge, histogram, observedGauge, type Alarms, type Logger, type Metrics } from '@tacet/service-kit'
import type { Call, CallInput, CallTransition } from './domain/call.ts'
import type { Role } from './usecases/hold-post.ts'
import { StoreUnavailable } from './usecases/ports.ts'
import type { PbxWatch } from './watch.ts'

/** What people and dashboards see of the service: one place for its logs and metrics. */
export function createObserver ({ logger, metrics, alarms, watch }: { logger: Logger, metrics: Metrics, alarms: Alarms, watch: () => PbxWatch | undefined }) {
  const databaseAway = alarms.outage('database-away')
  const transitions = counter(metrics, 'tacet_recording_transitions_total', 'Recordings that came into a state', ['state'])
  const recordingAlarms = counter(metrics, 'tacet_recording_alarms_total', 'Recordings a person should look at', ['alarm'])
  const storeFailures = counter(metrics, 'tacet_call_store_failures_total', 'Commits that had to be repeated')
  const ariLatency = histogram(metrics, 'tacet_ari_request_duration_seconds', 'Time Asterisk took to answer', [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2], ['operation', 'outcome'])
  const active = gauge(metrics, 'tacet_call_control_active', '1 while this instance acts on the PBX')
  observedGauge(metrics, 'tacet_ari_connected', '1 while events of the PBX arrive', () => watch()?.state === 'up' ? 1 : 0)
  observedGauge(metrics, 'tacet_live_calls', 'Calls followed now', () => watch()?.follower.sessions().filter(session => session.call.endedAtMs === null).length ?? 0)

  return {
    onRole (role: Role): void {
      active.set(role === 'active' ? 1 : 0)
      logger.info({ role }, 'role changed')
    },
    onAriLatency ({ operation, ms, outcome }: AriLatency): void {
      ariLatency.observe({ operation, outcome }, ms / 1_000)
    },
    onStoreFailure (err: unknown): void {
      storeFailures.inc()
      logger.warn({ err }, 'call not stored, trying again')
      if (err instanceof StoreUnavailable) databaseAway.failed(err)
    },
    onStored: databaseAway.over,
    onRecorderError (err: unknown, what: string, segment: number): void {
      logger.warn({ err, segment }, what)
    },
    onTransition (before: Call, input: CallInput, { call, events, ignored }: CallTransition): void {
      const trigger = input.type === 'recording' ? input.input.type : input.type
      const [from, to] = [before.recording.phase.status, call.recording.phase.status]
      if (from !== to) {
        transitions.inc({ state: to })
        logger.info({ callId: call.callId, from, trigger, to, reasons: call.recording.reasons, seq: call.seq }, 'recording changed')
      } else if (ignored !== undefined) {
        logger.debug({ callId: call.callId, trigger, state: to, why: ignored }, 'input ignored')
      }
      for (const event of events) {
        if (event.type !== 'recording.unconfirmed' && event.type !== 'recording.missing') continue
        recordingAlarms.inc({ alarm: event.type })
        logger.error({ callId: call.callId, alarm: event.type, detail: event.data.detail }, 'a recording needs somebody to look')
      }
    },
  }
}
