import { randomBytes } from 'node:crypto'
import { CreateBucketCommand, ListMultipartUploadsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import type { Test } from 'tap'
import { readStack } from '@tacet/test-kit'

export interface TestBucket {
  /** For the service's environment. */
  env: Record<string, string>
  /** Of objects, and of uploads that were begun. */
  keys (): Promise<string[]>
}

/** A bucket of this test's own on the stack's S3 server. */
export async function createTestBucket (t: Test): Promise<TestBucket> {
  const { s3 } = readStack()
  if (s3 === undefined) throw new Error('this test needs an S3 server: run it with `npm test -- <file>`')
  const { endpoint, ...credentials } = s3
  const client = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true })
  t.teardown(() => client.destroy())
  const Bucket = `test-${randomBytes(8).toString('hex')}`
  await client.send(new CreateBucketCommand({ Bucket }))
  return {
    env: { S3_BUCKET: Bucket, S3_ENDPOINT: endpoint, S3_PATH_STYLE: 'true', S3_ACCESS_KEY_ID: credentials.accessKeyId, S3_SECRET_ACCESS_KEY: credentials.secretAccessKey },
    async keys () {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }))
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: '' }))
      return [...Contents.map(({ Key = '' }) => Key), ...Uploads.map(({ Key = '' }) => `${Key}, being uploaded`)].sort()
    },
  }
}
