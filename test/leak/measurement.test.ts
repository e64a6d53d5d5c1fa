import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createAriConnection, type AriEvent, type AriEventOf } from '@tacet/ari'
import { createPhone, eventually, readStack, readWavSamples } from '@tacet/test-kit'
import t, { type Test } from 'tap'
import { newSignal, nowMs, speak, voiceOf, type Voice } from '../support/talk.ts'
import { judgeSegments } from './judge.ts'

// Not the application of the services; extensions_tests.conf has its context.
const app = 'tacet-tests'
const context = 'tacet-recorder-tests'
const guardMs = 150
const stallMs = 400

t.setTimeout(180_000)
const stack = readStack()
const events: AriEvent[] = []
const ari = createAriConnection({ ...stack.ari, app, onUp () {}, onEvent: event => { events.push(event) } })
t.teardown(() => ari.close())
ari.start()
await eventually(() => ari.state === 'up', { message: 'ARI did not come up' })

t.test('a recorder kept across the pause is found leaking, in spite of the guard', async t => {
  const leakedMs = await pauseInStall(t, { isKept: true })
  t.pass(`figures: with a recorder kept across the pause ${leakedMs} ms of ${stallMs} ms held back leaked`)
  t.ok(leakedMs >= 40, `${leakedMs} ms of what was said in the pause is in the segment after it`)
})

t.test('a fresh one, by the same measure, is not', async t => {
  t.equal(await pauseInStall(t, { isKept: false }), 0)
})

/** One pause with a stall in it, by hand. Returns how much of what was said in it is in the segment after it. */
async function pauseInStall (t: Test, { isKept }: { isKept: boolean }): Promise<number> {
  const { voices, legId } = await startCall(t)
  const first = await createRecorder(legId)
  await send(first, 'start')
  await speak(voices, 400)
  await send(first, 'stop-1')
  const silentFromMs = nowMs()
  if (!isKept) await ari.rest.hangup(first)
  await speak(voices, 100)
  await Promise.all(voices.map(({ call }) => call.stall(stallMs)))
  const silentToMs = nowMs()

  await delay(guardMs)
  const second = isKept ? first : await createRecorder(legId)
  // The dialplan of Tacet lets no recorder begin twice: it has to be talked into it.
  if (isKept) await ari.rest.setVariable(second, 'TACET_AT', '')
  await send(second, 'start')
  await speak(voices, 800)
  await send(second, 'stop-2')
  await ari.rest.hangup(second)

  const silent = [{ fromMs: silentFromMs, toMs: silentToMs }]
  const recorded = [{ fromMs: silentToMs, toMs: nowMs() }]
  const [judged] = judgeSegments({ voices, silent, recorded }, [{ number: 2, samples: readWavSamples(join(stack.spoolDir!, 'tacet', `${second}.wav`)) }])
  t.ok(judged!.recordedMs > 300, 'both are heard after the pause')
  await Promise.all([first, second].map(recorderId => ari.rest.deleteStoredRecording(`tacet/${recorderId}`)))
  return Math.max(0, ...judged!.leaks.map(({ ms }) => ms))
}

async function startCall (t: Test): Promise<{ voices: Voice[], legId: string }> {
  const [customer, agent] = [newSignal('customer'), newSignal('agent')]
  const [outside, desk] = [await createPhone({ sip: stack.sip, account: stack.trunk }), await createPhone({ sip: stack.sip, account: stack.agents[0]!.sip })]
  t.teardown(() => Promise.all([outside.close(), desk.close()]))
  await Promise.all([outside.register(), desk.register()])
  const outgoing = await outside.call(stack.numbers[0]!.e164, { audio: customer })
  const incoming = await desk.waitForCall()
  await incoming.answer({ audio: agent })
  await outgoing.answered()
  const leg = (await ari.rest.listChannels()).find(channel => channel.protocol_id === outgoing.sipCallId)
  if (leg === undefined) throw new Error('Asterisk does not know the call')
  return { voices: [voiceOf(customer, outgoing), voiceOf(agent, incoming)], legId: leg.id }
}

async function createRecorder (legId: string): Promise<string> {
  const recorderId = `tacet-${randomUUID()}-1`
  await ari.rest.snoop({ channelId: legId, snoopId: recorderId, spy: 'both', app })
  await arrival(recorderId, /^$/)
  return recorderId
}

/** To an extension, and back in our application. */
async function send (recorderId: string, extension: string): Promise<void> {
  const [action, commandId] = extension.split('-')
  events.length = 0
  await ari.rest.continueInDialplan(recorderId, context, extension, 1)
  await arrival(recorderId, action === 'start' ? /^started$/ : new RegExp(`^stopped,${commandId}\\.\\d+$`))
}

async function arrival (recorderId: string, args: RegExp): Promise<void> {
  const isIt = (event: AriEvent): event is AriEventOf<'StasisStart'> => event.type === 'StasisStart' && event.channel.id === recorderId && args.test(event.args.join())
  await eventually(() => events.some(isIt), { intervalMs: 2, message: `the recorder did not arrive with ${args}` })
}
