import t from 'tap'
import type { CallEventData } from '@tacet/contracts'
import { createFakeRecorderDriver } from '@tacet/ari'
import { createFakeTime } from '../support/fake-time.ts'
import { createKilledAt, nothing, reconcile, succeed, talking } from '../support/instance.ts'
import { callIdOf, createLab, trunkLeg } from '../support/lab.ts'
import { createMemoryCallStore, createMemoryDatabase } from '../support/memory-call-store.ts'

const callId = callIdOf(trunkLeg().channelId)

/** The last thing an agent was told, and whether they have asked for a resume since. */
interface Told { state: string, isResumeAsked: boolean }

/**
 * Answers a call, pauses, resumes and pauses again; dies at the given step; is succeeded by another instance. The step is
 * one call of the database or of a recorder. Returns undefined once the story has fewer steps.
 */
async function dieAt (step: number, isDone: boolean, stopDelayMs: number) {
  const time = createFakeTime()
  const driver = createFakeRecorderDriver({ clock: time.clock })
  driver.faults.stopDelayMs = stopDelayMs
  const database = createMemoryDatabase()
  const killed = createKilledAt(step, isDone, { driver, store: createMemoryCallStore({ database }) })
  const lab = createLab({ time, driver: killed.driver, store: killed.store })
  const told: Told = { state: 'nothing', isResumeAsked: false }

  await lab.answerCall()
  for (const action of ['pause', 'resume', 'pause', 'resume'] as const) {
    if (killed.isDead()) break
    if (action === 'resume') told.isResumeAsked = true
    const command = lab.command(action, callId).then(({ state }) => { Object.assign(told, { state, isResumeAsked: false }) }, () => {})
    await time.advance(1500)
    if (!killed.isDead()) await command
  }
  if (!killed.isDead()) return undefined
  // What was asked for when it died still gets its way, without anybody hearing of it.
  await time.advance(1000)
  lab.follower.close()

  const next = succeed({ time, driver, database })
  return { next, time, driver, told }
}

const recordingNow = async (driver: ReturnType<typeof createFakeRecorderDriver>) => (await driver.list()).filter(({ state }) => state === 'recording').map(({ recorderId }) => recorderId)

for (const stopDelayMs of [0, 20]) {
  for (const isDone of [true, false]) {
    const moment = isDone ? 'right after asking for it' : 'right before asking for it'
    t.test(`killed at any step, ${moment}: no pause is lifted, nothing recorded is lost, the end comes once (stops take ${stopDelayMs} ms)`, async t => {
      let step = 1
      for (; ; step += 1) {
        const story = await dieAt(step, isDone, stopDelayMs)
        if (!story) break
        const { next, time, driver, told } = story
        const at = `killed at step ${step}`
        const isPaused = told.state === 'paused' && !told.isResumeAsked
        if (isPaused) t.same(await recordingNow(driver), [], `${at}: nothing records though nobody lives to say so`)

        await reconcile(next, talking)
        await time.advance(5000)
        const { call } = next.follower.session(callId)!
        if (isPaused) t.equal(call.recording.phase.status, 'paused', `${at}: paused stays paused`)
        const isRecording = call.recording.phase.status === 'recording'
        t.same(await recordingNow(driver), isRecording ? [`tacet-${callId}-${(call.recording.phase as { segment: { number: number } }).segment.number}`] : [], `${at}: what records is what is said to record`)

        driver.hangUpLeg(trunkLeg().channelId)
        await reconcile(next, nothing)
        await time.advance(5000)
        const ended = next.messages().filter(({ type }) => type === 'recording.ended')
        t.equal(ended.length, 1, `${at}: it ends once`)
        const { manifest } = ended[0]!.data as CallEventData<'recording.ended'>
        const files = manifest.segments.flatMap(({ tracks }) => tracks.map(({ name }) => name.replace('tacet/', '')))
        const made = new Set(driver.calls.flatMap(made => made.name === 'start' ? [made.recorderId] : []))
        t.same([...made].filter(recorderId => !files.includes(recorderId)), [], `${at}: every recorder's file is in the manifest`)
        t.equal(new Set(files).size, files.length, `${at}: no file twice`)
        const seqs = next.messages().filter(({ topic }) => topic === 'tacet.calls.v1').map(({ data }) => (data as { seq: number }).seq)
        t.same(seqs, seqs.map((_seq, index) => index + 1), `${at}: events come in order, each once`)
        next.follower.close()
      }
      t.ok(step > 10, `${step} steps were tried`)
    })
  }
}
