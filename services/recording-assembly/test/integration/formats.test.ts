import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { eq } from 'drizzle-orm'
import { test, type Test } from 'tap'
import WaveformData from 'waveform-data'
import { encodeWav, readSamples, readWav, readWavFile } from '@tacet/audio'
import { isProblem, peaksSchema, vconSchema, type Manifest, type OutputFormat, type Peaks, type Vcon } from '@tacet/contracts'
import { loadConfig } from '@tacet/service-kit'
import { eventually } from '@tacet/test-kit'
import { createPorts } from '../../src/assembly.ts'
import { newJobRow } from '../../src/adapters/postgres-jobs.ts'
import { files, jobs, recordings } from '../../src/db/schema.ts'
import { madeOfMaster } from '../../src/domain/formats.ts'
import { assemblyConfig } from '../../src/index.ts'
import { createFormatFiles } from '../../src/usecases/format-files.ts'
import { actor, manifestOf } from '../helpers/manifest.ts'
import { joinedAt, publishEnded, startService, surroundings } from '../helpers/service.ts'

const run = promisify(execFile)
const tone = (count: number, hz: number, sampleRateHz = 8000) => Int16Array.from({ length: count }, (_, i) => Math.round(8000 * Math.sin(2 * Math.PI * hz * i / sampleRateHz)))
const settingsOf = (outputFormats: OutputFormat[]) => ({ ...manifestOf([]).settings, outputFormats })

/** The amplitude of a tone in it. */
function loudnessAt (samples: Int16Array, hz: number): number {
  let [real, imaginary] = [0, 0]
  for (const [i, sample] of samples.entries()) {
    real += sample * Math.cos(2 * Math.PI * hz * i / 16_000)
    imaginary += sample * Math.sin(2 * Math.PI * hz * i / 16_000)
  }
  return 2 * Math.hypot(real, imaginary) / samples.length
}

/** By the library of those who thought the format up, as players do. */
function readByOthers (t: Test, peaks: Peaks): void {
  const waveform = WaveformData.create(peaks)
  t.match(waveform, { channels: peaks.channels, length: peaks.length, bits: peaks.bits, sample_rate: peaks.sample_rate, scale: peaks.samples_per_pixel })
  for (let channel = 0; channel < peaks.channels; channel++) {
    const [low, high] = [0, 1].map(extreme => peaks.data.filter((_, i) => i % (2 * peaks.channels) === 2 * channel + extreme))
    t.same([waveform.channel(channel).min_array(), waveform.channel(channel).max_array()], [low, high])
  }
}

test('other formats and rates', async t => {
  const around = await surroundings(t)
  const token = await around.addCredential({})
  const service = await startService(t, around.config)
  const ports = createPorts({ config: around.config, database: around.database, onEvents: () => {}, onJob: () => {} })
  const formats = createFormatFiles({ files: ports.files, encoder: ports.encoder, now: Date.now, patienceMs: 20_000 })
  const assembledOf = async ({ recordingId }: Manifest) => (await around.probe.waitFor(({ type, subject }) => type === 'recording.assembled' && subject === recordingId)).data
  const recordingOf = async ({ recordingId }: Manifest) => (await ports.recordings.find(recordingId, { kind: 'all' }))!
  const pathOf = (manifest: Manifest, file: string) => join(around.recordingsDir, manifest.recordingId.slice(0, 2), manifest.recordingId, '1', file)

  t.test('a recording is made in the formats that the company wants, with tags, and lasts as long in each', async t => {
    const manifest = manifestOf([{ fromMs: 0, toMs: 2_000 }, { fromMs: 3_000, toMs: 5_000 }], { settings: settingsOf(['opus', 'mp3', 'flac']), companyName: 'Acme' })
    const [agent] = manifest.agents
    manifest.agents = [{ ...agent!, name: 'Anna' }, { ...agent!, name: 'Anna' }]
    await around.putSegment(manifest, 1, tone(15_800, 440))
    await around.putSegment(manifest, 2, tone(15_800, 880))
    await publishEnded(around, manifest)
    await assembledOf(manifest)
    for (const format of ['opus', 'mp3', 'flac'] as const) {
      const path = pathOf(manifest, `recording.${format}`)
      const { bytes } = await eventually(async () => await ports.files.find(await recordingOf(manifest), `recording.${format}`), { timeoutMs: 20_000, message: `no ${format}` })
      t.equal((await readFile(path)).length, bytes)
      const { format: found, streams } = JSON.parse((await run('ffprobe', ['-v', 'error', '-show_format', '-show_streams', '-of', 'json', path])).stdout)
      t.equal(streams[0].codec_name, format)
      t.ok(Math.abs(Number(found.duration) - 3.95) < 0.3, `${format} lasts ${found.duration} s`)
      const tags = Object.fromEntries(Object.entries({ ...found.tags, ...streams[0].tags }).map(([name, value]) => [name.toLowerCase(), value]))
      t.match(tags, { tacet_company: manifest.companyId, tacet_agents: actor.agentId, tacet_number: manifest.number, tacet_start: manifest.startedAt, artist: 'Anna', album: 'Acme' }, `${format} says whose it is`)
    }
    const { stdout } = await run('ffmpeg', ['-v', 'error', '-i', pathOf(manifest, 'recording.flac'), '-f', 's16le', '-'], { encoding: 'buffer' })
    const samples = joinedAt(Int16Array.from([...tone(15_800, 440), ...tone(15_800, 880)]), 15_800)
    t.ok(stdout.equals(Buffer.from(samples.buffer)), 'and FLAC has every sample')
  })

  t.test('agent and customer stay apart in each format of a wideband stereo recording', async t => {
    const manifest = manifestOf([{ fromMs: 0, toMs: 3_000 }], { sampleRateHz: 16_000, settings: { ...settingsOf(['opus', 'mp3', 'flac']), recordingChannels: 'stereo' } })
    const [segment] = manifest.segments
    segment!.tracks = (['in', 'out'] as const).map(track => ({ ...segment!.tracks[0]!, track, name: `${segment!.tracks[0]!.name}-${track}` }))
    const pitches = { in: 5_000, out: 700 }
    for (const { track, name } of segment!.tracks) {
      const samples = tone(47_000, pitches[track as 'in' | 'out'], 16_000)
      await writeFile(join(around.spoolDir, 'recording', `${name}.wav16`), encodeWav({ sampleRateHz: 16_000, channels: 1, bitsPerSample: 16 }, samples))
    }
    await publishEnded(around, manifest)
    t.match(await assembledOf(manifest), { outcome: 'complete', samples: 47_000 })
    for (const format of ['opus', 'mp3', 'flac'] as const) {
      await eventually(async () => await ports.files.find(await recordingOf(manifest), `recording.${format}`), { timeoutMs: 20_000, message: `no ${format}` })
      const { stdout } = await run('ffmpeg', ['-v', 'error', '-i', pathOf(manifest, `recording.${format}`), '-ar', '16000', '-f', 's16le', '-'], { encoding: 'buffer' })
      const both = new Int16Array(stdout.buffer, stdout.byteOffset, stdout.length >> 1)
      for (const [channel, [own, other]] of [[pitches.in, pitches.out], [pitches.out, pitches.in]].entries()) {
        const side = both.filter((_, i) => i % 2 === channel).subarray(8_000, 40_000)
        t.ok(loudnessAt(side, own!) > 0.5 * 8_000, `${own} Hz is on side ${channel} of ${format}, though it needs 16 kHz`)
        const ratio = loudnessAt(side, own!) / loudnessAt(side, other!)
        t.ok(ratio > 100, `what the other side says is ${Math.round(ratio)} times softer on side ${channel} of ${format}`)
      }
    }
  })

  t.test('a format is made when it is first asked for, once', async t => {
    const manifest = manifestOf([{ fromMs: 0, toMs: 2_000 }])
    await around.putSegment(manifest, 1, tone(15_800, 440))
    await publishEnded(around, manifest)
    await assembledOf(manifest)
    const recording = await recordingOf(manifest)
    t.equal(await ports.files.find(recording, 'recording.opus'), null)
    const [first, second] = await Promise.all([formats.find(recording, 'opus'), formats.find(recording, 'opus')])
    t.same(first, second)
    t.same(await formats.find(recording, 'opus'), first)
    const { bytes } = { bytes: await readFile(pathOf(manifest, 'recording.opus')) }
    t.equal(bytes.length, first!.bytes)
    await eventually(async () => !(await ports.queue.counts()).some(({ kind }) => kind === 'encode'))
  })

  t.test('whoever asks before it is made hears that it is being made', async t => {
    const manifest = manifestOf([{ fromMs: 0, toMs: 600_000 }])
    await around.putSegment(manifest, 1, tone(4_799_000, 440))
    await publishEnded(around, manifest)
    await assembledOf(manifest)
    const impatient = createFormatFiles({ files: ports.files, encoder: ports.encoder, now: Date.now, patienceMs: 0 })
    const refusal = await impatient.find(await recordingOf(manifest), 'mp3').catch(error => error)
    t.match(refusal, { code: 'not-ready', message: /mp3 is being made/ })
    t.ok(isProblem(refusal))
    await formats.find(await recordingOf(manifest), 'mp3')
  })

  t.test('without ffmpeg the reason is named, and WAVs are made all the same', async t => {
    const ports = createPorts({ config: loadConfig(assemblyConfig, { ...around.env, FFMPEG: '/nowhere/ffmpeg' }), database: around.database, onEvents: () => {}, onJob: () => {} })
    const lacking = createFormatFiles({ files: ports.files, encoder: ports.encoder, now: Date.now })
    const manifest = manifestOf([{ fromMs: 0, toMs: 2_000 }])
    await around.putSegment(manifest, 1, tone(15_800, 440))
    await publishEnded(around, manifest)
    t.match(await assembledOf(manifest), { outcome: 'complete' })
    t.match(await lacking.find(await recordingOf(manifest), 'flac').catch(error => error), { code: 'encoder-missing', status: 503, message: /\/nowhere\/ffmpeg can't be run/ })
    t.match(await ports.encoder.check(), { isOk: false })
  })

  t.test('a segment of another rate is resampled, not mangled and not left out', async t => {
    for (const [sampleRateHz, otherHz] of [[16000, 8000], [8000, 16000]] as const) {
      const manifest = manifestOf([{ fromMs: 0, toMs: 2_000 }, { fromMs: 3_000, toMs: 5_000 }], { sampleRateHz })
      await around.putSegment(manifest, 1, tone(2 * sampleRateHz - 400, 1000, sampleRateHz))
      await around.putSegment(manifest, 2, encodeWav({ sampleRateHz: otherHz, channels: 1, bitsPerSample: 16 }, tone(2 * otherHz - 200, 1000, otherHz)))
      await publishEnded(around, manifest)
      const assembled = await assembledOf(manifest)
      t.match(assembled, { outcome: 'complete', reasons: [] })
      const path = pathOf(manifest, 'recording.wav')
      const wav = await readWavFile(path)
      t.match(wav, { ok: true, format: { sampleRateHz } })
      const timeline = JSON.parse(await readFile(pathOf(manifest, 'timeline.json'), 'utf8'))
      const { offsetSamples, samples, notes } = timeline.segments[1]
      t.same(notes, [`resampled-from-${otherHz}`])
      t.equal(samples, (2 * otherHz - 200) * sampleRateHz / otherHz)
      const found = wav.ok ? await readSamples(path, wav, offsetSamples + 200, samples - 400) : new Int16Array(0)
      const worst = found.reduce((most, sample, i) => Math.max(most, Math.abs(sample - 8000 * Math.sin(2 * Math.PI * 1000 * (i + 200) / sampleRateHz))), 0)
      t.ok(worst <= 4, `it is the same tone, at its place: at most ${worst} off`)
    }
  })

  t.test('a torn segment of another rate is resampled to its last whole sample', async t => {
    const whole = encodeWav({ sampleRateHz: 8000, channels: 1, bitsPerSample: 16 }, tone(15_800, 440))
    const unfinished = Buffer.from(whole)
    unfinished.writeUInt32LE(0, 4)
    unfinished.writeUInt32LE(0, 40)
    const torn: Record<string, Buffer> = {
      'unfinished-header': unfinished,
      'unfinished-header, partial-sample': Buffer.concat([unfinished, Buffer.of(7)]),
      'data-cut-short': whole.subarray(0, -200),
      'data-cut-short, partial-sample': whole.subarray(0, -199),
    }
    for (const [repairs, bytes] of Object.entries(torn)) {
      const manifest = manifestOf([{ fromMs: 0, toMs: 2_000 }], { sampleRateHz: 16000 })
      await around.putSegment(manifest, 1, bytes)
      await publishEnded(around, manifest)
      const samples = Math.floor((bytes.length - 44) / 2) * 2
      t.match(await assembledOf(manifest), { outcome: 'incomplete', samples, reasons: [{ code: 'segment-repaired', detail: `segment 1: ${repairs}` }] })
      t.match(await readWav(await readFile(pathOf(manifest, 'recording.wav'))), { samples })
    }
  })

  t.test('a format is had over REST, in parts too, and the waveform of the recording with its gaps', async t => {
    const settings = { ...settingsOf(['opus']), gaps: 'silence' as const }
    const manifest = manifestOf([{ fromMs: 0, toMs: 2_000 }, { fromMs: 4_000, toMs: 6_000 }], { settings })
    await around.putSegment(manifest, 1, tone(15_800, 440))
    await around.putSegment(manifest, 2, tone(15_800, 440))
    await publishEnded(around, manifest)
    const { samples } = await assembledOf(manifest)
    const headers = { authorization: `Bearer ${token}` }
    const url = `${service.url}/v1/recordings/${manifest.recordingId}`
    const opus = await eventually(async () => {
      const answer = await fetch(`${url}/audio?format=opus`, { headers })
      return answer.status === 200 && { type: answer.headers.get('content-type'), bytes: Buffer.from(await answer.arrayBuffer()) }
    }, { timeoutMs: 20_000 })
    t.equal(opus.type, 'audio/ogg')
    t.equal(opus.bytes.toString('latin1', 0, 4), 'OggS')
    const part = await fetch(`${url}/audio?format=opus`, { headers: { ...headers, range: 'bytes=4-9' } })
    t.equal(part.status, 206)
    t.ok(Buffer.from(await part.arrayBuffer()).equals(opus.bytes.subarray(4, 10)))

    for (const round of ['made', 'kept']) {
      const peaks = peaksSchema.parse((await service.call(`/v1/recordings/${manifest.recordingId}/peaks?bits=16`, { token })).body)
      t.match(peaks, { version: 2, channels: 1, sample_rate: 8000, samples_per_pixel: 256, bits: 16, length: Math.ceil(samples / 256), data: { length: 2 * Math.ceil(samples / 256) } }, round)
      readByOthers(t, peaks)
      const [gap] = peaks.gaps
      t.match(gap, { atSample: 15_800, pixel: 61, reasons: ['agent'] })
      const isQuiet = (pixel: number) => peaks.data[2 * pixel] === 0 && peaks.data[2 * pixel + 1] === 0
      t.ok(Math.max(...peaks.data) > 7_900 && Math.min(...peaks.data) < -7_900)
      for (let pixel = gap!.pixel + 1; pixel < gap!.pixel + gap!.pixels - 1; pixel++) t.ok(isQuiet(pixel), `pixel ${pixel} is silent`)
      t.notOk(isQuiet(gap!.pixel - 1) || isQuiet(gap!.pixel + gap!.pixels))
    }
    const coarse = (await service.call(`/v1/recordings/${manifest.recordingId}/peaks?pixels=10`, { token })).body
    t.match(coarse, { bits: 8, length: 10 })
    readByOthers(t, coarse)
    t.ok(Math.max(...coarse.data) === 31 && Math.min(...coarse.data) === -32)
    t.match((await service.call(`/v1/recordings/${manifest.recordingId}/peaks?pixels=0`, { token })).problem(), { code: 'invalid-request' })
    t.match((await service.call(`/v1/recordings/${manifest.recordingId}/peaks`)).problem(), { code: 'unauthenticated' })
  })

  t.test('what was measured is there without anybody asking, and a recording that never was is measured when somebody does', async t => {
    const manifest = manifestOf([{ fromMs: 0, toMs: 2_000 }])
    await around.putSegment(manifest, 1, tone(15_800, 440))
    await publishEnded(around, manifest)
    await assembledOf(manifest)
    const isMeasured = async () => (await recordingOf(manifest)).sha512 !== null && await ports.files.find(await recordingOf(manifest), 'peaks.json') !== null
    await eventually(isMeasured, { timeoutMs: 20_000 })
    const { sha512 } = await recordingOf(manifest)
    await eventually(async () => !(await ports.queue.counts()).some(({ kind }) => kind === 'measure'))

    const isOfThis = eq(recordings.recordingId, manifest.recordingId)
    for (const missing of ['peaks', 'vcon'] as const) {
      await around.database.db.update(recordings).set({ sha512: null }).where(isOfThis)
      if (missing === 'peaks') await around.database.db.delete(files).where(eq(files.recordingId, manifest.recordingId))
      t.equal((await service.call(`/v1/recordings/${manifest.recordingId}/${missing}`, { token })).status, 200)
      t.equal((await recordingOf(manifest)).sha512, sha512)
      t.ok(await isMeasured())
    }
  })

  t.test('a recording that is to be measured later is when somebody asks before', async t => {
    const manifest = manifestOf([{ fromMs: 0, toMs: 2_000 }])
    await around.putSegment(manifest, 1, tone(15_800, 440))
    await publishEnded(around, manifest)
    await assembledOf(manifest)
    await eventually(async () => (await recordingOf(manifest)).sha512 !== null)
    await eventually(async () => (await ports.queue.counts()).length === 0)
    await around.database.db.delete(files).where(eq(files.recordingId, manifest.recordingId))
    await around.database.db.insert(jobs).values(madeOfMaster(manifest, 3_600_000).map(job => newJobRow(job, { recordingId: manifest.recordingId, companyId: manifest.companyId, correlationId: null })))
    t.same(await ports.queue.claim(1), [])
    t.equal((await service.call(`/v1/recordings/${manifest.recordingId}/peaks`, { token })).status, 200)
  })

  t.test('a recording is had as a vCon, whose hash is that of the audio it names', async t => {
    const manifest = manifestOf([{ fromMs: 0, toMs: 2_000 }])
    await around.putSegment(manifest, 1, tone(15_800, 440))
    await publishEnded(around, manifest)
    await assembledOf(manifest)
    const path = `/v1/recordings/${manifest.recordingId}`
    const vcon = vconSchema.parse((await service.call(`${path}/vcon`, { token })).body)
    const recording = vcon.dialog.find(({ type }) => type === 'recording') as Extract<Vcon['dialog'][number], { type: 'recording' }>
    t.match(vcon, { uuid: manifest.recordingId, parties: [{ tel: `tel:${manifest.customer}` }, { uuid: actor.agentId }, { type: 'organization' }] })
    t.match(recording, { start: manifest.segments[0]!.openedAt, duration: 1.975, parties: [0, 1] })
    const audio = Buffer.from(await (await fetch(recording.url, { headers: { authorization: `Bearer ${token}` } })).arrayBuffer())
    t.equal(recording.content_hash, `sha512-${createHash('sha512').update(audio).digest('base64url')}`)
    t.same(vcon.attachments[0]?.body, (await service.call(`${path}/timeline`, { token })).body)

    const empty = manifestOf([])
    await publishEnded(around, empty)
    await assembledOf(empty)
    t.match(vconSchema.parse((await service.call(`/v1/recordings/${empty.recordingId}/vcon`, { token })).body), { dialog: [{ type: 'recording-set', recordings: [] }] })
  })
})
