import type { Clock } from './clock.ts'
import { isAriError } from './errors.ts'
import type { AriEvent } from './events.ts'
import { isRecorderId, placeOf } from './recorder.ts'
import type { Place } from './recorder.ts'
import type { AriRest } from './rest.ts'

const MAX_DEPARTURES = 1000
const ORDER: Place['at'][] = ['created', 'starting', 'started', 'stopping', 'stopped', 'gone']

type Source = 'event' | 'inspection'

export type Started = { startedAtMs: number, proof: Source }

/** What we know of one recorder. */
export type Entry = {
  recorderId: string
  place: Place | undefined
  by: Source
  sinceMs: number
  /** Called at every step forward. */
  listeners: Set<() => void>
  starting: { promise: Promise<Started>, cancel (): void } | undefined
}

export type Wait = { deadlineAt: number, firstLookMs: number, signal?: AbortSignal }

/** Notes where the recorders are, by events and by looking. Answers may be late or doubled, so a note only moves forward. */
export function createRecorderBook ({ rest, clock }: { rest: AriRest, clock: Clock }) {
  const entries = new Map<string, Entry>()
  /** When recorders ended by themselves: a stop that comes after that still looks, and then can say when it was. */
  const departures = new Map<string, number>()

  function of (recorderId: string): Entry {
    const known = entries.get(recorderId)
    if (known) return known
    const entry: Entry = { recorderId, place: undefined, by: 'event', sinceMs: 0, listeners: new Set(), starting: undefined }
    entries.set(recorderId, entry)
    return entry
  }

  function forget (entry: Entry): void {
    if (!entry.starting && entries.get(entry.recorderId) === entry) entries.delete(entry.recorderId)
  }

  function departure ({ recorderId }: Entry, by: Source, seenAtMs: number): number {
    const atMs = departures.get(recorderId) ?? seenAtMs
    if (by === 'event') departures.set(recorderId, atMs)
    for (const oldest of departures.keys()) if (departures.size > MAX_DEPARTURES) departures.delete(oldest)
    return atMs
  }

  /** One that was found stopped has been so for a while, and says since when; its clock need not be ours. */
  function arrival ({ closedAtMs }: Place, by: Source, seenAtMs: number): number {
    return by === 'inspection' && closedAtMs !== undefined ? Math.min(closedAtMs, seenAtMs) : seenAtMs
  }

  function note (entry: Entry, place: Place, by: Source, seenAtMs = clock.now()): void {
    if (entry.place && ORDER.indexOf(place.at) <= ORDER.indexOf(entry.place.at)) return
    Object.assign(entry, { place, by, sinceMs: place.at === 'gone' ? departure(entry, by, seenAtMs) : arrival(place, by, seenAtMs) })
    if (place.at === 'gone') forget(entry)
    else departures.delete(entry.recorderId)
    for (const listener of entry.listeners) listener()
  }

  /** Waits for the recorder's next step, or for `other`, whichever is first. */
  async function stepOr (entry: Entry, other: Promise<unknown>): Promise<void> {
    let listener = () => {}
    const step = new Promise<void>((resolve) => { listener = resolve })
    entry.listeners.add(listener)
    await Promise.race([step, other]).finally(() => entry.listeners.delete(listener))
  }

  async function look (entry: Entry, deadlineMs: number): Promise<void> {
    try {
      note(entry, placeOf(await rest.getChannel(entry.recorderId, { deadlineMs })), 'inspection')
    } catch (error) {
      if (!isAriError(error, 'not-found')) throw error
      note(entry, { at: 'gone' }, 'inspection')
    }
  }

  /** Whether the recorder came to where we want it in time. Listens, and looks at growing intervals. */
  async function until (entry: Entry, isThere: (place: Place) => boolean, { deadlineAt, firstLookMs, signal }: Wait): Promise<boolean> {
    const hasArrived = () => entry.place !== undefined && isThere(entry.place)
    for (let intervalMs = firstLookMs; !hasArrived(); intervalMs = Math.min(intervalMs * 2, 250)) {
      const leftMs = deadlineAt - clock.now()
      if (leftMs <= 0 || signal?.aborted) return false
      const rest = new AbortController()
      const pause = clock.sleep(Math.min(intervalMs, leftMs), signal ? AbortSignal.any([rest.signal, signal]) : rest.signal)
      await stepOr(entry, pause).finally(() => rest.abort('over'))
      if (!hasArrived()) await stepOr(entry, look(entry, Math.max(1, Math.min(500, deadlineAt - clock.now()))).catch(() => {}))
    }
    return true
  }

  return {
    of,
    forget,
    note,
    stepOr,
    look,
    until,

    /** Takes one look at all recorders. Those that it does not show are gone. */
    async lookAtAll (): Promise<Entry[]> {
      const known = [...entries.values()].filter(({ starting }) => !starting)
      const recorders = (await rest.listChannels()).filter(({ id }) => isRecorderId(id))
      const present = new Set(recorders.map(({ id }) => id))
      for (const entry of known) if (!present.has(entry.recorderId)) note(entry, { at: 'gone' }, 'inspection')
      return recorders.map((channel) => {
        const entry = of(channel.id)
        note(entry, placeOf(channel), 'inspection')
        return entry
      })
    },

    onEvent (event: AriEvent, atMs?: number): void {
      if (event.type !== 'StasisStart' && event.type !== 'ChannelDestroyed') return
      if (!isRecorderId(event.channel.id)) return
      note(of(event.channel.id), event.type === 'ChannelDestroyed' ? { at: 'gone' } : placeOf(event.channel), 'event', atMs)
    },
  }
}
