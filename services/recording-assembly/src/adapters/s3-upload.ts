import { open, type FileHandle } from 'node:fs/promises'
import { AbortMultipartUploadCommand, CompleteMultipartUploadCommand, CreateMultipartUploadCommand, PutObjectCommand, UploadPartCommand, type PutObjectCommandInput, type S3Client } from '@aws-sdk/client-s3'
import { readFully } from '@tacet/audio'
import { inParallel } from '../usecases/in-parallel.ts'

/** At least 5 MiB, says S3, but for the last one. */
export const PART_BYTES = 8 * 1024 * 1024
const PARTS_AT_ONCE = 2
/** S3 takes no more of one object. */
const MOST_PARTS = 10_000

export type UploadTarget = Pick<PutObjectCommandInput, 'Bucket' | 'Key' | 'ServerSideEncryption' | 'SSEKMSKeyId'>

export interface UploadOptions {
  onBytes: (bytes: number) => void
  signal?: AbortSignal | undefined
}

/**
 * Uploads a file, a larger one in parts, each with its SHA-256. In buffers that are used again: the SDK's own `Upload` makes new ones
 * for each part, and of a long recording more than a hundred MB of them wait for the collector. Of an upload that fails nothing is left.
 */
export async function uploadFile (client: S3Client, path: string, target: UploadTarget, { onBytes, signal }: UploadOptions): Promise<void> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    if (size > PART_BYTES) return await uploadParts(client, file, size, target, { onBytes, signal })
    const Body = Buffer.allocUnsafe(size)
    await readFully(file, Body, 0)
    await client.send(new PutObjectCommand({ ...target, Body, ChecksumAlgorithm: 'SHA256' }), stopping(signal))
    onBytes(size)
  } finally {
    await file.close()
  }
}

async function uploadParts (client: S3Client, file: FileHandle, size: number, target: UploadTarget, { onBytes, signal }: UploadOptions): Promise<void> {
  const { Bucket, Key } = target
  const partBytes = Math.max(PART_BYTES, Math.ceil(size / MOST_PARTS))
  const numbers = Array.from({ length: Math.ceil(size / partBytes) }, (_, index) => index + 1)
  const spares = Array.from({ length: PARTS_AT_ONCE }, () => Buffer.allocUnsafe(partBytes))
  let sent = 0
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ ...target, ChecksumAlgorithm: 'SHA256' }), stopping(signal))

  async function uploadPart (PartNumber: number) {
    const spare = spares.pop()!
    try {
      const Body = spare.subarray(0, await readFully(file, spare, (PartNumber - 1) * partBytes))
      const { ETag, ChecksumSHA256 } = await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ChecksumAlgorithm: 'SHA256' }), stopping(signal))
      onBytes(sent += Body.length)
      return { PartNumber, ETag, ChecksumSHA256 }
    } finally {
      spares.push(spare)
    }
  }

  try {
    const Parts = await inParallel(numbers, PARTS_AT_ONCE, uploadPart)
    await client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }), stopping(signal))
  } catch (error) {
    // What is kept of it is paid for; whoever told us to stop does not wait for that.
    const aborting = client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId })).catch(() => {})
    if (signal?.aborted !== true) await aborting
    throw error
  }
}

const stopping = (abortSignal: AbortSignal | undefined) => abortSignal === undefined ? {} : { abortSignal }
