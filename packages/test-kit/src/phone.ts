import { createIncomingCall, createOutgoingCall } from './call.ts'
import type { Call, CallLeg, IncomingCall } from './call.ts'
import { withDeadline } from './deadline.ts'
import type { Codec } from './media/codecs.ts'
import { createRtpSession } from './media/rtp.ts'
import type { AudioSource } from './media/sources.ts'
import { requestWithCredentials } from './sip/dialog.ts'
import type { Account, UserAgent } from './sip/dialog.ts'
import { formatAddress, newToken, requireHeader } from './sip/message.ts'
import type { SipRequest } from './sip/message.ts'
import { createSipTransport } from './sip/transport.ts'

export interface PhoneOptions {
  sip: { host: string, port: number }
  account: Account
  displayName?: string
  /** Address the phone binds and gives out. */
  host?: string
  /**
   * The RTP sequence number with which each stream of the phone begins. By default ahead of every earlier stream of the process:
   * Debian's Asterisk records nothing of a stream that begins behind the one it replaces (ADR 3).
   */
  firstSequence?: number
  /** µ-law unless told otherwise. */
  codec?: Codec
}

export interface CallOptions {
  /** Presented by P-Asserted-Identity and From display (a trunk's way). */
  callerId?: { number: string, name?: string }
  audio?: AudioSource
}

export interface Phone {
  account: Account
  /** Texts (SIP MESSAGE) received, oldest first. */
  messages: string[]
  register: () => Promise<void>
  unregister: () => Promise<void>
  /** `target` is a number or a SIP URI. */
  call: (target: string, options?: CallOptions) => Promise<Call>
  /** The next call that comes in, or one that rings already and was not taken by an earlier wait. */
  waitForCall: (options?: { timeoutMs?: number }) => Promise<IncomingCall>
  /** Ends all calls and unregisters. Nothing of the phone keeps the process alive afterwards. */
  close: () => Promise<void>
}

const requestTimeoutMs = 5000

/** A SIP user agent over UDP with one account, for tests and demonstrations. */
export async function createPhone (options: PhoneOptions): Promise<Phone> {
  const { sip, account, displayName, host = '127.0.0.1', firstSequence, codec } = options
  const legs = new Map<string, CallLeg<Call>>()
  const rings: IncomingCall[] = []
  const waiters: ((call: IncomingCall) => void)[] = []
  const messages: string[] = []
  const registrationId = newToken()
  let registerSequence = 0
  let isRegistered = false
  let isClosed = false

  const transport = await createSipTransport({ host, peer: sip, onRequest })
  const agent: UserAgent = { transport, account, host, sip, contact: `sip:${account.username}@${host}:${transport.port}` }

  function onRequest (request: SipRequest): void {
    receive(request).catch(() => transport.respond(request, 500, 'Internal Error', { toTag: newToken() }))
  }

  async function receive (request: SipRequest): Promise<void> {
    const leg = legs.get(requireHeader(request, 'call-id'))
    if (leg) return leg.receive(request)
    switch (request.method) {
      case 'ACK':
        return
      case 'INVITE':
        return ring(request)
      case 'MESSAGE':
        messages.push(request.body)
        return transport.respond(request, 200, 'OK')
      case 'OPTIONS':
      case 'NOTIFY':
        return transport.respond(request, 200, 'OK')
      default:
        return transport.respond(request, 481, 'Call/Transaction Does Not Exist', { toTag: newToken() })
    }
  }

  async function ring (invite: SipRequest): Promise<void> {
    const rtp = await createRtpSession({ host, codec, firstSequence })
    if (isClosed) return rtp.close()
    const leg = createIncomingCall(agent, rtp, invite)
    legs.set(leg.call.sipCallId, leg)
    const waiter = waiters.shift()
    if (waiter) waiter(leg.call)
    else rings.push(leg.call)
  }

  function registration (expiresS: number): SipRequest {
    const aor = formatAddress(displayName, `sip:${account.username}@${sip.host}:${sip.port}`)
    return {
      kind: 'request',
      method: 'REGISTER',
      uri: `sip:${sip.host}:${sip.port}`,
      body: '',
      headers: [
        ['From', `${aor};tag=${registrationId}`],
        ['To', aor],
        ['Call-ID', registrationId],
        ['CSeq', `${++registerSequence} REGISTER`],
        ['Contact', `<${agent.contact}>;expires=${expiresS}`],
        ['Expires', String(expiresS)],
        ['Max-Forwards', '70'],
      ],
    }
  }

  async function setRegistered (expiresS: number): Promise<void> {
    const answer = await requestWithCredentials(agent, () => registration(expiresS), { timeoutMs: requestTimeoutMs })
    if (answer.status !== 200) throw new Error(`REGISTER of ${account.username} was refused: ${answer.status} ${answer.reason}`)
    isRegistered = expiresS > 0
  }

  return {
    account,
    messages,
    register: () => setRegistered(3600),
    unregister: () => setRegistered(0),
    async call (target, { callerId, audio } = {}) {
      const rtp = await createRtpSession({ host, audio, codec, firstSequence })
      const leg = createOutgoingCall(agent, rtp, target, callerId, displayName)
      legs.set(leg.call.sipCallId, leg)
      return leg.call
    },
    async waitForCall ({ timeoutMs = 20_000 } = {}) {
      const ringing = rings.splice(0).filter(({ state }) => state === 'ringing')
      const [first, ...others] = ringing
      rings.push(...others)
      if (first) return first
      const { promise, resolve } = Promise.withResolvers<IncomingCall>()
      waiters.push(resolve)
      try {
        return await withDeadline(promise, timeoutMs, `${account.username} was not called`)
      } finally {
        if (waiters.includes(resolve)) waiters.splice(waiters.indexOf(resolve), 1)
      }
    },
    async close () {
      if (isClosed) return
      isClosed = true
      await Promise.allSettled([...legs.values()].map(({ call }) => call.hangup()))
      for (const leg of legs.values()) leg.close()
      if (isRegistered) await setRegistered(0).catch(() => {})
      await transport.close()
    },
  }
}
