import type { Manifest, OutputFormat } from '@tacet/contracts'
import type { NewJob } from './jobs.ts'
import { agentIdsOf } from './recording.ts'

export const fileOfFormat = (format: OutputFormat): string => `recording.${format}`

export const encodeJob = (format: OutputFormat): NewJob => ({ kind: 'encode', item: format })

/** What exports and players need of a master that would take reading all of it. */
export const measureJob: NewJob = { kind: 'measure' }

/** What to make besides, once there is audio: the formats that the company wants are always among it. */
export const madeOfMaster = ({ settings }: Manifest, measureAfterMs: number): NewJob[] => [{ ...measureJob, delayMs: measureAfterMs }, ...settings.outputFormats.map(encodeJob)]

/** Who, when and under which number: what a player shows, and what is found again when only the file is left. */
export function tagsOf (manifest: Manifest): Record<string, string> {
  const { recordingId, companyId, number, startedAt } = manifest
  const agents = agentIdsOf(manifest).join(', ')
  return {
    title: `Call ${number ?? ''} ${startedAt.slice(0, 19).replace('T', ' ')} UTC`.replaceAll(/ +/g, ' '),
    artist: agents,
    album: companyId,
    date: startedAt,
    tacet_recording: recordingId,
    tacet_company: companyId,
    tacet_agents: agents,
    ...(number === null ? {} : { tacet_number: number }),
    tacet_start: startedAt,
  }
}
