import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { encodeWav } from '@tacet/audio'
import type { Stack } from '@tacet/contracts'
import { watchSpool } from './spool.ts'

const callId = '5b8e2ae6-ba72-5f5b-b568-9fe469f36c0c'
const spoolDir = join(mkdtempSync(join(tmpdir(), 'tacet-spool-')), 'recording')
t.teardown(() => rmSync(join(spoolDir, '..'), { recursive: true }))
mkdirSync(join(spoolDir, 'tacet'), { recursive: true })
const spool = await watchSpool(t, { spoolDir } as Stack)
const file = join(spoolDir, 'tacet', `tacet-${callId}-1.wav`)
const samples = Int16Array.of(1, -2, 300, 4)

t.test('a file with more in it than its header says is not taken for what its header says', async t => {
  writeFileSync(file, encodeWav({ sampleRateHz: 8000, channels: 1, bitsPerSample: 16 }, samples))
  t.same(await spool.read(), [{ callId, number: 1, samples }])
  appendFileSync(file, Buffer.alloc(1))
  await t.rejects(spool.read(), /has 1 bytes that its header says nothing of/)
})
