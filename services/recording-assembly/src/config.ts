import { commaList, commonConfig, ConfigError, crashConfig, flag, secret, variable, wholeNumber, type ConfigOf } from '@tacet/service-kit'
import { z } from 'zod'
import type { S3Options } from './adapters/s3-recording-store.ts'

const masterKey = z.string().regex(/^[\w.-]{1,64}:[A-Za-z0-9+/]{43}=$/, 'expected id:base64 of 32 bytes').transform(text => {
  const [id = '', key = ''] = text.split(':')
  return { id, key: Buffer.from(key, 'base64') }
})
const folder = () => z.string().startsWith('/', 'expected an absolute path')

export const assemblyConfig = {
  ...commonConfig,
  recordingsDir: variable('RECORDINGS_DIR', folder(), 'folder of the finished recordings'),
  spoolDir: variable('SPOOL_DIR', folder().optional(), 'Asterisk\'s spool folder (astspooldir), or only its `recording` folder, where that is shared with us; without it segments come over ARI'),
  ariUrl: variable('ARI_URL', z.url({ protocol: /^https?$/ }).optional(), 'address of Asterisk\'s HTTP server; needed without SPOOL_DIR'),
  ariUsername: variable('ARI_USERNAME', z.string().optional(), 'ARI user; needed without SPOOL_DIR'),
  ariPassword: secret('ARI_PASSWORD', z.string().optional(), 'its password; needed without SPOOL_DIR'),
  publicUrl: variable('PUBLIC_URL', z.url({ protocol: /^https?$/ }).transform(url => url.replace(/\/+$/, '')).optional(), 'where others reach this service, say https://recordings.example.org: for the addresses in events and in what is exported; without it events have paths, and exports what the request says'),
  ffmpeg: variable('FFMPEG', z.string().min(1).default('ffmpeg'), 'the program that makes other formats, and resamples what came at another rate'),
  linkSecrets: secret('LINK_SECRETS', commaList().pipe(z.array(z.string().min(32, 'expected at least 32 characters'))).default([]), 'secrets of signed links, separated by commas: the first signs, all are believed; without any there are no links'),
  s3Bucket: variable('S3_BUCKET', z.string().min(3).optional(), 'keep recordings in this bucket of an S3 store instead of in RECORDINGS_DIR, which then holds only what is on its way'),
  s3Prefix: variable('S3_PREFIX', z.string().regex(/^([\w.-]+\/)*$/, 'expected folders, each with a / after it').default(''), 'put before the name of every object'),
  s3Region: variable('S3_REGION', z.string().default('us-east-1'), 'region of the bucket'),
  s3Endpoint: variable('S3_ENDPOINT', z.url({ protocol: /^https?$/ }).optional(), 'address of the S3 server; without it AWS itself'),
  s3AccessKeyId: variable('S3_ACCESS_KEY_ID', z.string().optional(), 'without it credentials come from where the AWS SDK looks: its own variables, a profile, the role of the machine'),
  s3SecretAccessKey: secret('S3_SECRET_ACCESS_KEY', z.string().optional(), 'its secret'),
  s3IsPathStyle: variable('S3_PATH_STYLE', flag().default(false), 'whether the bucket is named in the path, as most servers other than AWS want it'),
  s3ServerSideEncryption: variable('S3_SERVER_SIDE_ENCRYPTION', z.enum(['AES256', 'aws:kms', 'aws:kms:dsse']).optional(), 'what to ask the S3 server for; one that can not refuses'),
  s3KmsKeyId: variable('S3_KMS_KEY_ID', z.string().optional(), 'the key for aws:kms; without it the bucket\'s own'),
  encryptionKeys: secret('ENCRYPTION_KEYS', commaList().pipe(z.array(masterKey)).default([]), 'master keys as `id:base64 of 32 bytes`, separated by commas: recordings are encrypted before they are stored, by keys that the first of these wraps; older ones are kept until all is re-wrapped'),
  concurrency: variable('ASSEMBLY_CONCURRENCY', wholeNumber(1, 256).optional(), 'jobs worked on at the same time, two at least: one is always left for what is not the making of other formats; without it as many as there are cores'),
  leaseMs: variable('ASSEMBLY_LEASE_MS', wholeNumber(500, 600_000).default(15_000), 'how long a worker that died keeps its job from the others'),
  measureAfterMs: variable('ASSEMBLY_MEASURE_AFTER_MS', wholeNumber(0, 86_400_000).default(60_000), 'how long after it was made a recording is measured, unless somebody wants its waveform or its vCon before: not while calls that ended together are being assembled'),
  ...crashConfig,
}
export type AssemblyConfig = ConfigOf<typeof assemblyConfig>

export type SegmentAccess = { kind: 'folder', spoolDir: string } | { kind: 'ari', url: string, username: string, password: string }

/** Where recordings are kept: undefined is the folder. */
export function s3Of ({ s3Bucket, s3Prefix, s3Region, s3Endpoint, s3AccessKeyId, s3SecretAccessKey, s3IsPathStyle, s3ServerSideEncryption, s3KmsKeyId, recordingsDir }: AssemblyConfig): S3Options | undefined {
  if (s3Bucket === undefined) return undefined
  if ((s3AccessKeyId === undefined) !== (s3SecretAccessKey === undefined)) throw new ConfigError('Invalid configuration\n✖ S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY go together')
  return {
    bucket: s3Bucket,
    prefix: s3Prefix,
    region: s3Region,
    isPathStyle: s3IsPathStyle,
    recordingsDir,
    ...(s3Endpoint !== undefined && { endpoint: s3Endpoint }),
    ...(s3AccessKeyId !== undefined && s3SecretAccessKey !== undefined && { credentials: { accessKeyId: s3AccessKeyId, secretAccessKey: s3SecretAccessKey } }),
    ...(s3ServerSideEncryption !== undefined && { serverSideEncryption: s3ServerSideEncryption }),
    ...(s3KmsKeyId !== undefined && { kmsKeyId: s3KmsKeyId }),
  }
}

/** How to reach the segments. Throws a ConfigError when neither way is configured. */
export function segmentAccessOf ({ spoolDir, ariUrl, ariUsername, ariPassword }: AssemblyConfig): SegmentAccess {
  if (spoolDir !== undefined) return { kind: 'folder', spoolDir }
  if (ariUrl === undefined || ariUsername === undefined || ariPassword === undefined) {
    throw new ConfigError('Invalid configuration\n✖ without SPOOL_DIR, segments come over ARI: ARI_URL, ARI_USERNAME and ARI_PASSWORD are needed')
  }
  return { kind: 'ari', url: ariUrl, username: ariUsername, password: ariPassword }
}
