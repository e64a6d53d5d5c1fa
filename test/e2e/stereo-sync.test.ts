import t from 'tap'
import { openOffice } from '../support/office.ts'
import { proofOf } from '../support/proof.ts'
import { listen } from '../support/sync.ts'
import { nowMs, receiveCall, speak } from '../support/talk.ts'
import { startTacet } from '../support/tacet.ts'

/** `npm run soak` plays an hour. */
const minutes = Number(process.env.STEREO_MINUTES ?? 0.1)
t.setTimeout(120_000 + minutes * 150_000)
const segments = 2
/** Of each of the three kinds of network in a segment. */
const phaseMs = minutes * 60_000 / segments / 3
/** What two recorders may begin apart, a packet that only one of them had to wait for, and what the ear errs. */
const toleratedMs = 20 + 20 + 5
/** What a recorder has in its queue from its first moment on: packets that are lost use it up, before there is silence in their place. */
const queuedMs = 80

t.test(`in ${minutes} minutes of a bad network the sides of a stereo recording are never further apart than packets were late or lost (STEREO_MINUTES=${minutes})`, async t => {
  const tacet = await startTacet(t)
  await tacet.putCompany({ recordingChannels: 'stereo', gaps: 'silence' })
  const talk = await receiveCall(await openOffice(t, tacet))
  const { customer, agent, voices } = talk
  await talk.isRecorded()
  const phases: { network: string, fromMs: number }[] = []
  const begin = (network: string) => phases.push({ network, fromMs: nowMs() })
  for (let segment = 1; segment <= segments; segment++) {
    begin('good')
    await speak(voices, phaseMs)
    begin('lossy')
    customer.call.lossRatio = 0.05
    await speak(voices, phaseMs)
    customer.call.lossRatio = 0
    begin('stalling')
    for (let spokenMs = 0, stallMs = 100; spokenMs < phaseMs; spokenMs += 10_000, stallMs = 100 + (stallMs + 60) % 300) {
      await customer.call.stall(stallMs)
      await speak(voices, Math.min(10_000, phaseMs))
    }
    if (segment === segments) break
    await talk.pause()
    await speak(voices, 500)
    await talk.resume()
  }
  await talk.hangup()

  const phaseOf = (atMs: number) => phases.findLast(({ fromMs }) => fromMs <= atMs)?.network
  const { timeline, channels } = await proofOf(t, tacet, talk)
  const everyMs = minutes > 1 ? 1000 : 100
  const heard = listen(timeline, channels, [customer, agent], { everyMs })
  t.ok(heard.length > 0.8 * segments * 3 * phaseMs / everyMs, `both were found at ${heard.length} places`)
  t.same(heard.filter(({ apartMs, heldUpMs, atMs }) => apartMs > toleratedMs + heldUpMs + (phaseOf(atMs) === 'good' ? 0 : queuedMs)), [], 'no side is later than a packet of it ever was in this segment, or earlier than its queue was long, however many packets were late or lost')
  for (const network of ['good', 'lossy', 'stalling']) {
    const here = heard.filter(({ atMs }) => phaseOf(atMs) === network).map(({ apartMs }) => apartMs).sort((one, other) => one - other)
    const at = (share: number) => Math.round(here[Math.floor((here.length - 1) * share)]!)
    if (network === 'good') {
      t.ok(at(0.5) <= 20, 'on a good network the sides are at most 20 ms apart')
      t.ok(at(0.95) <= 40, 'and but for a few packets never more than another 20')
    }
    t.pass(`figures: on a ${network} network the sides are ${at(0.5)} ms apart (median), ${at(0.95)} ms (p95), ${at(1)} ms at most, at ${here.length} places`)
  }
})
