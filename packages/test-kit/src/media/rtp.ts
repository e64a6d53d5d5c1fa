import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { pcmu, type Codec } from './codecs.ts'
import { silence } from './sources.ts'
import type { AudioSource } from './sources.ts'
import type { AudioDescription } from './sdp.ts'

export const samplesPerPacket = 160
const packetMs = 20
const dtmfPackets = 8

export interface SentPacket {
  /** Counts every packet time of the call, those lost on the way included. */
  number: number
  /** Name of the audio source, and index in it of the packet's first sample. */
  source: string
  firstSample: number
  /** Epoch milliseconds, with fractions. */
  sentAtMs: number
}

export interface ReceivedPacket {
  sequence: number
  timestamp: number
  arrivedAtMs: number
  samples: Int16Array
}

export interface RtpSession {
  port: number
  codec: Codec
  sentPackets: SentPacket[]
  received: ReceivedPacket[]
  /** Share of packets (0 to 1) that are paced and counted but never sent. */
  lossRatio: number
  /** Sends to where `remote` says, a packet each 20 ms; the first call starts the clock. */
  start: (remote: AudioDescription) => void
  /** A muted session sends nothing, and its audio source stands still. */
  setMuted: (isMuted: boolean) => void
  /** What the codec has to prepare must be. */
  setAudio: (source: AudioSource) => void
  /** Keeps packets back for so long, then sends them all at once, as a network that hiccups. */
  stall: (durationMs: number) => Promise<void>
  /** Sends an RFC 4733 event in place of audio. */
  sendDtmf: (digit: string) => Promise<void>
  close: () => void
}

const now = () => performance.timeOrigin + performance.now()

const sequenceLead = 100
let sessions = 0

/** Every stream advances with the clock, 50 a second, and each new one begins ahead of all earlier ones. */
function nextSequence (): number {
  return Math.floor(performance.now() / packetMs) + sequenceLead * ++sessions
}

export async function createRtpSession ({ host, audio = silence, codec = pcmu, firstSequence = nextSequence() }: {
  host: string
  codec?: Codec | undefined
  audio?: AudioSource | undefined
  firstSequence?: number | undefined
}): Promise<RtpSession> {
  await codec.prepare?.(audio)
  const socket = createSocket('udp4')
  socket.bind(0, host)
  await once(socket, 'listening')

  const sentPackets: SentPacket[] = []
  const received: ReceivedPacket[] = []
  const synchronisation = Math.floor(Math.random() * 2 ** 32)
  const random = lehmer(synchronisation)
  const positions = new Map<AudioSource, number>()
  const dtmfQueue: { payload: Buffer, ticksIn: number, done: () => void }[] = []
  let source = audio
  let remote: AudioDescription | undefined
  let timer: NodeJS.Timeout | undefined
  let isMuted = false
  let isClosed = false
  let held: (() => void)[] | undefined
  let startedAt = 0
  let tick = 0

  function transmit (payloadType: number, timestamp: number, payload: Buffer, onSent: (sentAtMs: number) => void): void {
    const packet = Buffer.allocUnsafe(12 + payload.length)
    packet[0] = 0x80
    packet[1] = payloadType
    packet.writeUInt16BE((firstSequence + tick) & 0xffff, 2)
    packet.writeUInt32BE((timestamp * codec.ticksPerSample) >>> 0, 4)
    packet.writeUInt32BE(synchronisation, 8)
    payload.copy(packet, 12)
    const send = () => {
      if (isClosed || !remote) return
      socket.send(packet, remote.port, remote.host)
      onSent(now())
    }
    if (held) held.push(send)
    else send()
  }

  function sendTick (): void {
    const event = dtmfQueue[0]
    if (event && remote?.dtmfPayloadType !== undefined) {
      transmit(remote.dtmfPayloadType | (event.ticksIn === 0 ? 0x80 : 0), (tick - event.ticksIn) * samplesPerPacket, event.payload, () => {})
      dtmfQueue.shift()
      event.done()
    } else if (!isMuted) {
      const speaking = source
      const firstSample = positions.get(speaking) ?? 0
      positions.set(speaking, firstSample + samplesPerPacket)
      const number = tick
      if (random() >= session.lossRatio) {
        transmit(remote?.payloadType ?? codec.payloadType, tick * samplesPerPacket, codec.encode(speaking, firstSample, samplesPerPacket),
          sentAtMs => sentPackets.push({ number, source: speaking.name, firstSample, sentAtMs }))
      }
    }
    tick++
  }

  // Due times are counted from the start, so that late timers don't add up to drift.
  function pace (): void {
    if (isClosed) return
    while (now() >= startedAt + tick * packetMs) sendTick()
    timer = setTimeout(pace, Math.max(0, startedAt + tick * packetMs - now()))
  }

  socket.on('message', packet => {
    if (packet.length < 12 || ((packet[1] ?? 0) & 0x7f) !== (remote?.payloadType ?? codec.payloadType)) return
    const headerLength = 12 + ((packet[0] ?? 0) & 0x0f) * 4
    received.push({
      sequence: packet.readUInt16BE(2),
      timestamp: packet.readUInt32BE(4),
      arrivedAtMs: now(),
      samples: codec.decode(packet.subarray(headerLength)),
    })
  })

  const session: RtpSession = {
    port: socket.address().port,
    codec,
    sentPackets,
    received,
    lossRatio: 0,
    start (target) {
      remote = target
      if (timer || isClosed) return
      startedAt = now()
      pace()
    },
    setMuted (muted) { isMuted = muted },
    setAudio (next) { source = next },
    async stall (durationMs) {
      held ??= []
      await new Promise(resolve => setTimeout(resolve, durationMs))
      const late = held
      held = undefined
      for (const send of late) send()
    },
    async sendDtmf (digit) {
      if (remote?.dtmfPayloadType === undefined) throw new Error('the other side takes no telephone events')
      const sent = Array.from({ length: dtmfPackets + 3 }, (_, i) => new Promise<void>(resolve => {
        const payload = Buffer.from([dtmfCode(digit), i < dtmfPackets ? 10 : 0x80 | 10, 0, 0])
        payload.writeUInt16BE(Math.min(i + 1, dtmfPackets) * samplesPerPacket, 2)
        dtmfQueue.push({ payload, ticksIn: i, done: resolve })
      }))
      await Promise.all(sent)
    },
    close () {
      if (isClosed) return
      isClosed = true
      clearTimeout(timer)
      for (const event of dtmfQueue.splice(0)) event.done()
      socket.close()
    },
  }
  return session
}

function dtmfCode (digit: string): number {
  const code = '0123456789*#ABCD'.indexOf(digit)
  if (code < 0 || digit.length !== 1) throw new Error(`${digit} is no DTMF digit`)
  return code
}

function lehmer (seed: number): () => number {
  let state = seed % 2147483647 || 1
  return () => (state = state * 48271 % 2147483647) / 2147483647
}
