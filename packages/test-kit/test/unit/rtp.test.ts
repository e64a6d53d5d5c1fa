import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import t from 'tap'
import type { Test } from 'tap'
import { createSignal, eventually } from '@tacet/test-kit'
import { decodeMuLaw, encodeMuLaw } from '../../src/media/mulaw.ts'
import { createRtpSession } from '../../src/media/rtp.ts'

const signal = createSignal({ seed: 5 })

async function startPair (t: Test) {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const packets: Buffer[] = []
  socket.on('message', packet => packets.push(packet))
  const rtp = await createRtpSession({ host: '127.0.0.1', audio: signal, firstSequence: 65_535 })
  t.teardown(() => {
    rtp.close()
    socket.close()
  })
  const remote = { host: '127.0.0.1', port: socket.address().port, direction: 'sendrecv', payloadType: 0, dtmfPayloadType: 101 } as const
  return { rtp, packets, remote, socket }
}

t.test('packets leave every 20 ms without drift, numbered, with the signal in them', async t => {
  const { rtp, packets, remote } = await startPair(t)
  rtp.start(remote)
  await eventually(() => packets.length >= 51, { message: '51 packets' })
  const [first] = rtp.sentPackets
  // A busy machine makes any packet late, but the last of a burst is on time; drift makes each one later.
  const lateMs = rtp.sentPackets.slice(40).map(({ number, sentAtMs }) => sentAtMs - first!.sentAtMs - 20 * number)
  t.ok(Math.min(...lateMs) < 20 && Math.max(...lateMs) > -200, `fifty packets take a second: late by ${Math.min(...lateMs)} to ${Math.max(...lateMs)} ms`)
  t.ok(Math.abs(first!.sentAtMs - Date.now()) < 60_000, 'times are epoch milliseconds')
  t.same(rtp.sentPackets.slice(0, 3).map(({ number, firstSample }) => [number, firstSample]), [[0, 0], [1, 160], [2, 320]])
  t.same(packets.slice(0, 3).map(packet => [packet.readUInt16BE(2), packet.readUInt32BE(4)]), [[65_535, 0], [0, 160], [1, 320]])
  t.same(decodeMuLaw(packets[2]!.subarray(12)), decodeMuLaw(encodeMuLaw(signal.read(320, 160))))
})

t.test('a stall holds packets back and sends them in a burst, with the time they really left', async t => {
  const { rtp, packets, remote } = await startPair(t)
  rtp.start(remote)
  await eventually(() => packets.length >= 3)
  const stalled = rtp.stall(200)
  const before = rtp.sentPackets.length
  await stalled
  const burst = rtp.sentPackets.slice(before)
  t.ok(burst.length >= 8, `${burst.length} packets were held`)
  t.ok((burst.at(-1)?.sentAtMs ?? 0) - (burst[0]?.sentAtMs ?? 0) < 20 * burst.length / 2, 'in less than half the time they stand for')
})

t.test('loss leaves holes in numbers and in the log', async t => {
  const { rtp, packets, remote } = await startPair(t)
  // Were it one half, once in five hundred runs none of the first ten would be lost.
  rtp.lossRatio = 0.8
  rtp.start(remote)
  await eventually(() => packets.length >= 10)
  const numbers = rtp.sentPackets.map(({ number }) => number)
  t.ok(numbers.some((number, i) => i > 0 && number - (numbers[i - 1] ?? 0) > 1))
  t.ok(rtp.sentPackets.every(({ number, firstSample }) => firstSample === number * 160), 'what is lost was spoken all the same')
})

t.test('a muted session sends nothing, and speaks on where it stopped', async t => {
  const { rtp, packets, remote } = await startPair(t)
  rtp.start(remote)
  await eventually(() => packets.length >= 3)
  rtp.setMuted(true)
  const spoken = rtp.sentPackets.at(-1)?.firstSample ?? 0
  const heardSoFar = rtp.sentPackets.length
  await rtp.stall(100)
  t.equal(rtp.sentPackets.length, heardSoFar)
  rtp.setMuted(false)
  await eventually(() => rtp.sentPackets.length > heardSoFar)
  t.equal(rtp.sentPackets[heardSoFar]?.firstSample, spoken + 160)
})

t.test('a digit goes out as RFC 4733 events that share a timestamp and end thrice', async t => {
  const { rtp, packets, remote } = await startPair(t)
  rtp.start(remote)
  await rtp.sendDtmf('#')
  const events = await eventually(() => {
    const found = packets.filter(packet => (packet[1]! & 0x7f) === 101)
    return found.length === 11 && found
  })
  t.equal(new Set(events.map(packet => packet.readUInt32BE(4))).size, 1)
  t.ok(events.every(packet => packet[12] === 11))
  t.equal(events.filter(packet => (packet[13]! & 0x80) !== 0).length, 3)
  t.equal((events[0]![1]! & 0x80) !== 0, true, 'the first carries the marker')
})

t.test('what arrives is decoded, with its time', async t => {
  const { rtp, socket } = await startPair(t)
  const payload = encodeMuLaw(signal.read(0, 160))
  socket.send(Buffer.concat([Buffer.from([0x80, 0, 0, 9, 0, 0, 0, 80, 0, 0, 0, 1]), payload]), rtp.port, '127.0.0.1')
  const packet = await eventually(() => rtp.received[0])
  t.equal(packet.sequence, 9)
  t.equal(packet.timestamp, 80)
  t.same(packet.samples, decodeMuLaw(payload))
})
