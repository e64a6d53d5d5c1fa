import { readdirSync, readFileSync } from 'node:fs'
import { parseAriEvent, type AriBridge, type AriChannel, type AriEvent } from '@tacet/ari'
import { toChange, toSnapshot } from '../../src/intake/ari-changes.ts'
import type { Call } from '../../src/domain/call.ts'
import type { PbxSnapshot } from '../../src/domain/pbx.ts'
import { createFakeTime } from './fake-time.ts'
import { createLab, type Lab, type LabOptions } from './lab.ts'

const fixtures = new URL('../../../../packages/test-kit/fixtures/ari-events/', import.meta.url)

export const scenarios = readdirSync(fixtures).filter(name => name.endsWith('.jsonl')).map(name => name.replace('.jsonl', '')).sort()

export interface Recorded { event: AriEvent, atMs: number }

/** What Asterisk said during a real call. Events of several channels are a few ms out of order: then they came late. */
export function readEvents (scenario: string): Recorded[] {
  let atMs = 0
  return readFileSync(new URL(`${scenario}.jsonl`, fixtures), 'utf8').trim().split('\n')
    .map(line => JSON.parse(line) as { timestamp: string })
    .map(raw => {
      atMs = Math.max(atMs, Date.parse(raw.timestamp.replace(/\+0000$/, 'Z')))
      return { event: parseAriEvent(raw), atMs }
    })
}

/** Shows one event to the follower, at its time, as the watch does. */
export async function show ({ follower, driver, time }: Lab, { event, atMs }: Recorded): Promise<void> {
  await time.advanceTo(atMs)
  if (event.type === 'ChannelDestroyed') driver.hangUpLeg(event.channel.id)
  const change = toChange(event)
  if (!change) return
  follower.apply(change)
  await time.settle()
}

/** Replays a whole scenario, and lets the time after it pass. */
export async function replay (scenario: string, options: LabOptions = {}): Promise<Lab> {
  return await replayEvents(readEvents(scenario), options)
}

export async function replayEvents (events: Recorded[], options: LabOptions = {}): Promise<Lab> {
  const lab = createReplayLab(events, options)
  for (const event of events) await show(lab, event)
  await lab.time.advance(5000)
  return lab
}

export const createReplayLab = (events: Recorded[], options: LabOptions = {}): Lab => createLab({ time: createFakeTime(events[0]?.atMs), ...options })

/** What Asterisk would show if asked, as far as its events tell. */
export function createMirror () {
  const channels = new Map<string, AriChannel>()
  const bridges = new Map<string, AriBridge>()
  return {
    see ({ event }: Recorded): void {
      // What the follower does not look at may show a SIP Call-ID earlier.
      if (toChange(event) && 'channel' in event && event.channel) channels.set(event.channel.id, event.channel)
      if ('bridge' in event && event.bridge) bridges.set(event.bridge.id, event.bridge)
      if (event.type === 'BridgeDestroyed') bridges.delete(event.bridge.id)
      if (event.type === 'ChannelDestroyed') channels.delete(event.channel.id)
    },
    snapshot: (): PbxSnapshot => toSnapshot([...channels.values()], [...bridges.values()]),
  }
}

/** The calls as they ended up, without how many events it took. */
export const endState = ({ follower }: Lab): Omit<Call, 'seq' | 'recordingSeq'>[] =>
  follower.sessions().map(({ call: { seq: _seq, recordingSeq: _recordingSeq, ...call } }) => ({ ...call, sipCallIds: call.sipCallIds.toSorted() })).sort((one, other) => one.startedAtMs - other.startedAtMs)

/** Endpoint by channel, from the events. */
export const endpointsOf = (events: Recorded[]): Map<string, string> =>
  new Map(events.flatMap(({ event }) => 'channel' in event && event.channel ? [[event.channel.id, event.channel.name.replace(/-[0-9a-f]+(;[12])?$/, '')] as const] : []))
