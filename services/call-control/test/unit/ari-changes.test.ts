import t from 'tap'
import { parseAriEvent } from '@tacet/ari'
import { toChange, toLeg, toSnapshot } from '../../src/intake/ari-changes.ts'
import { readEvents, scenarios } from '../support/replay.ts'

const raw = (fields: object = {}) => ({
  id: '1795419347.7',
  name: 'PJSIP/1001-0000002a',
  state: 'Up',
  protocol_id: 'sip-call-id',
  caller: { name: '', number: '1001' },
  connected: { name: '', number: '' },
  accountcode: '',
  dialplan: { context: 'c', exten: '+442071838750', priority: 1, app_name: '', app_data: '' },
  creationtime: '2026-11-23T09:00:00.000+0000',
  language: 'en',
  channelvars: { 'CHANNEL(linkedid)': '1795419347.6', 'CHANNEL(audionativeformat)': '(ulaw)', TACET_NUMBER: '' },
  ...fields,
})

function legOf (fields: object = {}) {
  const event = parseAriEvent({ type: 'ChannelStateChange', timestamp: '', application: 'tacet', channel: raw(fields) })
  if (event.type !== 'ChannelStateChange') throw new Error(JSON.stringify(event))
  return toLeg(event.channel)
}

t.test('a channel becomes a leg', async t => {
  t.same(legOf(), {
    channelId: '1795419347.7',
    endpoint: 'PJSIP/1001',
    linkedId: '1795419347.6',
    stage: 'up',
    createdAtMs: Date.parse('2026-11-23T09:00:00.000Z'),
    callerNumber: '1001',
    connectedNumber: null,
    dialledNumber: '+442071838750',
    sipCallId: 'sip-call-id',
    numberOverride: null,
    isWideband: false,
  })
})

t.test('what Asterisk leaves out is not there, and what it puts there for nothing neither', async t => {
  t.match(legOf({ protocol_id: '', dialplan: { context: 'c', exten: 's', priority: 1 }, channelvars: {} }), { sipCallId: null, dialledNumber: null, linkedId: '1795419347.7', isWideband: false })
})

t.test('the halves of a Local channel are of one endpoint', async t => {
  t.equal(legOf({ name: 'Local/1001@agents-0000002a;2' }).endpoint, 'Local/1001@agents')
  t.equal(legOf({ name: 'PJSIP/front-desk-0000002a' }).endpoint, 'PJSIP/front-desk')
})

t.test('a wideband codec is seen as such', async t => {
  const isWideband = (format: string) => legOf({ channelvars: { 'CHANNEL(audionativeformat)': format } }).isWideband
  for (const format of ['g719', 'g722', 'siren7', 'siren14', 'opus', 'amrwb', 'silk12', 'silk16', 'silk24', 'speex16', 'speex32', 'slin12', 'slin16', 'slin24', 'slin32', 'slin44', 'slin48', 'slin96', 'slin192']) {
    t.ok(isWideband(`(${format})`), format)
  }
  for (const format of ['ulaw', 'alaw', 'gsm', 'none', 'g723', 'g726', 'g726aal2', 'g729', 'adpcm', 'lpc10', 'ilbc', 'codec2', 'speex', 'silk8', 'slin', 'testlaw']) {
    t.notOk(isWideband(`(${format})`), format)
  }
  t.ok(isWideband('(ulaw|g722)'))
  t.notOk(isWideband(''))
})

t.test('the states of a channel are three', async t => {
  t.same(['Down', 'Rsrvd', 'Ring', 'Ringing', 'Up', 'Busy'].map(state => legOf({ state }).stage), ['down', 'down', 'ringing', 'ringing', 'up', 'ringing'])
})

t.test('a transfer that failed is none', async t => {
  for (const scenario of ['blind-transfer-to-agent', 'attended-transfer']) {
    const transfer = readEvents(scenario).map(({ event }) => event).find(({ type }) => type.endsWith('Transfer'))!
    t.equal(toChange(transfer)?.type, 'transferred')
    t.equal(toChange({ ...transfer, result: 'Fail' } as typeof transfer), undefined)
  }
})

t.test('every event that Asterisk ever sent us is understood', async t => {
  for (const scenario of scenarios) {
    for (const { event } of readEvents(scenario)) {
      if (event.type === 'Other' && event.problem) t.fail(`${scenario}: ${event.name}: ${event.problem}`)
      toChange(event)
    }
  }
})

t.test('a look at the PBX has the same legs as its events', async t => {
  const event = readEvents('inbound-hold').map(({ event }) => event).find(({ type }) => type === 'ChannelEnteredBridge')
  if (event?.type !== 'ChannelEnteredBridge') throw new Error('no such event')
  t.same(toSnapshot([event.channel], [event.bridge]), { legs: [toLeg(event.channel)], bridges: [{ bridgeId: event.bridge.id, channelIds: event.bridge.channels }] })
})
