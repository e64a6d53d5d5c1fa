import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { Stack } from '@tacet/contracts'
import { eventually } from '@tacet/test-kit'
import { watchMatrixSpool } from './spool-log.ts'

const [mine, other] = ['5b8e2ae6-ba72-5f5b-b568-9fe469f36c0c', '6c8e2ae6-ba72-5f5b-b568-9fe469f36c0c']
const noise = Buffer.from(Int16Array.of(1, -2, 300, 4).buffer)

function wav (data: Buffer): Buffer {
  const header = Buffer.alloc(44)
  header.write('RIFF')
  header.write('WAVEfmt ', 8)
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(8000, 24)
  header.writeUInt16LE(16, 34)
  header.write('data', 36)
  header.writeUInt32LE(data.length, 40)
  return Buffer.concat([header, data])
}

const spoolDir = join(mkdtempSync(join(tmpdir(), 'tacet-spool-')), 'recording')
t.teardown(() => rmSync(join(spoolDir, '..'), { recursive: true }))
mkdirSync(join(spoolDir, 'tacet'), { recursive: true })
const spool = await watchMatrixSpool(t, { spoolDir } as Stack)
const fileOf = (callId: string, number: number) => join(spoolDir, 'tacet', `tacet-${callId}-${number}.wav`)
const written = () => spool.written(mine).map(({ number, samples, heard }) => ({ number, samples: [...samples], heard: [...heard] }))

t.test('what a recorder wrote can be heard when it is long deleted, also where it is no WAV file', async t => {
  writeFileSync(fileOf(mine, 1), wav(noise))
  writeFileSync(fileOf(mine, 2), noise)
  await eventually(() => written().length === 2)
  rmSync(fileOf(mine, 1))
  rmSync(fileOf(mine, 2))
  t.same(written(), [{ number: 1, samples: [1, -2, 300, 4], heard: [1, -2, 300, 4] }, { number: 2, samples: [], heard: [1, -2, 300, 4] }])
  spool.forget()
  t.same(written(), [])
})

t.test('what is in a file beyond what its header says is heard as well', async t => {
  const [declared, beyond] = [noise.subarray(0, 4), noise.subarray(4)]
  writeFileSync(fileOf(mine, 3), Buffer.concat([wav(declared), beyond]))
  await eventually(() => written().length === 1)
  rmSync(fileOf(mine, 3))
  const [{ samples, heard }] = written() as [ReturnType<typeof written>[number]]
  t.same(samples, [1, -2])
  t.same(heard.slice(-4), [1, -2, 300, 4])
  spool.forget()
})

t.test('a file that is none of these calls\' is a stranger, however short its life', async t => {
  writeFileSync(fileOf(other, 1), wav(noise))
  writeFileSync(join(spoolDir, 'copy.tmp'), noise)
  renameSync(join(spoolDir, 'copy.tmp'), join(spoolDir, 'copy.wav'))
  rmSync(join(spoolDir, 'copy.wav'))
  rmSync(fileOf(other, 1))
  await eventually(() => spool.strangers([mine]).length >= 3)
  t.same(spool.strangers([mine]).sort(), ['copy.tmp', 'copy.wav', `tacet-${other}-1.wav`])
  t.same(spool.strangers([mine, other]).sort(), ['copy.tmp', 'copy.wav'])
})
