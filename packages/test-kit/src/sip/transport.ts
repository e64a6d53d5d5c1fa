import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { branchOf, cseqOf, formatMessage, header, headers, newToken, parseMessage, requireHeader } from './message.ts'
import type { Header, SipMessage, SipRequest, SipResponse } from './message.ts'

const firstRetransmitMs = 500
const keepTransactionsMs = 32_000

interface ClientTransaction {
  onResponse: (response: SipResponse) => void
  /** What answers a repeated final response to an INVITE. */
  ack?: Buffer
}

export interface SendOptions {
  timeoutMs: number
  onProvisional?: (response: SipResponse) => void
}

export interface SipTransport {
  port: number
  /** Adds a Via, sends, repeats until answered; resolves with the final response. */
  request: (request: SipRequest, options: SendOptions) => Promise<SipResponse>
  /** The CANCEL of an INVITE still under way (it must carry the same Via). */
  cancel: (invite: SipRequest) => Promise<SipResponse>
  /** Sends the ACK of a 2xx, again for each time the 2xx is repeated. */
  acknowledge: (answer: SipResponse, ack: SipRequest) => void
  /** Answers a request; a final answer to an INVITE is repeated until its ACK comes. */
  respond: (request: SipRequest, status: number, reason: string, more?: { headers?: Header[], body?: string, toTag?: string }) => void
  close: () => Promise<void>
}

/** The transaction layer of SIP over UDP (RFC 3261, section 17) towards one peer, as far as a test phone needs it. */
export async function createSipTransport (options: { host: string, peer: { host: string, port: number }, onRequest: (request: SipRequest) => void }): Promise<SipTransport> {
  const { host, peer, onRequest } = options
  const socket = createSocket('udp4')
  socket.bind(0, host)
  await once(socket, 'listening')
  const port = socket.address().port
  const clients = new Map<string, ClientTransaction>()
  const answers = new Map<string, Buffer | undefined>()
  const awaitingAck = new Map<string, NodeJS.Timeout>()
  let isClosed = false

  const send = (datagram: Buffer) => { if (!isClosed) socket.send(datagram, peer.port, peer.host) }
  const ackKey = (message: SipMessage) => `${requireHeader(message, 'call-id')} ${cseqOf(message).number}`
  const forgetLater = (forget: () => void) => { setTimeout(forget, keepTransactionsMs).unref() }

  function repeat (datagram: Buffer, delayMs: number, onTimer: (timer: NodeJS.Timeout) => void): void {
    onTimer(setTimeout(() => {
      send(datagram)
      repeat(datagram, Math.min(delayMs * 2, 4000), onTimer)
    }, delayMs))
  }

  function transact (request: SipRequest, branch: string, sendOptions: SendOptions): Promise<SipResponse> {
    const datagram = formatMessage(request)
    const key = `${branch} ${request.method}`
    return new Promise((resolve, reject) => {
      let retransmit: NodeJS.Timeout | undefined
      const timeout = setTimeout(() => {
        clearTimeout(retransmit)
        clients.delete(key)
        reject(new Error(`no final answer to ${request.method} ${request.uri} within ${sendOptions.timeoutMs} ms`))
      }, sendOptions.timeoutMs)
      timeout.unref()
      const transaction: ClientTransaction = {
        onResponse (response) {
          clearTimeout(retransmit)
          if (response.status < 200) return sendOptions.onProvisional?.(response)
          if (request.method === 'INVITE' && response.status >= 300) send(transaction.ack = formatMessage(ackOfRefusal(request, response)))
          transaction.onResponse = () => { if (transaction.ack) send(transaction.ack) }
          forgetLater(() => clients.delete(key))
          clearTimeout(timeout)
          resolve(response)
        },
      }
      clients.set(key, transaction)
      send(datagram)
      repeat(datagram, firstRetransmitMs, timer => { retransmit = timer.unref() })
    })
  }

  function receiveRequest (request: SipRequest): void {
    if (request.method === 'ACK') {
      clearTimeout(awaitingAck.get(ackKey(request)))
      return onRequest(request)
    }
    const key = `${branchOf(request)} ${request.method}`
    if (answers.has(key)) {
      const answer = answers.get(key)
      if (answer) send(answer)
      return
    }
    answers.set(key, undefined)
    forgetLater(() => answers.delete(key))
    onRequest(request)
  }

  socket.on('message', datagram => {
    const message = parseMessage(datagram)
    if (message?.kind === 'request') receiveRequest(message)
    else if (message) clients.get(`${branchOf(message)} ${cseqOf(message).method}`)?.onResponse(message)
  })

  return {
    port,
    request (request, sendOptions) {
      const branch = `z9hG4bK${newToken()}`
      request.headers.unshift(['Via', `SIP/2.0/UDP ${host}:${port};rport;branch=${branch}`])
      return transact(request, branch, sendOptions)
    },
    cancel (invite) {
      const cancel: SipRequest = { ...invite, method: 'CANCEL', body: '', headers: sameTransaction(invite, 'CANCEL', requireHeader(invite, 'to')) }
      return transact(cancel, branchOf(invite), { timeoutMs: 5000 })
    },
    acknowledge (answer, ack) {
      const branch = `z9hG4bK${newToken()}`
      ack.headers.unshift(['Via', `SIP/2.0/UDP ${host}:${port};rport;branch=${branch}`])
      const datagram = formatMessage(ack)
      const transaction = clients.get(`${branchOf(answer)} INVITE`)
      if (transaction) transaction.ack = datagram
      send(datagram)
    },
    respond (request, status, reason, { headers: more = [], body = '', toTag } = {}) {
      const to = requireHeader(request, 'to')
      const response: SipResponse = {
        kind: 'response',
        status,
        reason,
        body,
        headers: [
          ...headers(request, 'via').map((via): Header => ['Via', via]),
          ['From', requireHeader(request, 'from')],
          ['To', toTag === undefined || to.includes(';tag=') ? to : `${to};tag=${toTag}`],
          ['Call-ID', requireHeader(request, 'call-id')],
          ['CSeq', requireHeader(request, 'cseq')],
          ...more,
        ],
      }
      const datagram = formatMessage(response)
      answers.set(`${branchOf(request)} ${request.method}`, datagram)
      send(datagram)
      if (request.method !== 'INVITE' || status < 200) return
      const startedAt = performance.now()
      repeat(datagram, firstRetransmitMs, timer => {
        awaitingAck.set(ackKey(request), timer.unref())
        if (performance.now() - startedAt > keepTransactionsMs) clearTimeout(timer)
      })
    },
    async close () {
      if (isClosed) return
      isClosed = true
      for (const timer of awaitingAck.values()) clearTimeout(timer)
      const closed = once(socket, 'close')
      socket.close()
      await closed
    },
  }
}

function sameTransaction (invite: SipRequest, method: string, to: string): Header[] {
  return [
    ['Via', requireHeader(invite, 'via')],
    ['From', requireHeader(invite, 'from')],
    ['To', to],
    ['Call-ID', requireHeader(invite, 'call-id')],
    ['CSeq', `${cseqOf(invite).number} ${method}`],
    ['Max-Forwards', '70'],
    ...headers(invite, 'route').map((route): Header => ['Route', route]),
  ]
}

function ackOfRefusal (invite: SipRequest, refusal: SipResponse): SipRequest {
  return { ...invite, method: 'ACK', body: '', headers: sameTransaction(invite, 'ACK', header(refusal, 'to') ?? requireHeader(invite, 'to')) }
}
