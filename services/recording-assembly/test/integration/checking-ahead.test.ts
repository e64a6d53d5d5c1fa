import tap, { test } from 'tap'
import { encodeWav } from '@tacet/audio'
import type { Manifest } from '@tacet/contracts'
import { loadConfig } from '@tacet/service-kit'
import { eventually } from '@tacet/test-kit'
import { jobs } from '../../src/db/schema.ts'
import { assemblyConfig } from '../../src/index.ts'
import { manifestOf } from '../helpers/manifest.ts'
import { countingSamples, publishClosed, publishEnded, readableLogger, startService, surroundings } from '../helpers/service.ts'
import { serveStoredRecordings } from '../helpers/stored-recordings.ts'

tap.setTimeout(180_000)

for (const access of ['a shared folder', 'ARI'] as const) {
  test(`segments in ${access}, while their call goes on`, async t => {
    const around = await surroundings(t)
    const pbx = await serveStoredRecordings(t, around.spoolDir)
    const { SPOOL_DIR: _, ...env } = around.env
    const { logger, lines } = readableLogger()
    const service = await startService(t, loadConfig(assemblyConfig, access === 'ARI' ? { ...env, ...pbx.env, LOG_LEVEL: 'info' } : { ...around.env, LOG_LEVEL: 'info' }), logger)
    const isChecked = async () => await eventually(async () => (await around.database.db.select().from(jobs)).length === 0, { message: 'checks are left' })
    const alarmsOf = ({ callId, recordingId }: Manifest) => lines.filter(line => 'alarm' in line && line['callId'] === callId && line['recordingId'] === recordingId)
      .map(({ alarm, segment }) => `${alarm} ${segment}`).sort()

    async function close (manifest: Manifest): Promise<void> {
      for (const { number } of manifest.segments) await publishClosed(around, manifest, number)
    }

    await t.test('are called out when they are not as they should be', async t => {
      const manifest = manifestOf([0, 1, 2, 3, 4, 5].map(n => ({ fromMs: n * 3_000, toMs: n * 3_000 + 2_000 })))
      manifest.segments[5]!.tracks[0]!.name = 'tacet/tacet-of-another-call-6'
      await around.putSegment(manifest, 1, countingSamples(15_800))
      await around.putSegment(manifest, 3, countingSamples(8_000))
      await around.putSegment(manifest, 4, countingSamples(17_000))
      await around.putSegment(manifest, 5, Buffer.from('this is no WAV'))
      await around.putSegment(manifest, 6, countingSamples(15_800))
      await close(manifest)
      const alarms = ['segment-foreign 6', 'segment-long 4', 'segment-missing 2', 'segment-short 3', 'segment-unreadable 5']
      await eventually(() => alarmsOf(manifest).length >= alarms.length)
      await isChecked()
      t.same(alarmsOf(manifest), alarms)
      t.ok(lines.filter(line => 'alarm' in line).every(({ level }) => level === 50), 'as errors')
      const metrics = await (await fetch(`${service.adminUrl}/metrics`)).text()
      for (const alarm of alarms) t.match(metrics, new RegExp(`tacet_recording_alarms_total\\{[^}]*alarm="${alarm.split(' ')[0]}"[^}]*\\} 1`))

      await publishEnded(around, manifest)
      await around.probe.waitFor(({ type, subject }) => type === 'recording.assembled' && subject === manifest.recordingId)
      t.same(alarmsOf(manifest).filter(alarm => alarm.startsWith('recording-incomplete')), ['recording-incomplete undefined'], 'and so is what lacks them')
    })

    await t.test('are not when they are still about to be closed, or of another rate', async t => {
      // By a clock that is ahead, so that the time for that begins when it is looked for.
      const instant = (ms: number) => new Date(Date.now() + 60_000 + ms).toISOString()
      const manifest = manifestOf([{ fromMs: 0, toMs: 0, requestedAt: instant(-2_000), openedAt: instant(-1_996), closedAt: instant(0) }, { fromMs: 0, toMs: 2_000 }])
      await around.putSegment(manifest, 2, encodeWav({ sampleRateHz: 16_000, channels: 1, bitsPerSample: 16 }, countingSamples(31_600)))
      await close(manifest)
      await eventually(async () => (await around.database.db.select().from(jobs)).some(({ state }) => state === 'running'), { intervalMs: 2 })
      await around.putSegment(manifest, 1, countingSamples(15_800))
      await isChecked()
      t.same(alarmsOf(manifest), [])
    })
  })
}
