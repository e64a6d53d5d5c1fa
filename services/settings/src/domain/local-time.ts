/** A time as clocks in the zone show it, and how far that is from UTC: `2026-11-23 10:00:00 +01:00`. */
export function localTime (timestamp: string, timeZone: string): string {
  const format = new Intl.DateTimeFormat('en-CA', { timeZone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', timeZoneName: 'longOffset' })
  const part = Object.fromEntries(format.formatToParts(new Date(timestamp)).map(({ type, value }) => [type, value]))
  return `${part['year']}-${part['month']}-${part['day']} ${part['hour']}:${part['minute']}:${part['second']} ${part['timeZoneName']?.replace('GMT', '') || '+00:00'}`
}
