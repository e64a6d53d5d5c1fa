import { access, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { createWorkDirs } from '../../src/adapters/work-dirs.ts'
import { folder } from '../helpers/bucket.ts'

const recordingId = '01990000-0000-7000-8000-000000000009'

test('an attempt finds nothing of earlier ones, and takes nothing from later ones', async t => {
  const recordingsDir = await folder(t)
  const workDirs = createWorkDirs({ recordingsDir })
  const namesIn = async () => await readdir(join(recordingsDir, '.work'))
  const earlier = await workDirs.create({ recordingId, generation: 9 })
  const later = await workDirs.create({ recordingId, generation: 10 })
  t.same((await namesIn()).length, 1, 'what the earlier one has left is gone')

  await writeFile(join(later, 'segment.wav'), 'RIFF')
  await workDirs.remove(earlier)
  await access(join(later, 'segment.wav'))
  await workDirs.remove(await workDirs.create({ recordingId, generation: 9 }))
  await access(join(later, 'segment.wav'))

  await workDirs.remove(later)
  t.same(await namesIn(), [])
})

test('a recording that is deleted leaves nothing, and takes nothing of others', async t => {
  const recordingsDir = await folder(t)
  const workDirs = createWorkDirs({ recordingsDir })
  await workDirs.create({ recordingId, generation: 1 })
  for (const name of [`${recordingId}.ahead.1`, `${recordingId}.plain.recording.wav.a`, 'another.ahead.1']) await mkdir(join(recordingsDir, '.work', name))
  await workDirs.clear(recordingId)
  t.same(await readdir(join(recordingsDir, '.work')), ['another.ahead.1'])
})
