import { Readable } from 'node:stream'
import {
  AbortMultipartUploadCommand, DeleteObjectsCommand, GetBucketVersioningCommand, GetObjectCommand, HeadBucketCommand, HeadObjectCommand,
  ListMultipartUploadsCommand, ListObjectsV2Command, S3Client, type ServerSideEncryption,
} from '@aws-sdk/client-s3'
import { deadline, type CheckResult } from '@tacet/service-kit'
import { part } from '../domain/progress.ts'
import { DependencyUnavailable } from '../usecases/errors.ts'
import type { RecordingStore, StoredFile } from '../usecases/ports.ts'
import { digestOf, digestOfFile } from './digest.ts'
import { guarded } from './guarded.ts'
import { uploadFile } from './s3-upload.ts'
import { clearScratch, withScratchFile } from './scratch.ts'

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
  patience?: Partial<S3Patience>
}

export interface S3Patience {
  /** For the answer to begin. */
  answerMs: number
  /** For a part to be sent and answered: over a slow line that takes long. */
  uploadMs: number
  /** For more to come of a file that is being read. */
  silenceMs: number
}

/** An upload is tried three times: all of that is over before late files are looked for. */
const patient: S3Patience = { answerMs: 30_000, uploadMs: 240_000, silenceMs: 30_000 }
/** How long a bucket that keeps no versions is believed to go on so. */
const TRUST_MS = 10 * 60_000
const PAGE = 1_000

/** Recordings in a bucket: `<prefix><first two digits>/<recordingId>/<generation>/<file>`. */
export function createS3RecordingStore (options: S3Options): RecordingStore {
  const { bucket: Bucket, prefix, region, endpoint, credentials, isPathStyle, serverSideEncryption, kmsKeyId, recordingsDir } = options
  const { answerMs, uploadMs, silenceMs } = { ...patient, ...options.patience }
  const client = new S3Client({
    region,
    forcePathStyle: isPathStyle,
    maxAttempts: 3,
    // Without `throwOnRequestTimeout` it only warns, and waits for ever.
    requestHandler: { connectionTimeout: 5_000, requestTimeout: uploadMs, throwOnRequestTimeout: true },
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials !== undefined && { credentials }),
  })
  const folderOf = (recordingId: string): string => `${prefix}${recordingId.slice(0, 2).toLowerCase()}/${recordingId.toLowerCase()}/`
  const keyOf = ({ recordingId, generation, file }: StoredFile): string => `${folderOf(recordingId)}${generation}/${file}`

  function nameOf (recordingId: string, key = ''): StoredFile | null {
    const [, generation, file] = /^(\d+)\/(.+)$/.exec(key.slice(folderOf(recordingId).length)) ?? []
    return generation === undefined || file === undefined ? null : { recordingId, generation: Number(generation), file }
  }

  const within = (signal?: AbortSignal) => ({ requestTimeout: answerMs, ...(signal && { abortSignal: signal }) })

  async function upload (name: StoredFile, path: string, onBytes: (bytes: number) => void, signal?: AbortSignal): Promise<void> {
    await asked(uploadFile(client, path, {
      Bucket,
      Key: keyOf(name),
      ...(serverSideEncryption !== undefined && { ServerSideEncryption: serverSideEncryption }),
      ...(kmsKeyId !== undefined && { SSEKMSKeyId: kmsKeyId }),
    }, { onBytes, signal }), signal)
  }

  async function get (name: StoredFile, range?: { start: number, end: number }, signal?: AbortSignal): Promise<Readable> {
    // Not only the body: behind that may be a stream that goes on without it.
    const stopping = new AbortController()
    const command = new GetObjectCommand({ Bucket, Key: keyOf(name), ...(range && { Range: `bytes=${range.start}-${range.end}` }) })
    const answer = await asked(client.send(command, within(AbortSignal.any([stopping.signal, ...signal === undefined ? [] : [signal]]))), signal)
    const body = watched(answer.Body as Readable, silenceMs, () => stopping.abort())
    const wanted = range && range.end - range.start + 1
    if (wanted === undefined || answer.ContentLength === wanted) return body
    body.destroy()
    throw new DependencyUnavailable('store', `${answer.ContentLength} bytes instead of ${wanted}`)
  }

  async function listAll (recordingId: string): Promise<StoredFile[]> {
    const found: StoredFile[] = []
    let token: string | undefined
    do {
      const page = await asked(client.send(new ListObjectsV2Command({ Bucket, Prefix: folderOf(recordingId), MaxKeys: PAGE, ...(token !== undefined && { ContinuationToken: token }) }), within()))
      found.push(...(page.Contents ?? []).flatMap(({ Key }) => nameOf(recordingId, Key) ?? []))
      token = page.NextContinuationToken
    } while (token !== undefined)
    return found
  }

  /** What a killed upload has left is no object, and yet is kept and paid for. */
  async function abortUploads (recordingId: string, isDoomed: (name: StoredFile) => boolean): Promise<void> {
    const { Uploads = [] } = await asked(client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: folderOf(recordingId) }), within()))
    for (const { Key, UploadId } of Uploads) {
      const name = nameOf(recordingId, Key)
      if (name !== null && isDoomed(name)) await asked(client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }), within()).catch(unlessGone))
    }
  }

  async function removeUpTo (recordingId: string, last: number, keep?: number): Promise<void> {
    const isDoomed = ({ generation }: StoredFile): boolean => generation <= last && generation !== keep
    await abortUploads(recordingId, isDoomed)
    const doomed = (await listAll(recordingId)).filter(isDoomed)
    for (let n = 0; n < doomed.length; n += PAGE) {
      const Objects = doomed.slice(n, n + PAGE).map(name => ({ Key: keyOf(name) }))
      const { Errors = [] } = await asked(client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }), within()))
      if (Errors.length > 0) throw new DependencyUnavailable('store', `${Errors[0]?.Key} was not deleted: ${Errors[0]?.Message}`)
    }
  }

  /** What is deleted has to be gone. */
  async function checkVersions (): Promise<CheckResult> {
    const { Status } = await asked(client.send(new GetBucketVersioningCommand({ Bucket }), within()).catch(unlessUnknown))
    return Status === undefined ? { isOk: true } : { isOk: false, error: 'versions are kept in this bucket: what is deleted would stay in it' }
  }

  async function requireNoVersions (): Promise<void> {
    if (Date.now() < trustedUntilMs) return
    const { isOk, error } = await checkVersions()
    if (!isOk) throw new DependencyUnavailable('store', String(error))
    trustedUntilMs = Date.now() + TRUST_MS
  }
  let trustedUntilMs = 0

  return {
    prepare: (recordingId, generation, { keep } = {}) => guarded(async () => {
      await clearScratch(recordingsDir, recordingId, 'upload')
      await removeUpTo(recordingId, generation - 1, keep)
    }),
    put: (name, write, { signal, confirm, onProgress, readBack } = {}) => guarded(() => withScratchFile(recordingsDir, name, 'upload', { isAlone: confirm !== undefined }, async (file, path) => {
      await requireNoVersions()
      const result = await write(file, path, () => {})
      const { size } = await file.stat()
      const stage = (from: number, to: number) => (bytes: number) => part(onProgress, from, to)(bytes / size)
      const written = readBack?.(result) ?? await digestOfFile(path, signal, stage(0, 0.2))
      await confirm?.()
      await upload(name, path, stage(0.2, 0.7), signal)
      signal?.throwIfAborted()
      const stored = await digestOf(await get(name, undefined, signal), signal, stage(0.7, 1))
      if (stored.sha256 !== written.sha256) throw new DependencyUnavailable('store', `${name.file} was not stored as it was written`)
      return { result, ...stored }
    })),
    read: get,
    size: async name => (await asked(client.send(new HeadObjectCommand({ Bucket, Key: keyOf(name) }), within()))).ContentLength ?? 0,
    discard: (recordingId, generation, { keep } = {}) => removeUpTo(recordingId, generation, keep),
    list: listAll,
    async check () {
      await asked(client.send(new HeadBucketCommand({ Bucket }), within()))
      return { ...await checkVersions(), kind: 's3' }
    },
    close: () => client.destroy(),
  }
}

const unlessGone = (error: Error) => { if (error.name !== 'NoSuchUpload') throw error }
/** A server that does not know of versions keeps none; one that does not tell us may. */
const unlessUnknown = (error: Error): { Status?: undefined } => {
  if (error.name !== 'NotImplemented' && error.name !== 'MethodNotAllowed') throw error
  return {}
}

const unavailable = (error: unknown): DependencyUnavailable =>
  error instanceof DependencyUnavailable ? error : new DependencyUnavailable('store', error instanceof Error && error.message !== '' ? error.message : String(error), error)

/** Whatever the service says, or the way to it, or whoever should give us credentials: it may be otherwise later. */
async function asked<T> (request: Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await request
  } catch (error) {
    signal?.throwIfAborted()
    throw unavailable(error)
  }
}

/** Fails when nothing more comes for so long, or it breaks off. A reader may take his time. */
function watched (body: Readable, silenceMs: number, stop: () => void): Readable {
  // Before anybody reads it, too.
  body.on('error', () => {})
  async function * chunks (): AsyncGenerator<Buffer> {
    const iterator = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>
    try {
      for (;;) {
        const next = await deadline(iterator.next(), silenceMs, () => new Error(`nothing more came for ${silenceMs} ms`))
        if (next.done === true) return
        yield next.value
      }
    } catch (error) {
      throw unavailable(error)
    }
  }
  const stream = Readable.from(chunks(), { objectMode: false, highWaterMark: 256 * 1024 })
  stream.once('close', () => {
    stop()
    body.destroy()
  })
  return stream
}
