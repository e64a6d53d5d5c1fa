import t from 'tap'
import type { CallEventData } from '@tacet/contracts'
import { createFakeRecorderDriver } from '@tacet/ari'
import { createFakeTime } from '../support/fake-time.ts'
import { createMortal, nothing, reconcile, succeed, talking, type Death } from '../support/instance.ts'
import { callIdOf, createLab, trunkLeg } from '../support/lab.ts'
import { createMemoryCallStore, createMemoryDatabase } from '../support/memory-call-store.ts'

const callId = callIdOf(trunkLeg().channelId)

/** The last thing an agent was told, and whether they have asked for a resume since. */
interface Told { state: string, isResumeAsked: boolean }

/**
 * Answers a call, pauses and resumes it twice; dies on the way; is succeeded by another instance. Returns undefined once
 * the story is over before the death.
 */
async function tell (death: Death, stopDelayMs: number) {
  const time = createFakeTime()
  const driver = createFakeRecorderDriver({ clock: time.clock })
  driver.faults.stopDelayMs = stopDelayMs
  const database = createMemoryDatabase()
  const mortal = createMortal(death, { driver, store: createMemoryCallStore({ database }), time })
  const lab = createLab({ time, driver: mortal.driver, store: mortal.store })
  const told: Told = { state: 'nothing', isResumeAsked: false }

  await lab.answerCall()
  for (const action of ['pause', 'resume', 'pause', 'resume'] as const) {
    if (mortal.isDead) break
    if (action === 'resume') told.isResumeAsked = true
    void lab.command(action, callId).then(({ state }) => { Object.assign(told, { state, isResumeAsked: false }) }, () => {})
    await time.advance(1500)
  }
  if (!mortal.isDead) return undefined
  // What was asked for when it died still gets its way, without anybody hearing of it.
  await time.advance(1000)
  lab.follower.close()
  const next = succeed({ time, driver, database })
  return { next, time, driver, told }
}

const recordingNow = async (driver: ReturnType<typeof createFakeRecorderDriver>) => (await driver.list()).filter(({ state }) => state === 'recording').map(({ recorderId }) => recorderId)

const deaths: Record<string, (step: number) => Death> = {
  'right after any step was asked for': step => ({ at: 'step', step, isDone: true }),
  'right before any step': step => ({ at: 'step', step, isDone: false }),
  'soon after the database went away, at any commit': step => ({ at: 'commit', step, afterMs: 400 }),
}

for (const [moment, deathAt] of Object.entries(deaths)) {
  for (const stopDelayMs of [0, 20]) {
    t.test(`killed ${moment}: no pause is lifted, nothing recorded is lost, the end comes once (stops take ${stopDelayMs} ms)`, async t => {
      let step = 1
      for (; ; step += 1) {
        const story = await tell(deathAt(step), stopDelayMs)
        if (!story) break
        const { next, time, driver, told } = story
        const at = `killed at ${step}`
        const isPaused = told.state === 'paused' && !told.isResumeAsked
        if (isPaused) t.same(await recordingNow(driver), [], `${at}: nothing records though nobody lives to say so`)

        const used = new Set(driver.calls.flatMap(made => made.name === 'start' ? [made.recorderId] : []))
        const stopped = new Set((await driver.list()).flatMap(({ recorderId, state }) => state === 'stopped' ? [recorderId] : []))
        await reconcile(next, talking)
        await time.advance(5000)
        const { call } = next.follower.session(callId)!
        const { phase } = call.recording
        if (isPaused || stopped.has(`tacet-${callId}-${call.recording.nextSegment - 1}`)) t.equal(phase.status, 'paused', `${at}: paused stays paused`)
        t.same(await recordingNow(driver), phase.status === 'recording' ? [`tacet-${callId}-${phase.segment.number}`] : [], `${at}: what records is what is said to record`)
        t.ok([...used].every(recorderId => Number(recorderId.slice(43)) < call.recording.nextSegment), `${at}: no file is written twice`)

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
      t.ok(step > 6, `${step} deaths were tried`)
    })
  }
}
