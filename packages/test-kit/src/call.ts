import { withDeadline } from './deadline.ts'
import { createDialog, requestWithCredentials } from './sip/dialog.ts'
import type { Dialog, UserAgent } from './sip/dialog.ts'
import { formatAddress, header, parseAddress, requireHeader } from './sip/message.ts'
import type { Header, SipRequest, SipResponse } from './sip/message.ts'
import type { AudioSource } from './media/sources.ts'
import { formatSdp, parseSdp } from './media/sdp.ts'
import type { Direction } from './media/sdp.ts'
import type { ReceivedPacket, RtpSession, SentPacket } from './media/rtp.ts'

export type CallState = 'calling' | 'ringing' | 'answered' | 'ended'

export interface Call {
  sipCallId: string
  state: CallState
  /** Who is at the other end, as the PBX presents them. */
  remote: { displayName: string, uri: string, user: string }
  /** Why it ended: the final status of an INVITE that failed, or who hung up. */
  endedBy: 'us' | 'them' | number | undefined
  ringing: (timeoutMs?: number) => Promise<void>
  answered: (timeoutMs?: number) => Promise<void>
  ended: (timeoutMs?: number) => Promise<void>
  /** Hangs up, cancels or declines, whatever its state asks for. */
  hangup: () => Promise<void>
  hold: () => Promise<void>
  unhold: () => Promise<void>
  blindTransfer: (target: string) => Promise<void>
  /** Joins the other ends of this call and of `other` (the consultation). */
  attendedTransfer: (other: Call) => Promise<void>
  sendDtmf: (digit: string) => Promise<void>
  setAudio: (source: AudioSource) => void
  stall: (durationMs: number) => Promise<void>
  lossRatio: number
  sentPackets: SentPacket[]
  received: ReceivedPacket[]
  /** The value for a Replaces header that takes over this call. */
  replaces: () => string
}

export interface IncomingCall extends Call {
  /** User part of the URI that was called. */
  dialled: string
  /** The header of the INVITE, if it has it. */
  header: (name: string) => string | undefined
  answer: (options?: { audio?: AudioSource }) => Promise<void>
  reject: (status: number) => void
}

/** A call and the ear it lends to the phone's transport. */
export interface CallLeg<C extends Call> {
  call: C
  receive: (request: SipRequest) => void
  close: () => void
}

const answerTimeoutMs = 20_000

export function toUri (target: string, sip: { host: string, port: number }): string {
  return /^sips?:/.test(target) ? target : `sip:${target}@${sip.host}:${sip.port}`
}

/** The part that calls in both directions share: media, requests inside the dialog, states. */
export function createLeg (agent: UserAgent, dialog: Dialog, rtp: RtpSession, remote: Call['remote']) {
  const waiting: { isDone: () => boolean, resolve: () => void }[] = []
  const sessionId = Math.floor(Math.random() * 2 ** 31)
  let sdpVersion = 0
  let onReferProgress: ((status: number) => void) | undefined

  const offer = (direction: Direction) => formatSdp({ host: agent.host, port: rtp.port, direction, sessionId, version: ++sdpVersion, codec: rtp.codec })
  let direction: Direction = 'sendrecv'
  let wasAnswered = false
  let wasRinging = false

  function enter (state: CallState): void {
    if (call.state === 'ended') return
    call.state = state
    wasRinging ||= state === 'ringing'
    wasAnswered ||= state === 'answered'
    if (state === 'ended') rtp.close()
    for (const waiter of waiting.filter(({ isDone }) => isDone())) waiter.resolve()
  }

  async function reach (isDone: () => boolean, wanted: string, timeoutMs: number): Promise<void> {
    const done = new Promise<void>(resolve => {
      waiting.push({ isDone: () => isDone() || call.state === 'ended', resolve })
    })
    if (!isDone() && call.state !== 'ended') await withDeadline(done, timeoutMs, () => `call is ${call.state}, not ${wanted}`)
    if (!isDone()) throw new Error(`call ended (by ${call.endedBy}) before it was ${wanted}`)
  }

  function end (by: Call['endedBy']): void {
    if (call.state !== 'ended') call.endedBy = by
    enter('ended')
  }

  function connect (sdp: string): void {
    rtp.start(parseSdp(sdp, rtp.codec))
    enter('answered')
  }

  async function inDialog (method: string, more?: Parameters<Dialog['request']>[1]): Promise<SipResponse> {
    return requestWithCredentials(agent, () => dialog.request(method, more), { timeoutMs: answerTimeoutMs })
  }

  async function reinvite (next: Direction): Promise<void> {
    if (call.state !== 'answered') throw new Error(`a call that is ${call.state} can't be put on hold or taken back`)
    rtp.setMuted(next !== 'sendrecv')
    direction = next
    const answer = await inDialog('INVITE', { body: offer(next) })
    if (answer.status !== 200) throw new Error(`re-INVITE was refused: ${answer.status} ${answer.reason}`)
    dialog.learn(answer)
    agent.transport.acknowledge(answer, dialog.ack(answer))
    rtp.start(parseSdp(answer.body, rtp.codec))
  }

  async function refer (referTo: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    onReferProgress = status => {
      if (status >= 300) reject(new Error(`transfer failed: ${status}`))
      else if (status >= 200) resolve()
    }
    const ended = reach(() => call.state === 'ended', 'transferred away', answerTimeoutMs)
    ended.catch(() => {})
    const answer = await inDialog('REFER', { headers: [['Refer-To', referTo], ['Referred-By', formatAddress(undefined, `sip:${agent.account.username}@${agent.sip.host}`)]] })
    if (answer.status !== 202 && answer.status !== 200) throw new Error(`REFER was refused: ${answer.status} ${answer.reason}`)
    await withDeadline(Promise.race([promise, ended]), answerTimeoutMs, 'no outcome of the transfer was notified')
    await call.hangup()
  }

  const call: Call = {
    sipCallId: dialog.callId,
    state: 'calling',
    remote,
    endedBy: undefined,
    ringing: (timeoutMs = answerTimeoutMs) => reach(() => wasRinging || wasAnswered, 'ringing', timeoutMs),
    answered: (timeoutMs = answerTimeoutMs) => reach(() => wasAnswered, 'answered', timeoutMs),
    ended: (timeoutMs = answerTimeoutMs) => reach(() => call.state === 'ended', 'ended', timeoutMs),
    async hangup () {
      if (call.state === 'ended') return
      end('us')
      await inDialog('BYE')
    },
    hold: () => reinvite('sendonly'),
    unhold: () => reinvite('sendrecv'),
    blindTransfer: target => refer(`<${toUri(target, agent.sip)}>`),
    attendedTransfer: other => refer(`<${other.remote.uri.split(/[;?]/)[0]}?Replaces=${encodeURIComponent(other.replaces())}>`),
    replaces: () => `${dialog.callId};to-tag=${dialog.remoteTag};from-tag=${dialog.localTag}`,
    sendDtmf: digit => rtp.sendDtmf(digit),
    setAudio: source => rtp.setAudio(source),
    stall: durationMs => rtp.stall(durationMs),
    get lossRatio () { return rtp.lossRatio },
    set lossRatio (ratio) { rtp.lossRatio = ratio },
    sentPackets: rtp.sentPackets,
    received: rtp.received,
  }

  function receive (request: SipRequest): void {
    const { transport } = agent
    const contact: Header = ['Contact', formatAddress(undefined, agent.contact)]
    switch (request.method) {
      case 'ACK':
        return
      case 'BYE':
        transport.respond(request, 200, 'OK')
        return end('them')
      case 'INVITE':
      case 'UPDATE': {
        dialog.learn(request)
        if (request.body !== '') rtp.start(parseSdp(request.body, rtp.codec))
        const needsSdp = request.method === 'INVITE' || request.body !== ''
        const headers: Header[] = needsSdp ? [contact, ['Content-Type', 'application/sdp']] : [contact]
        return transport.respond(request, 200, 'OK', { headers, body: needsSdp ? offer(direction) : '' })
      }
      case 'NOTIFY': {
        transport.respond(request, 200, 'OK')
        const status = /^SIP\/2\.0 (\d{3})/.exec(request.body)?.[1]
        if (header(request, 'event')?.startsWith('refer') && status) onReferProgress?.(Number(status))
        return
      }
      case 'INFO':
      case 'MESSAGE':
      case 'OPTIONS':
        return transport.respond(request, 200, 'OK')
      default:
        return transport.respond(request, 405, 'Method Not Allowed')
    }
  }

  return { call, receive, enter, end, connect, offer, close: () => rtp.close() }
}

export function createOutgoingCall (agent: UserAgent, rtp: RtpSession, target: string, callerId: { number: string, name?: string } | undefined, displayName: string | undefined): CallLeg<Call> {
  const targetUri = toUri(target, agent.sip)
  const own = `sip:${agent.account.username}@${agent.sip.host}`
  const local = formatAddress(callerId ? callerId.name ?? callerId.number : displayName, own)
  const dialog = createDialog(agent, { remoteTarget: targetUri, local, remote: formatAddress(undefined, targetUri) })
  const leg = createLeg(agent, dialog, rtp, { displayName: '', uri: targetUri, user: parseAddress(targetUri).user })
  const identity: Header[] = callerId ? [['P-Asserted-Identity', formatAddress(callerId.name ?? callerId.number, `sip:${callerId.number}@${agent.sip.host}`)]] : []
  const sdp = leg.offer('sendrecv')
  let invite: SipRequest | undefined
  let isCancelled = false

  async function place (): Promise<void> {
    const answer = await requestWithCredentials(agent, () => (invite = dialog.request('INVITE', { headers: identity, body: sdp })), {
      timeoutMs: 120_000,
      onProvisional (response) {
        if (response.status === 100) return
        dialog.learn(response)
        if (leg.call.state === 'calling') leg.enter('ringing')
        if (response.body !== '') rtp.start(parseSdp(response.body, rtp.codec))
      },
    })
    if (answer.status >= 300) return leg.end(isCancelled ? 'us' : answer.status)
    dialog.learn(answer)
    agent.transport.acknowledge(answer, dialog.ack(answer))
    if (isCancelled) await leg.call.hangup()
    else leg.connect(answer.body)
  }

  const hangup = leg.call.hangup
  leg.call.hangup = async () => {
    if (leg.call.state !== 'calling' && leg.call.state !== 'ringing') return hangup()
    isCancelled = true
    if (invite) await agent.transport.cancel(invite)
    await leg.call.ended()
  }
  place().catch(() => leg.end(408))
  return leg
}

export function createIncomingCall (agent: UserAgent, rtp: RtpSession, invite: SipRequest): CallLeg<IncomingCall> {
  const caller = parseAddress(requireHeader(invite, 'from'))
  const to = parseAddress(requireHeader(invite, 'to'))
  const dialog = createDialog(agent, {
    callId: requireHeader(invite, 'call-id'),
    remoteTarget: caller.uri,
    local: formatAddress(undefined, to.uri),
    remote: formatAddress(caller.displayName || undefined, caller.uri),
  })
  dialog.learn(invite)
  const leg = createLeg(agent, dialog, rtp, caller)
  const contact: Header = ['Contact', formatAddress(undefined, agent.contact)]
  const respond = (status: number, reason: string, body = '') => agent.transport.respond(invite, status, reason, {
    headers: body === '' ? [contact] : [contact, ['Content-Type', 'application/sdp']], body, toTag: dialog.localTag,
  })

  const hangup = leg.call.hangup
  const call: IncomingCall = Object.assign(leg.call, {
    dialled: parseAddress(invite.uri).user,
    header: (name: string) => header(invite, name),
    async answer ({ audio }: { audio?: AudioSource } = {}) {
      if (audio) await rtp.codec.prepare?.(audio)
      if (call.state !== 'ringing') throw new Error(`a call that is ${call.state} can't be answered`)
      if (audio) rtp.setAudio(audio)
      respond(200, 'OK', leg.offer('sendrecv'))
      leg.connect(invite.body)
    },
    reject (status: number) {
      if (call.state !== 'ringing') throw new Error(`a call that is ${call.state} can't be rejected`)
      respond(status, 'Rejected')
      leg.end('us')
    },
    async hangup () {
      if (call.state === 'ringing') call.reject(480)
      else await hangup()
    },
  })
  respond(180, 'Ringing')
  leg.enter('ringing')

  return {
    call,
    close: leg.close,
    receive (request) {
      if (request.method !== 'CANCEL') return leg.receive(request)
      agent.transport.respond(request, 200, 'OK')
      if (call.state !== 'ringing') return
      respond(487, 'Request Terminated')
      leg.end('them')
    },
  }
}
