import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/**
 * An encrypted file: a header, then chunks, each sealed by AES-256-GCM under a key of this file's own, so that any range can be
 * read and checked by itself. A chunk's nonce is its place and whether it is the last one: none can be left out, moved or come
 * from another file, nor can the end be missing. (The STREAM construction; https://eprint.iacr.org/2015/189)
 */
export const HEADER_BYTES = 32
export const CHUNK_BYTES = 64 * 1024
export const TAG_BYTES = 16
const SEALED_BYTES = CHUNK_BYTES + TAG_BYTES
const MAGIC = Buffer.from('TACETENC')
export const MAGIC_BYTES = MAGIC.length
const VERSION = 1

/** Whether a file that starts so is encrypted. */
export const isSealed = (start: Buffer): boolean => start.subarray(0, MAGIC_BYTES).equals(MAGIC)

export interface FileKey { key: Buffer, header: Buffer }

/** Throws when it is no header of ours. */
export function openFileKey (dataKey: Buffer, context: string, header: Buffer): FileKey {
  if (header.length !== HEADER_BYTES || !isSealed(header) || header[8] !== VERSION) throw new Error('not an encrypted recording')
  return { header, key: Buffer.from(hkdfSync('sha256', dataKey, header.subarray(16), `tacet-file:${context}`, 32)) }
}

export function newFileKey (dataKey: Buffer, context: string, salt = randomBytes(16)): FileKey {
  const header = Buffer.alloc(HEADER_BYTES)
  MAGIC.copy(header)
  header[8] = VERSION
  salt.copy(header, 16)
  return openFileKey(dataKey, context, header)
}

function nonceOf (index: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeUInt32BE(index, 7)
  nonce[11] = isLast ? 1 : 0
  return nonce
}

/** Into memory that may be used again for the next one. */
export function sealChunk ({ key, header }: FileKey, plain: Buffer, index: number, isLast: boolean, into = Buffer.allocUnsafe(SEALED_BYTES)): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonceOf(index, isLast)).setAAD(header)
  moveInto(into, cipher.update(plain))
  cipher.final() // Nothing: GCM holds nothing back.
  cipher.getAuthTag().copy(into, plain.length)
  return into.subarray(0, plain.length + TAG_BYTES)
}

/** Its own memory is given back at once: of 64 KiB each, more than a hundred MB would wait for the collector. */
function moveInto (target: Buffer, source: Buffer): void {
  source.copy(target)
  if (source.buffer.byteLength === source.length) (source.buffer as ArrayBuffer).transfer(0)
}

/** Throws when it is not what was sealed at this place. */
export function openChunk ({ key, header }: FileKey, sealed: Buffer, index: number, isLast: boolean): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(index, isLast), { authTagLength: TAG_BYTES }).setAAD(header)
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES))
  const plain = decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES))
  decipher.final() // Throws, or nothing: GCM holds nothing back.
  return plain
}

/** How an encrypted file of this size is made up. Also an empty one has a chunk. */
export function measure (sizeBytes: number): { chunks: number, plainBytes: number } {
  const body = sizeBytes - HEADER_BYTES
  const chunks = Math.ceil(body / SEALED_BYTES)
  if (body < TAG_BYTES || body - (chunks - 1) * SEALED_BYTES < TAG_BYTES) throw new Error(`${sizeBytes} bytes are no encrypted recording`)
  return { chunks, plainBytes: body - chunks * TAG_BYTES }
}

/** Which chunks hold the bytes `start` to `end`, both included, and where those chunks are in the file. */
export function locate ({ start, end }: { start: number, end: number }, sizeBytes: number): { first: number, last: number, start: number, end: number } {
  const [first, last] = [Math.floor(start / CHUNK_BYTES), Math.floor(end / CHUNK_BYTES)]
  return { first, last, start: HEADER_BYTES + first * SEALED_BYTES, end: Math.min(sizeBytes, HEADER_BYTES + (last + 1) * SEALED_BYTES) - 1 }
}

export const sealedBytesOfChunk = SEALED_BYTES

export interface MasterKey { id: string, key: Buffer }
export interface WrappedKey { masterKeyId: string, wrapped: string }

/** A data key, sealed by a master key for just this use. */
export function wrapKey (dataKey: Buffer, context: string, { id, key }: MasterKey): WrappedKey {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(`tacet-key:${context}`))
  return { masterKeyId: id, wrapped: Buffer.concat([nonce, cipher.update(dataKey), cipher.final(), cipher.getAuthTag()]).toString('base64') }
}

/** Throws when this master key did not wrap it, or for another use. */
export function unwrapKey ({ wrapped }: WrappedKey, context: string, { key }: MasterKey): Buffer {
  const bytes = Buffer.from(wrapped, 'base64')
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: TAG_BYTES }).setAAD(Buffer.from(`tacet-key:${context}`))
  decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES))
  return Buffer.concat([decipher.update(bytes.subarray(12, bytes.length - TAG_BYTES)), decipher.final()])
}
