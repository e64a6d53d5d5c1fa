import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import {
  AbortMultipartUploadCommand, DeleteObjectCommand, DeleteObjectsCommand, GetBucketVersioningCommand, GetObjectCommand, HeadBucketCommand, HeadObjectCommand,
  ListMultipartUploadsCommand, ListObjectsV2Command, S3Client, type ServerSideEncryption,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { part } from '../domain/progress.ts'
import { DependencyUnavailable, isSystemError } from '../usecases/errors.ts'
import type { RecordingStore, StoredFile } from '../usecases/ports.ts'
import { digestOf } from './digest.ts'
import { withScratchFile } from './scratch.ts'

export interface S3Options {
  bucket: string
  prefix: string
  region: string
  /** Without it AWS itself. */
  endpoint?: string
  /** Without them the SDK looks where it always does: environment, profile, role of the machine. */
  credentials?: { accessKeyId: string, secretAccessKey: string }
  isPathStyle: boolean
  serverSideEncryption?: ServerSideEncryption
  kmsKeyId?: string
  /** For what is on its way. */
  recordingsDir: string
}

const PART_BYTES = 8 * 1024 * 1024
const PARTS_AT_ONCE = 2
const PAGE = 1_000

/** Recordings in a bucket: `<prefix><first two digits>/<recordingId>/<generation>/<file>`. */
export function createS3RecordingStore (options: S3Options): RecordingStore {
  const { bucket: Bucket, prefix, region, endpoint, credentials, isPathStyle, serverSideEncryption, kmsKeyId, recordingsDir } = options
  const client = new S3Client({
    region,
    forcePathStyle: isPathStyle,
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 5_000, requestTimeout: 60_000 },
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials !== undefined && { credentials }),
  })
  const folderOf = (recordingId: string): string => `${prefix}${recordingId.slice(0, 2).toLowerCase()}/${recordingId.toLowerCase()}/`
  const keyOf = ({ recordingId, generation, file }: StoredFile): string => `${folderOf(recordingId)}${generation}/${file}`

  function nameOf (recordingId: string, key = ''): StoredFile | null {
    const [, generation, file] = /^(\d+)\/(.+)$/.exec(key.slice(folderOf(recordingId).length)) ?? []
    return generation === undefined || file === undefined ? null : { recordingId, generation: Number(generation), file }
  }

  async function upload (name: StoredFile, path: string, onBytes: (bytes: number) => void, signal?: AbortSignal): Promise<void> {
    const upload = new Upload({
      client,
      params: {
        Bucket,
        Key: keyOf(name),
        Body: createReadStream(path, { highWaterMark: 1024 * 1024 }),
        ChecksumAlgorithm: 'SHA256',
        ...(serverSideEncryption !== undefined && { ServerSideEncryption: serverSideEncryption }),
        ...(kmsKeyId !== undefined && { SSEKMSKeyId: kmsKeyId }),
      },
      partSize: PART_BYTES,
      queueSize: PARTS_AT_ONCE,
    })
    upload.on('httpUploadProgress', ({ loaded = 0 }) => onBytes(loaded))
    const abort = () => { upload.abort().catch(() => {}) }
    signal?.addEventListener('abort', abort, { once: true })
    try {
      await upload.done()
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  async function get (name: StoredFile, range?: { start: number, end: number }): Promise<Readable> {
    const answer = await client.send(new GetObjectCommand({ Bucket, Key: keyOf(name), ...(range && { Range: `bytes=${range.start}-${range.end}` }) }))
    const body = answer.Body as Readable
    const wanted = range && range.end - range.start + 1
    if (wanted === undefined || answer.ContentLength === wanted) return body
    body.destroy()
    throw new DependencyUnavailable('store', `${answer.ContentLength} bytes instead of ${wanted}`)
  }

  async function listAll (recordingId: string): Promise<StoredFile[]> {
    const found: StoredFile[] = []
    let token: string | undefined
    do {
      const page = await client.send(new ListObjectsV2Command({ Bucket, Prefix: folderOf(recordingId), MaxKeys: PAGE, ...(token !== undefined && { ContinuationToken: token }) }))
      found.push(...(page.Contents ?? []).flatMap(({ Key }) => nameOf(recordingId, Key) ?? []))
      token = page.NextContinuationToken
    } while (token !== undefined)
    return found
  }

  /** What a killed upload has left is no object, and yet is kept and paid for. */
  async function abortUploads (recordingId: string, isDoomed: (name: StoredFile) => boolean): Promise<void> {
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: folderOf(recordingId) }))
    for (const { Key, UploadId } of Uploads) {
      const name = nameOf(recordingId, Key)
      if (name !== null && isDoomed(name)) await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId })).catch(unlessGone)
    }
  }

  async function removeUpTo (recordingId: string, last: number, keep?: number): Promise<void> {
    const isDoomed = ({ generation }: StoredFile): boolean => generation <= last && generation !== keep
    await abortUploads(recordingId, isDoomed)
    const doomed = (await listAll(recordingId)).filter(isDoomed)
    for (let n = 0; n < doomed.length; n += PAGE) {
      const Objects = doomed.slice(n, n + PAGE).map(name => ({ Key: keyOf(name) }))
      const { Errors = [] } = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }))
      if (Errors.length > 0) throw new DependencyUnavailable('store', `${Errors[0]?.Key} was not deleted: ${Errors[0]?.Message}`)
    }
  }

  return {
    prepare: (recordingId, generation, { keep } = {}) => guarded(() => removeUpTo(recordingId, generation - 1, keep)),
    put: (name, write, { signal, confirm, onProgress } = {}) => guarded(() => withScratchFile(recordingsDir, name, 'upload', async (file, path) => {
      const result = await write(file, path)
      const { size } = await file.stat()
      const stage = (from: number, to: number) => (bytes: number) => part(onProgress, from, to)(bytes / size)
      const written = await digestOf(createReadStream(path, { highWaterMark: 1024 * 1024 }), signal, stage(0, 0.2))
      await confirm?.()
      await upload(name, path, stage(0.2, 0.7), signal)
      signal?.throwIfAborted()
      const stored = await digestOf(await get(name), signal, stage(0.7, 1))
      if (stored.sha256 !== written.sha256) throw new DependencyUnavailable('store', `${name.file} was not stored as it was written`)
      return { result, ...stored }
    })),
    read: (name, range) => guarded(() => get(name, range)),
    size: name => guarded(async () => (await client.send(new HeadObjectCommand({ Bucket, Key: keyOf(name) }))).ContentLength ?? 0),
    remove: name => guarded(async () => { await client.send(new DeleteObjectCommand({ Bucket, Key: keyOf(name) })) }),
    discard: (recordingId, generation) => guarded(() => removeUpTo(recordingId, generation)),
    list: recordingId => guarded(() => listAll(recordingId)),
    async check () {
      await client.send(new HeadBucketCommand({ Bucket }))
      // Not every server knows of versions; one that does not keeps none.
      const { Status } = await client.send(new GetBucketVersioningCommand({ Bucket })).catch(() => ({ Status: undefined }))
      return Status === undefined ? { isOk: true, kind: 's3' } : { isOk: false, kind: 's3', error: 'versions are kept in this bucket: what is deleted would stay in it' }
    },
    close: () => client.destroy(),
  }
}

const isOfService = (error: unknown): boolean => error instanceof Error && ('$metadata' in error || '$response' in error || error.name === 'TimeoutError')
const unlessGone = (error: Error) => { if (error.name !== 'NoSuchUpload') throw error }

/** Whatever the service or the way to it says, it may be otherwise later. */
async function guarded<T> (work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof DependencyUnavailable || !(isSystemError(error) || isOfService(error))) throw error
    throw new DependencyUnavailable('store', (error as Error).message, error)
  }
}
