import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { ServiceName } from '@tacet/stack'
import { eventually } from '@tacet/test-kit'
import type { Tacet } from '../support/tacet.ts'

/** Who calls out, and under what name. */
export interface Alarm { service: ServiceName, name: RegExp }

export interface LogEntry { level: number, msg: string, pid: number, alarm?: string, recordingId?: string }

export interface ServiceLogs {
  /** What a service has said since these were opened. */
  read: (service: ServiceName) => Promise<LogEntry[]>
  /** It was called out since these were opened, about a recording if one is named, and is counted by the process that did. */
  alarmed: (t: Test, alarm: Alarm, recordingId?: string) => Promise<void>
}

const services: ServiceName[] = ['settings', 'call-control', 'recording-assembly']
const isError = ({ level }: LogEntry): boolean => level >= 50

/** The logs of the services from now on, or from their beginning. */
export async function openServiceLogs (tacet: Pick<Tacet, 'logDir' | 'services'>, { isFromStart = false } = {}): Promise<ServiceLogs> {
  const pathOf = (service: ServiceName) => join(tacet.logDir, `${service}.log`)
  const sizes = new Map(await Promise.all(services.map(async service => [service, isFromStart ? 0 : (await stat(pathOf(service))).size] as const)))
  const logs: ServiceLogs = {
    async read (service) {
      return (await readFile(pathOf(service))).subarray(sizes.get(service)).toString().split('\n').flatMap(toEntry)
    },
    async alarmed (t, { service, name }, recordingId) {
      const isIt = (entry: LogEntry) => isError(entry) && name.test(entry.alarm ?? '') && (recordingId === undefined || entry.recordingId === recordingId)
      const about = recordingId === undefined ? '' : ` about ${recordingId}`
      const found = await eventually(async () => (await logs.read(service)).findLast(isIt), { timeoutMs: 20_000, intervalMs: 200, message: `no alarm ${name}${about} in the log of ${service}` }).catch(error => { t.fail(error.message) })
      if (found?.pid !== tacet.services[service].pid) return
      const metrics = await (await fetch(`${tacet.services[service].adminUrl}/metrics`)).text()
      t.match(metrics, new RegExp(`^tacet_\\w*alarms_total\\{[^}]*alarm="${found.alarm}"[^}]*\\} [1-9]`, 'm'), `${service} counts the alarm ${found.alarm}`)
    },
  }
  return logs
}

function toEntry (line: string): LogEntry[] {
  try {
    return [JSON.parse(line)]
  } catch {
    return []
  }
}
