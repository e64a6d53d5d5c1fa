import { messageOf, ok, unknown, wrong, type Finding } from './finding.ts'

export interface ServiceAddress {
  name: string
  adminUrl: string | undefined
  /** How to say where it is. */
  variable: string
}

interface Ready { status: string, checks: Record<string, { isOk: boolean, [detail: string]: unknown }> }

/** Asks the service's own /ready, which knows best. */
export async function checkService ({ name, adminUrl, variable }: ServiceAddress): Promise<Finding[]> {
  if (adminUrl === undefined) return [unknown(name, 'where it is, is not known', `set ${variable} to the address of its admin port`)]
  try {
    const response = await fetch(new URL('/ready', adminUrl), { signal: AbortSignal.timeout(5_000) })
    const { checks } = await response.json() as Ready
    const findings = Object.entries(checks).map(([check, { isOk, ...detail }]) => {
      const text = Object.entries(detail).filter(([, value]) => value !== null).map(([key, value]) => `${key} ${String(value)}`).join(', ')
      return isOk ? ok(`${name}: ${check}`, text) : wrong(`${name}: ${check}`, text, mends[check] ?? 'look at the log of the service')
    })
    return [...findings, clockOf(`${name}: clock`, response.headers.get('date'))]
  } catch (error) {
    return [wrong(name, `does not answer at ${adminUrl} (${messageOf(error)})`, 'start it, or look at the end of its log')]
  }
}

const mends: Record<string, string> = {
  database: 'start PostgreSQL, or mend DATABASE_URL of this service',
  settings: 'start Kafka and the settings service; if the topic was lost: POST /v1/republish',
  credentials: 'start Kafka and the settings service; if the topic was lost: POST /v1/republish',
  pbx: 'look whether Asterisk runs, ARI_URL, and the user in ari.conf',
}

const clockDifferenceAtMostMs = 2_000

/** By the Date of an HTTP answer, which knows only seconds. */
export function clockOf (check: string, date: string | null, nowMs = Date.now()): Finding {
  if (date === null) return unknown(check, 'the answer has no date', 'compare by hand')
  const differenceMs = Math.abs(nowMs - Date.parse(date) - 500)
  if (differenceMs <= clockDifferenceAtMostMs) return ok(check, 'agrees with this machine')
  return wrong(check, `is ${Math.round(differenceMs / 1_000)} s away from this machine's`, 'let both machines follow the same NTP server; timelines are made of these times')
}
