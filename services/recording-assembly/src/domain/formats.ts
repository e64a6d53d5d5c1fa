import type { Manifest, OutputFormat } from '@tacet/contracts'
import type { NewJob } from './jobs.ts'
import { agentIdsOf, agentsOf } from './recording.ts'

export const fileOfFormat = (format: OutputFormat): string => `recording.${format}`

export const encodeJob = (format: OutputFormat): NewJob => ({ kind: 'encode', item: format })

/** What exports and players need of a master that would take reading all of it. */
export const measureJob: NewJob = { kind: 'measure' }

/** What to make besides, once there is audio: the formats that the company wants are always among it. */
export const madeOfMaster = ({ settings }: Manifest, measureAfterMs: number): NewJob[] => [{ ...measureJob, delayMs: measureAfterMs }, ...settings.outputFormats.map(encodeJob)]

/** Who, when and under which number: what a player shows, and what is found again when only the file is left. */
export function tagsOf (manifest: Manifest): Record<string, string> {
  const { recordingId, companyId, companyName, number, startedAt } = manifest
  return {
    title: `Call ${number ?? ''} ${startedAt.slice(0, 19).replace('T', ' ')} UTC`.replaceAll(/ +/g, ' '),
    artist: agentsOf(manifest).map(({ agentId, name }) => name ?? agentId).join(', '),
    album: companyName ?? companyId,
    date: startedAt,
    tacet_recording: recordingId,
    tacet_company: companyId,
    tacet_agents: agentIdsOf(manifest).join(', '),
    ...(number === null ? {} : { tacet_number: number }),
    tacet_start: startedAt,
  }
}
