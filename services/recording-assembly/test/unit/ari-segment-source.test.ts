import { once } from 'node:events'
import { readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'tap'
import { eventually } from '@tacet/test-kit'
import { createAriSegmentSource } from '../../src/adapters/ari-segment-source.ts'
import { folder } from '../helpers/bucket.ts'

test('a copy that vanishes while it arrives makes nothing missing', async t => {
  const workDir = await folder(t)
  const { promise: isGone, resolve: goOn } = Promise.withResolvers<void>()
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-length': 8 }).write('RIFF')
    void isGone.then(() => response.end('WAVE'))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.close() })
  const source = createAriSegmentSource({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, username: 'a', password: 'b' })
  t.teardown(() => source.close())

  const fetching = source.fetch({ track: 'mix', name: 'tacet/one', format: 'wav', sampleRateHz: 8000 }, workDir, AbortSignal.timeout(10_000)).catch(error => error)
  await eventually(async () => (await readdir(workDir)).length > 0)
  await rm(workDir, { recursive: true })
  goOn()
  t.match(await fetching, { name: 'DependencyUnavailable', dependency: 'segments' })
})
