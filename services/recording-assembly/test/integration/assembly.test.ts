import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { eq } from 'drizzle-orm'
import { encodeWav } from '@tacet/audio'
import { recordingViewSchema, timelineSchema, topics } from '@tacet/contracts'
import { eventually } from '@tacet/test-kit'
import { recordings } from '../../src/db/schema.ts'
import { at, manifestOf } from '../helpers/manifest.ts'
import { countingSamples, joinedAt, publishEnded, sha256, startService, surroundings } from '../helpers/service.ts'

const wav = (samples: Int16Array) => encodeWav({ sampleRateHz: 8000, channels: 1, bitsPerSample: 16 }, samples)

test('recording-assembly', async t => {
  const around = await surroundings(t)
  const token = await around.addCredential({})
  const service = await startService(t, around.config)
  const get = async (path: string) => await service.call(path, { token })

  const { probe } = around
  const assembledOf = async (recordingId: string) => (await probe.waitFor(({ type, subject }) => type === 'recording.assembled' && subject === recordingId)).data
  const eventsOf = (recordingId: string) => probe.events.filter(({ subject }) => subject === recordingId).map(({ type }) => type)

  t.test('makes one recording of the segments, to the sample, and deletes them from the PBX', async t => {
    const manifest = manifestOf([{ fromMs: 0, toMs: 10_000 }, { fromMs: 20_000, toMs: 25_000 }, { fromMs: 30_000, toMs: 30_500, closedBy: 'end' }])
    const { recordingId } = manifest
    const counts = [79_500, 39_600, 3_700]
    const samples = countingSamples(counts[0]! + counts[1]! + counts[2]!)
    await around.putSegment(manifest, 1, samples.slice(0, 79_500))
    await around.putSegment(manifest, 2, samples.slice(79_500, 119_100))
    await around.putSegment(manifest, 3, samples.slice(119_100))
    await publishEnded(around, manifest)

    const assembled = await assembledOf(recordingId)
    const whole = wav(joinedAt(samples, 79_500, 119_100))
    t.match(assembled, { outcome: 'complete', reasons: [], samples: 122_800, durationMs: 15_350, gaps: 2, sha256: sha256(whole), callId: manifest.callId, companyId: manifest.companyId })
    t.match(probe.events.find(({ type, subject }) => type === 'recording.assembling' && subject === recordingId)?.data, { segments: 3 })
    t.same(eventsOf(recordingId), ['recording.assembling', 'recording.assembled'])

    const folder = join(around.recordingsDir, recordingId.slice(0, 2), recordingId, '1')
    t.ok(whole.equals(await readFile(join(folder, 'recording.wav'))), 'the file has the bytes of the segments, but for the fades')
    const view = recordingViewSchema.parse((await get(assembled.links.recording)).body)
    t.match(view, { recordingId, status: 'complete', outcome: 'complete', samples: 122_800, sha256: sha256(whole), gaps: 2, number: manifest.number, startedAt: manifest.startedAt })
    const timeline = timelineSchema.parse((await get(assembled.links.timeline)).body)
    t.same(timeline, JSON.parse(await readFile(join(folder, 'timeline.json'), 'utf8')))
    t.match(timeline.segments, [{ offsetSamples: 0, samples: 79_500 }, { offsetSamples: 79_500, samples: 39_600 }, { offsetSamples: 119_100, samples: 3_700 }])
    t.match(timeline.gaps, [{ startedAt: at(10_000), endedAt: at(20_004), atSample: 79_500, durationMs: 10_004, reasons: ['agent'] }, { atSample: 119_100 }])
    const audio = Buffer.from(await (await fetch(service.url + assembled.links.audio, { headers: { authorization: `Bearer ${token}` } })).arrayBuffer())
    t.equal(sha256(audio), assembled.sha256)

    await eventually(async () => !(await around.filesOfSpool()).some(name => name.includes(recordingId)), { message: 'the segments are still on the PBX' })
    t.same((await around.filesOfRecordings()).filter(name => !name.includes(recordingId)), [], 'no other files are left')
  })

  t.test('makes one recording of an event that comes twice, and of two events of one recording', async t => {
    const manifest = manifestOf([{ fromMs: 0, toMs: 2_000 }])
    await around.putSegment(manifest, 1, countingSamples(15_800))
    const eventId = '01990000-0000-7000-8000-00000000aaaa'
    await publishEnded(around, manifest, eventId)
    await publishEnded(around, manifest, eventId)
    const first = await assembledOf(manifest.recordingId)
    await publishEnded(around, manifest)
    // Of the same partition: when this one is done, the repeated ones have been seen.
    const next = { ...manifestOf([]), callId: manifest.callId, recordingId: '01990000-0000-7000-8000-00000000bbbb' }
    await publishEnded(around, next)
    await assembledOf(next.recordingId)
    t.same(eventsOf(manifest.recordingId), ['recording.assembling', 'recording.assembled'])
    t.match((await get(`/v1/recordings/${manifest.recordingId}`)).body, { status: 'complete', sha256: first.sha256 })
  })

  t.test('says what is missing, too short, too long or unreadable', async t => {
    const manifest = manifestOf([{ fromMs: 0, toMs: 2_000 }, { fromMs: 3_000, toMs: 5_000 }, { fromMs: 6_000, toMs: 8_000 }, { fromMs: 9_000, toMs: 11_000 }, { fromMs: 12_000, toMs: 14_000 }], { faults: ['recorder-lost'] })
    await around.putSegment(manifest, 1, countingSamples(15_800))
    await around.putSegment(manifest, 3, countingSamples(8_000))
    await around.putSegment(manifest, 4, countingSamples(17_000))
    await around.putSegment(manifest, 5, Buffer.from('this is no WAV'))
    await publishEnded(around, manifest)
    const assembled = await assembledOf(manifest.recordingId)
    t.equal(assembled.outcome, 'incomplete')
    t.same(assembled.reasons.map(({ code }: { code: string }) => code), ['recorder-lost', 'segment-missing', 'segment-short', 'segment-long', 'segment-unreadable'])
    t.equal(assembled.samples, 40_800)
    t.match((await get(`/v1/recordings/${manifest.recordingId}/timeline`)).body, {
      outcome: 'incomplete',
      segments: [{ notes: [] }, { samples: 0, notes: ['segment-missing'] }, { notes: ['segment-short'] }, { offsetSamples: 23_800, notes: ['segment-long'] }, { samples: 0 }],
    })
    const metrics = String((await fetch(`${service.adminUrl}/metrics`).then(answer => answer.text())))
    for (const alarm of ['segment-missing', 'segment-short', 'segment-long', 'segment-unreadable', 'recording-incomplete']) t.match(metrics, new RegExp(`tacet_recording_alarms_total\\{[^}]*alarm="${alarm}"[^}]*\\} 1`))
    await eventually(async () => (await around.filesOfSpool()).filter(name => name.includes(manifest.callId)).length === 1)
    t.same((await around.filesOfSpool()).filter(name => name.includes(manifest.callId)), [`tacet/tacet-${manifest.callId}-5.wav`], 'what could not be read is kept')
  })

  t.test('does not pass off a recording without any sound as complete, but one of which a single sample was heard', async t => {
    for (const [sound, outcome] of [[0, 'incomplete'], [1, 'complete']] as const) {
      const manifest = manifestOf([{ fromMs: 0, toMs: 60_000 }, { fromMs: 70_000, toMs: 72_000 }])
      await around.putSegment(manifest, 1, new Int16Array(479_500))
      await around.putSegment(manifest, 2, new Int16Array(15_800).fill(sound, 15_799))
      await publishEnded(around, manifest)
      const assembled = await assembledOf(manifest.recordingId)
      t.match(assembled, { outcome, samples: 495_300 })
      t.same(assembled.reasons.map(({ code }: { code: string }) => code), sound === 0 ? ['nothing-heard'] : [])
    }
  })

  t.test('makes an empty recording of a call that was never recorded', async t => {
    const manifest = manifestOf([])
    await publishEnded(around, manifest)
    t.match(await assembledOf(manifest.recordingId), { outcome: 'empty', samples: 0, sha256: null, links: { audio: null } })
    t.equal((await get(`/v1/recordings/${manifest.recordingId}/audio`)).problem().code, 'recording-not-found')
    t.match((await get(`/v1/recordings/${manifest.recordingId}/timeline`)).body, { samples: 0, sha256: null, segments: [] })
  })

  t.test('waits for a file that appears a moment after its call ended', async t => {
    const now = Date.now()
    const instant = (ms: number) => new Date(now + ms).toISOString()
    // By a clock that is ahead, so that the moment begins when it is looked for.
    const manifest = manifestOf([{ fromMs: 0, toMs: 0, requestedAt: instant(58_000), openedAt: instant(58_004), closedAt: instant(60_000) }])
    await publishEnded(around, manifest)
    await eventually(async () => (await around.database.db.select().from(recordings).where(eq(recordings.recordingId, manifest.recordingId)))[0]?.status === 'assembling', { intervalMs: 2 })
    await around.putSegment(manifest, 1, countingSamples(15_800))
    t.match(await assembledOf(manifest.recordingId), { outcome: 'complete', samples: 15_800 })
  })

  t.test('fails what it can not make, says so, and keeps the segments', async t => {
    const mono = manifestOf([{ fromMs: 0, toMs: 2_000 }])
    const [segment] = mono.segments
    const manifest = { ...mono, segments: [{ ...segment!, tracks: (['in'] as const).map(track => ({ ...segment!.tracks[0]!, track, name: `${segment!.tracks[0]!.name}-${track}` })) }] }
    await publishEnded(around, manifest)
    const failed = await probe.waitFor(({ type, subject }) => type === 'recording.failed' && subject === manifest.recordingId)
    t.match(failed.data, { code: 'unsupported' })
    t.match((await get(`/v1/recordings/${manifest.recordingId}`)).body, { status: 'failed', outcome: 'failed', reasons: [{ code: 'unsupported' }], links: { audio: null, timeline: null } })
    t.notOk((await around.filesOfRecordings()).some(name => name.includes(manifest.recordingId)), 'nothing is left of it')
  })

  t.test('puts a message it can not read to the dead letters, and goes on', async t => {
    const manifest = manifestOf([])
    const key = manifest.callId
    await around.publishRaw(topics.calls, { key, value: '{"broken', headers: { ce_specversion: '1.0', ce_id: '01990000-0000-7000-8000-00000000cccc', ce_type: 'recording.ended', ce_source: 'urn:test', ce_subject: key, ce_time: new Date().toISOString() } })
    await around.publishRaw(topics.calls, { key, value: '{}', headers: { ce_specversion: '1.0', ce_id: '01990000-0000-7000-8000-00000000dddd', ce_type: 'of.tomorrow', ce_source: 'urn:test', ce_subject: key, ce_time: new Date().toISOString() } })
    await publishEnded(around, manifest)
    await assembledOf(manifest.recordingId)
    const letter = await probe.waitFor(({ topic, key: letterKey }) => topic.endsWith('dead-letters.v1') && letterKey === key)
    t.match(letter, { data: '{"broken', headers: { dead_letter_reason: /not JSON/ } })
    t.equal(probe.events.filter(({ topic }) => topic.endsWith('dead-letters.v1')).length, 1, 'a type of tomorrow is no poison')
  })
})
