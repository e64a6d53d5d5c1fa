import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import type { Test } from 'tap'
import { readStack } from '@tacet/test-kit'
import type { S3Options } from '../../src/adapters/s3-recording-store.ts'

export async function folder (t: Test): Promise<string> {
  const recordingsDir = await mkdtemp(join(tmpdir(), 'tacet-store-'))
  t.teardown(() => rm(recordingsDir, { recursive: true, force: true }))
  return recordingsDir
}

export interface Bucket {
  options: S3Options & { endpoint: string }
  client: S3Client
  /** For the service's environment; without an endpoint the server itself. */
  env (endpoint?: string): Record<string, string>
  /** The names of all objects whose name holds this. */
  objects (part: string): Promise<string[]>
}

/** A bucket of this test's own. */
export async function bucket (t: Test): Promise<Bucket> {
  const { s3 } = readStack()
  if (s3 === undefined) throw new Error('this test needs an S3 server: run it with `npm test -- <file>`')
  const { endpoint, ...credentials } = s3
  const client = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true })
  const name = `test-${randomBytes(8).toString('hex')}`
  await client.send(new CreateBucketCommand({ Bucket: name }))
  t.teardown(() => client.destroy())
  return {
    options: { bucket: name, prefix: 'calls/', region: 'us-east-1', endpoint, credentials, isPathStyle: true, recordingsDir: await folder(t) },
    client,
    env: (s3Endpoint = endpoint) => ({
      S3_BUCKET: name, S3_PREFIX: 'calls/', S3_ENDPOINT: s3Endpoint, S3_PATH_STYLE: 'true', S3_ACCESS_KEY_ID: credentials.accessKeyId, S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    }),
    async objects (part) {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: name }))
      return Contents.flatMap(({ Key = '' }) => Key.includes(part) ? Key : []).sort()
    },
  }
}

/** The address of a server that behaves as no S3 server should. */
export async function badServer (t: Test, answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
