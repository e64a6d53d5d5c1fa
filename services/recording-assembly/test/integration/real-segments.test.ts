import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'tap'
import { createAriRest } from '@tacet/ari'
import { findSilences, readSamples, readWavFile } from '@tacet/audio'
import type { Manifest, Segment } from '@tacet/contracts'
import { loadConfig } from '@tacet/service-kit'
import { eventually, readStack } from '@tacet/test-kit'
import { startLeg, startRecorders } from '../../../../packages/ari/test/helpers/pbx.ts'
import { assemblyConfig } from '../../src/index.ts'
import { manifestOf } from '../helpers/manifest.ts'
import { publishEnded, startService, surroundings } from '../helpers/service.ts'

const { ari } = readStack()
const isoTime = (ms: number): string => new Date(ms).toISOString()

test('segments that Asterisk has recorded are fetched over ARI, make a whole recording, and are deleted', async t => {
  const around = await surroundings(t)
  const { SPOOL_DIR: _, ...env } = around.env
  await startService(t, loadConfig(assemblyConfig, { ...env, ARI_URL: ari.url, ARI_USERNAME: ari.username, ARI_PASSWORD: ari.password }))
  const { connection, driver } = await startRecorders(ari)
  t.teardown(() => connection.close())
  const leg = await startLeg(ari)
  t.teardown(() => leg.hangUp())

  const empty = manifestOf([])
  const names: string[] = []
  async function record (number: number, sampleRateHz: 8000, durationMs: number): Promise<Segment> {
    const recorderId = `tacet-${empty.callId}-${number}`
    names.push(`tacet/${recorderId}`)
    const requestedAtMs = Date.now()
    const { startedAtMs } = await driver.start({ recorderId, legId: leg.id, spy: 'both', sampleRateHz, deadlineMs: 5_000 })
    await eventually(() => Date.now() >= startedAtMs + durationMs)
    const { atMs, proof } = await driver.stop({ recorderId, commandId: randomUUID(), deadlineMs: 5_000 })
    await driver.discard(recorderId, 2_000)
    return {
      number,
      tracks: [{ track: 'mix', name: `tacet/${recorderId}`, format: 'wav', sampleRateHz }],
      requestedAt: isoTime(requestedAtMs),
      openedAt: isoTime(startedAtMs),
      closedAt: isoTime(atMs),
      closedBy: 'pause',
      proof,
      isUncertain: false,
    }
  }
  const segments = [await record(1, 8000, 1_500), await record(2, 8000, 20), await record(3, 8000, 800)]
  const manifest: Manifest = { ...empty, segments, startedAt: segments[0]!.requestedAt, answeredAt: segments[0]!.requestedAt, endedAt: segments[2]!.closedAt }
  await publishEnded(around, manifest)

  const { data } = await around.probe.waitFor(({ type }) => type === 'recording.assembled')
  t.match(data, { outcome: 'complete', reasons: [] })
  t.ok(data.durationMs > 2_100, `${data.durationMs} ms`)
  const path = join(around.recordingsDir, manifest.recordingId.slice(0, 2), manifest.recordingId, '1', 'recording.wav')
  const wav = await readWavFile(path)
  if (!wav.ok) throw new Error(wav.detail)
  t.equal(wav.samples, data.samples)
  // The tone itself begins a moment after the leg.
  t.same(findSilences(await readSamples(path, wav, 8_000), { minSamples: 800 }), [], 'the tone is heard all the time')

  const rest = createAriRest(ari)
  t.teardown(() => rest.close())
  for (const name of names) {
    await eventually(() => rest.storedRecordingFile(name).then(({ stream }) => { stream.destroy() }, error => error.kind === 'not-found'), { message: `${name} is still on the PBX` })
  }
  t.same((await around.filesOfRecordings()).length, 2, 'no copies are left')
})
