import { commaList, commonConfig, ConfigError, crashConfig, secret, variable, wholeNumber, type ConfigOf } from '@tacet/service-kit'
import { z } from 'zod'

const folder = () => z.string().startsWith('/', 'expected an absolute path')

export const assemblyConfig = {
  ...commonConfig,
  recordingsDir: variable('RECORDINGS_DIR', folder(), 'folder of the finished recordings'),
  spoolDir: variable('SPOOL_DIR', folder().optional(), 'Asterisk\'s spool folder (astspooldir), or only its `recording` folder, where that is shared with us; without it segments come over ARI'),
  ariUrl: variable('ARI_URL', z.url({ protocol: /^https?$/ }).optional(), 'address of Asterisk\'s HTTP server; needed without SPOOL_DIR'),
  ariUsername: variable('ARI_USERNAME', z.string().optional(), 'ARI user; needed without SPOOL_DIR'),
  ariPassword: secret('ARI_PASSWORD', z.string().optional(), 'its password; needed without SPOOL_DIR'),
  ffmpeg: variable('FFMPEG', z.string().min(1).default('ffmpeg'), 'the program that makes other formats, and resamples what came at another rate'),
  linkSecrets: secret('LINK_SECRETS', commaList().pipe(z.array(z.string().min(32, 'expected at least 32 characters'))).default([]), 'secrets of signed links, separated by commas: the first signs, all are believed; without any there are no links'),
  concurrency: variable('ASSEMBLY_CONCURRENCY', wholeNumber(1, 64).default(2), 'recordings assembled at the same time'),
  leaseMs: variable('ASSEMBLY_LEASE_MS', wholeNumber(500, 600_000).default(15_000), 'how long a worker that died keeps its job from the others'),
  ...crashConfig,
}
export type AssemblyConfig = ConfigOf<typeof assemblyConfig>

export type SegmentAccess = { kind: 'folder', spoolDir: string } | { kind: 'ari', url: string, username: string, password: string }

/** How to reach the segments. Throws a ConfigError when neither way is configured. */
export function segmentAccessOf ({ spoolDir, ariUrl, ariUsername, ariPassword }: AssemblyConfig): SegmentAccess {
  if (spoolDir !== undefined) return { kind: 'folder', spoolDir }
  if (ariUrl === undefined || ariUsername === undefined || ariPassword === undefined) {
    throw new ConfigError('Invalid configuration\n✖ without SPOOL_DIR, segments come over ARI: ARI_URL, ARI_USERNAME and ARI_PASSWORD are needed')
  }
  return { kind: 'ari', url: ariUrl, username: ariUsername, password: ariPassword }
}
