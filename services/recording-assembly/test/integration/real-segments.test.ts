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

const kinds = [
  { channels: 'mono', sampleRateHz: 8000, tracks: [{ track: 'mix', spy: 'both', suffix: '' }] },
  { channels: 'stereo', sampleRateHz: 16000, tracks: [{ track: 'in', spy: 'in', suffix: '-in' }, { track: 'out', spy: 'out', suffix: '-out' }] },
] as const

for (const { channels, sampleRateHz, tracks } of kinds) {
  test(`segments that Asterisk has recorded are fetched over ARI, make a whole recording, and are deleted: ${channels}, ${sampleRateHz} Hz`, async t => {
    const around = await surroundings(t)
    const { SPOOL_DIR: _, ...env } = around.env
    await startService(t, loadConfig(assemblyConfig, { ...env, ARI_URL: ari.url, ARI_USERNAME: ari.username, ARI_PASSWORD: ari.password }))
    const { connection, driver } = await startRecorders(ari)
    t.teardown(() => connection.close())
    const leg = await startLeg(ari)
    t.teardown(() => leg.hangUp())

    const empty = manifestOf([], { sampleRateHz })
    const names: string[] = []
    async function record (number: number, durationMs: number): Promise<Segment> {
      const recorders = tracks.map(({ track, spy, suffix }) => ({ track, spy, recorderId: `tacet-${empty.callId}-${number}${suffix}` }))
      names.push(...recorders.map(({ recorderId }) => `tacet/${recorderId}`))
      const requestedAtMs = Date.now()
      const started = await Promise.all(recorders.map(({ recorderId, spy }) => driver.start({ recorderId, legId: leg.id, spy, sampleRateHz, deadlineMs: 5_000 })))
      const openedAtMs = Math.max(...started.map(({ startedAtMs }) => startedAtMs))
      await eventually(() => Date.now() >= openedAtMs + durationMs)
      const stopped = await Promise.all(recorders.map(({ recorderId }) => driver.stop({ recorderId, commandId: randomUUID(), deadlineMs: 5_000 })))
      await Promise.all(recorders.map(({ recorderId }) => driver.discard(recorderId, 2_000)))
      return {
        number,
        tracks: recorders.map(({ track, recorderId }, index) => ({
          track, name: `tacet/${recorderId}`, format: sampleRateHz === 8000 ? 'wav' : 'wav16', sampleRateHz, startedAt: isoTime(started[index]!.startedAtMs),
        })),
        requestedAt: isoTime(requestedAtMs),
        openedAt: isoTime(openedAtMs),
        closedAt: isoTime(Math.max(...stopped.map(({ atMs }) => atMs))),
        closedBy: 'pause',
        proof: stopped[0]!.proof,
        isUncertain: false,
      }
    }
    const segments = [await record(1, 1_500), await record(2, 20), await record(3, 800)]
    const manifest: Manifest = { ...empty, segments, startedAt: segments[0]!.requestedAt, answeredAt: segments[0]!.requestedAt, endedAt: segments[2]!.closedAt }
    await publishEnded(around, manifest)

    const { data } = await around.probe.waitFor(({ type }) => type === 'recording.assembled')
    t.match(data, { outcome: 'complete', reasons: [] })
    t.ok(data.durationMs > 2_100, `${data.durationMs} ms`)
    const path = join(around.recordingsDir, manifest.recordingId.slice(0, 2), manifest.recordingId, '1', 'recording.wav')
    const wav = await readWavFile(path)
    if (!wav.ok) throw new Error(wav.detail)
    t.match(wav, { samples: data.samples, format: { sampleRateHz, channels: tracks.length } })
    // The tone itself begins a moment after the leg.
    const samples = await readSamples(path, wav, sampleRateHz)
    const sides = tracks.map((_, side) => samples.filter((_, index) => index % tracks.length === side))
    const silences = sides.map(side => findSilences(side, { minSamples: sampleRateHz / 10 }))
    t.equal(silences.filter(found => found.length === 0).length, 1, 'the tone is heard all the time')
    t.equal(sides.filter(side => side.every(sample => sample === 0)).length, tracks.length - 1, 'and in stereo on one side only')

    const rest = createAriRest(ari)
    t.teardown(() => rest.close())
    for (const name of names) {
      await eventually(() => rest.storedRecordingFile(name).then(({ stream }) => { stream.destroy() }, error => error.kind === 'not-found'), { message: `${name} is still on the PBX` })
    }
    await eventually(async () => (await around.filesOfRecordings()).length === 3, { message: 'copies are left' })
  })
}
