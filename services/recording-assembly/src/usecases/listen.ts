import type { Readable } from 'node:stream'
import { problem, type AudioFormat } from '@tacet/contracts'
import { v7 as uuidv7 } from 'uuid'
import { scopeOf } from '../domain/access.ts'
import { entryOf, type Asker, type Moment } from '../domain/asker.ts'
import { readLink, writeLink, type Link } from '../domain/link.ts'
import { masterFile, type Recording } from '../domain/recording.ts'
import type { FormatFiles } from './file-ports.ts'
import type { RecordingStore, Recordings, Usage } from './ports.ts'
import { finishedGeneration, present } from './read-recording.ts'

export interface ListenDependencies {
  recordings: Recordings
  store: RecordingStore
  formats: FormatFiles
  /** The first signs links, all of them are believed; without one there are no links. */
  linkSecrets: readonly string[]
  moment: () => Moment
}

export interface Audio {
  bytes: number
  sha256: string
  /** When this version was made. */
  modifiedAt: Date | null
  format: AudioFormat
  /** A name to save it by; null when it is to be played. */
  fileName: string | null
  /** Before anything of it is sent: nobody hears what is not in the audit log. */
  note (): Promise<void>
  /** Both ends included. */
  read (range: { start: number, end: number }): Promise<Readable>
}

export type Listen = ReturnType<typeof createListen>

/** Audio for those who may hear it, by their token or by a link that they were given. Throws problems. */
export function createListen ({ recordings, store, formats, linkSecrets, moment }: ListenDependencies) {
  async function audioOf (recording: Recording, asker: Asker, usage: Omit<Usage, 'version'>): Promise<Audio> {
    const { recordingId, version, bytes, sha256 } = recording
    const generation = finishedGeneration(recording)
    if (bytes === null || sha256 === null) throw problem('recording-not-found', 'there is no audio in this recording')
    const { format, use } = usage
    const stored = format === 'wav' ? { file: masterFile, bytes, sha256 } : await formats.find(recording, format)
    return {
      bytes: stored.bytes,
      sha256: stored.sha256,
      modifiedAt: recording.storedAt,
      format,
      fileName: use === 'download' ? fileNameOf(recording, format) : null,
      async note () {
        const { via, linkId } = usage
        const detail = { version, format, via, ...(linkId === undefined ? {} : { linkId }) }
        await recordings.noteUsage(recording, { ...usage, version }, asker, entryOf(asker, recording, { action: `recording.${use}`, outcome: 'done', detail }, moment()))
      },
      read: range => store.read({ recordingId, generation, file: stored.file }, range),
    }
  }

  return {
    async byToken (recordingId: string, asker: Asker, { format, isDownload }: { format: AudioFormat, isDownload: boolean }): Promise<Audio> {
      const recording = present(await recordings.find(recordingId, scopeOf(asker)))
      return await audioOf(recording, asker, { format, use: isDownload ? 'download' : 'listen', via: 'token' })
    },

    /** A link to what the asker may hear, as it is now: what is cut or deleted later is not to be had by it. */
    async makeLink (recordingId: string, asker: Asker, { format, isDownload, expiresInSeconds }: { format: AudioFormat, isDownload: boolean, expiresInSeconds: number }): Promise<{ link: string, expiresAt: string }> {
      const [secret, ...older] = linkSecrets
      const recording = present(await recordings.find(recordingId, scopeOf(asker)))
      if (secret === undefined) throw problem('links-disabled')
      await audioOf(recording, asker, { format, use: 'listen', via: 'link' })
      const now = moment()
      const expires = Math.floor(Date.parse(now.at) / 1000) + expiresInSeconds
      const { companyId, credentialId, agentId } = asker
      const link: Link = { linkId: uuidv7(), recordingId: recording.recordingId, version: recording.version, format, isDownload, expires, companyId, credentialId, agentId }
      const expiresAt = new Date(expires * 1000).toISOString()
      await recordings.change(recording.recordingId, { kind: 'all' }, recording => ({
        audit: [entryOf(asker, recording, { action: 'recording.link', outcome: 'done', detail: { linkId: link.linkId, version: link.version, format, expiresAt } }, now)],
      }))
      return { link: `/v1/linked-audio?link=${writeLink(link, [secret, ...older])}`, expiresAt }
    },

    async byLink (token: string, { address, device }: Pick<Asker, 'address' | 'device'>): Promise<Audio> {
      const link = readLink(token, linkSecrets, Date.parse(moment().at))
      if (link === null) throw problem('link-invalid')
      const recording = present(await recordings.find(link.recordingId, { kind: 'all' }))
      if (recording.version !== link.version) throw problem('link-invalid', 'something was cut out of the recording since')
      const { companyId, credentialId, agentId, linkId, format, isDownload } = link
      const asker: Asker = { companyId, credentialId, agentId, roles: [], address, ...(device && { device }), kind: 'link' }
      return await audioOf(recording, asker, { format, use: isDownload ? 'download' : 'listen', via: 'link', linkId })
    },
  }
}

/** Without the customer's number: names of files travel. */
const fileNameOf = ({ recordingId, manifest: { startedAt } }: Recording, format: AudioFormat): string =>
  `${startedAt.slice(0, 19).replaceAll(':', '-')}_${recordingId}.${format}`
