import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { knownEventTypes, parseAriEvent } from '@tacet/ari'

const fixtures = new URL('../../../test-kit/fixtures/ari-events/', import.meta.url)

function recorded (): { file: string, line: number, raw: { type: string } }[] {
  return readdirSync(fixtures).filter((file) => file.endsWith('.jsonl')).flatMap((file) =>
    readFileSync(new URL(file, fixtures), 'utf8').split('\n').flatMap((text, index) =>
      text === '' ? [] : [{ file, line: index + 1, raw: JSON.parse(text) }]))
}

t.test('understands every event that a real Asterisk sent', async (t) => {
  const events = recorded()
  t.ok(events.length > 100, 'there are recorded events')
  const misunderstood = events.flatMap(({ file, line, raw }) => {
    const event = parseAriEvent(raw)
    const isRight = event.type === 'Other' ? event.name === raw.type && !knownEventTypes.has(raw.type) : event.type === raw.type
    return isRight ? [] : [{ at: `${file}:${line}`, event }]
  })
  t.same(misunderstood, [])
})

t.test('keeps what calls are followed by', async (t) => {
  const entered = recorded().map(({ raw }) => parseAriEvent(raw)).find((event) => event.type === 'ChannelEnteredBridge')
  t.ok(entered?.bridge.channels.includes(entered.channel.id))
  t.ok(entered && Date.parse(entered.timestamp) > 0)
  t.match(entered?.channel.channelvars, { 'CHANNEL(linkedid)': String })
})

t.test('an event that is not used, or not understood, is Other', async (t) => {
  t.same(parseAriEvent({ type: 'ChannelTalkingStarted' }), { type: 'Other', name: 'ChannelTalkingStarted' })
  t.match(parseAriEvent({ type: 'ChannelHold' }), { type: 'Other', name: 'ChannelHold', problem: /channel/ })
  t.same(parseAriEvent('nonsense'), { type: 'Other', name: '' })
  t.same(parseAriEvent(undefined), { type: 'Other', name: '' })
})
