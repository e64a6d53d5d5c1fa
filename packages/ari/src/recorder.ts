import type { AriEvent } from './events.ts'
import type { AriChannel } from './resources.ts'

export type StartRequest = {
  /** `tacet-<callId>-<segment>[-in|-out]`; names the file, so it is never used again after a stop. */
  recorderId: string
  legId: string
  spy: 'both' | 'in' | 'out'
  sampleRateHz: 8000 | 16000
  deadlineMs: number
  signal?: AbortSignal
}

export type StopRequest = { recorderId: string, /** `[A-Za-z0-9-]{1,64}` */ commandId: string, deadlineMs: number }

/**
 * `event`: Asterisk said so. `inspection`: we looked. `deleted`: the recorder was hung up and is gone.
 * `absent`: there is no such recorder (any more). A recorder that is gone has closed its file.
 */
export type StopProof = 'event' | 'inspection' | 'deleted' | 'absent'

export type RecorderState = 'absent' | 'created' | 'recording' | 'stopped'

export type RecorderStatus = { recorderId: string, state: RecorderState, /** Of the stop that counted. */ commandId?: string }

/** Drives the recorders of one PBX. A recorder writes one segment of one track, once. */
export interface RecorderDriver {
  /**
   * Resolves when the recorder is proven to record. Safe to repeat, also concurrently, for one id.
   * Throws AriError (`not-found`: no such leg; `conflict`: this recorder has been stopped) or RecorderCancelled,
   * when it certainly does not record; RecorderUnconfirmed when it may.
   */
  start (request: StartRequest): Promise<{ startedAtMs: number, proof: 'event' | 'inspection' }>
  /**
   * Resolves only when the file is closed and its header final. Throws RecorderUnconfirmed at the deadline.
   * Pre-empts a start that is under way. A repeated stop keeps the first command id.
   */
  stop (request: StopRequest): Promise<{ proof: StopProof, atMs: number }>
  /** Hangs the recorder up; fine when it is gone. Throws AriError. */
  discard (recorderId: string, deadlineMs: number): Promise<void>
  /** Throws AriError. */
  inspect (recorderId: string): Promise<RecorderStatus>
  /** All recorders on the PBX, by one look. Throws AriError. */
  list (): Promise<RecorderStatus[]>
  /** Must hear every ARI event, without delay: proofs arrive here. */
  onEvent (event: AriEvent, atMs?: number): void
}

const RECORDER_ID = /^tacet-[A-Za-z0-9.-]{1,100}$/
const COMMAND_ID = /^[A-Za-z0-9-]{1,64}$/

export const isRecorderId = (channelId: string): boolean => RECORDER_ID.test(channelId)

export function assertRecorderId (recorderId: string): void {
  if (!isRecorderId(recorderId)) throw new TypeError(`not a recorder id: ${recorderId}`)
}

export function assertCommandId (commandId: string): void {
  if (!COMMAND_ID.test(commandId)) throw new TypeError(`not a command id: ${commandId}`)
}

/** Where a recorder is in our dialplan; it only ever moves forward. */
export type Place = { at: 'created' | 'starting' | 'started' | 'stopping' | 'stopped' | 'gone', commandId?: string, /** By Asterisk's clock. */ closedAtMs?: number }

/**
 * Reads it from the extension: `started` and `closed-<command id>.<ms>` are entered only after MixMonitor and
 * StopMixMonitor have done their work (see asterisk-conf/extensions_tacet.conf).
 */
export function placeOf ({ dialplan: { exten } }: Pick<AriChannel, 'dialplan'>): Place {
  if (exten.startsWith('closed-')) {
    const [commandId = '', closedAt] = exten.slice('closed-'.length).split('.')
    return { at: 'stopped', commandId, ...(closedAt ? { closedAtMs: Number(closedAt) } : {}) }
  }
  if (exten.startsWith('stop-') || exten === 'h') return { at: 'stopping' }
  if (exten === 'started') return { at: 'started' }
  if (exten === 'begin' || exten.startsWith('start')) return { at: 'starting' }
  return { at: 'created' }
}

/** What is neither proven to be closed nor untouched counts as recording. */
export function toStatus ({ recorderId, place = { at: 'gone' } }: { recorderId: string, place: Place | undefined }): RecorderStatus {
  const { at, commandId } = place
  if (at === 'stopped') return { recorderId, state: 'stopped', ...(commandId === undefined ? {} : { commandId }) }
  if (at === 'gone') return { recorderId, state: 'absent' }
  return { recorderId, state: at === 'created' ? 'created' : 'recording' }
}

/** Of a recorder's channel as an event shows it. */
export const recorderStatusOf = (channel: Pick<AriChannel, 'id' | 'dialplan'>): RecorderStatus => toStatus({ recorderId: channel.id, place: placeOf(channel) })
