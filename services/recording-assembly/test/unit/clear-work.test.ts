import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { createLogger } from '@tacet/service-kit'
import { createWorkDirs } from '../../src/adapters/work-dirs.ts'
import { createClearWork } from '../../src/usecases/clear-work.ts'
import { folder } from '../helpers/bucket.ts'

const logger = createLogger({ name: 'test', level: 'silent' })
const idOf = (n: number): string => `01990000-0000-7000-8000-00000000000${n}`

test('what is left of recordings that are done goes, whoever did them; of others nothing does', async t => {
  const recordingsDir = await folder(t)
  const root = join(recordingsDir, '.work')
  const workDirs = createWorkDirs({ recordingsDir })
  const [done, other] = [idOf(1), idOf(2)]
  const asked: string[][] = []
  let begun = ''
  const clear = createClearWork({
    workDirs,
    recordings: {
      async atRest (recordingIds) {
        asked.push(recordingIds.toSorted())
        begun = await workDirs.create({ recordingId: done, generation: 2 })
        return [done]
      },
    },
    logger,
  })
  await clear()
  t.same(asked, [], 'where nothing lies nobody is asked')

  for (const name of [`${done}.ahead.1`, `${done}.ahead.2`, `${done}.plain.recording.wav.aaaaaa`, `${other}.ahead.1`, 'lost+found']) await mkdir(join(root, name, 'within'), { recursive: true })
  await clear()
  t.same(asked, [[done, other]], 'all in one question')
  t.same((await readdir(root)).sort(), [begun.slice(root.length + 1), `${other}.ahead.1`, 'lost+found'].sort(), 'what has begun meanwhile stays')
})
