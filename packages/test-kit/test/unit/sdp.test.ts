import t from 'tap'
import { l16 } from '../../src/media/codecs.ts'
import { formatSdp, parseSdp } from '../../src/media/sdp.ts'

t.test('what it writes, it reads', async t => {
  const sdp = formatSdp({ host: '127.0.0.1', port: 4000, direction: 'sendonly', sessionId: 1, version: 2 })
  t.same(parseSdp(sdp), { host: '127.0.0.1', port: 4000, direction: 'sendonly', payloadType: 0, dtmfPayloadType: 101 })
})

t.test('it takes address and direction from the session when the audio line has none', async t => {
  const sdp = ['v=0', 'o=- 1 1 IN IP4 10.0.0.1', 's=Asterisk', 'c=IN IP4 10.0.0.2', 't=0 0', 'a=inactive', 'm=audio 31000 RTP/AVP 8 0 96', 'a=rtpmap:96 telephone-event/8000'].join('\r\n')
  t.same(parseSdp(sdp), { host: '10.0.0.2', port: 31000, direction: 'inactive', payloadType: 0, dtmfPayloadType: 96 })
})

t.test('an offer without µ-law is refused', async t => {
  t.throws(() => parseSdp('v=0\r\nm=audio 4000 RTP/AVP 8\r\n'), /without PCMU\/8000/)
})

t.test('a wideband codec goes by whatever payload type the other side names', async t => {
  const sdp = formatSdp({ host: '127.0.0.1', port: 4000, direction: 'sendrecv', sessionId: 1, version: 2, codec: l16 })
  t.match(sdp, /m=audio 4000 RTP\/AVP 118 101\r\na=rtpmap:118 L16\/16000/)
  t.match(parseSdp(sdp.replaceAll('118', '97'), l16), { payloadType: 97 })
  t.throws(() => parseSdp(sdp), /without PCMU/)
})
