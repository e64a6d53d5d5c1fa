import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'tap'
import { encodeWav } from '@tacet/audio'
import { createFfmpeg } from '../../src/adapters/ffmpeg.ts'
import { countingSamples } from '../helpers/service.ts'

const wav = encodeWav({ sampleRateHz: 8000, channels: 1, bitsPerSample: 16 }, countingSamples(80_000))
const warning = 'echo "object from LD_PRELOAD cannot be preloaded: ignored" >&2'

test('what is only said around the making of another format is no failure', async t => {
  const folder = t.testdir()
  const output = join(folder, 'recording.flac')
  async function encoderOf (script: string) {
    const path = join(folder, 'program')
    await writeFile(path, `#!/bin/sh\n${script}\n`)
    await chmod(path, 0o755)
    const encoder = createFfmpeg({ path })
    return { check: () => encoder.check(), encode: () => encoder.encode({ input: Readable.from([wav]), output, format: 'flac', channels: 1, durationMs: 10_000, tags: {}, signal: AbortSignal.timeout(10_000), onProgress: () => {} }) }
  }
  const talkative = await encoderOf(`${warning}; exec ffmpeg "$@"`)
  t.match(await talkative.check(), { isOk: true })
  await talkative.encode()
  t.equal((await readFile(output)).toString('latin1', 0, 4), 'fLaC')

  t.test('but an empty file is, and so is what the system refused for the last bytes', async t => {
    await t.rejects((await encoderOf(`${warning}; : > "${output}"`)).encode(), { message: /made nothing/ })
    await t.rejects((await encoderOf('ffmpeg "$@"; echo Disk quota exceeded >&2')).encode(), { name: 'DependencyUnavailable', dependency: 'store' })
  })

  t.test('a library that is gone has refused nothing', async t => {
    await t.rejects((await encoderOf('exit 127')).encode(), { name: 'DependencyUnavailable', dependency: 'encoder' })
  })
})
