import { answerChallenge, formatAddress, header, newToken, parseAddress, requireHeader } from './message.ts'
import type { Header, SipMessage, SipRequest, SipResponse } from './message.ts'
import type { SendOptions, SipTransport } from './transport.ts'

export interface Account { username: string, password: string }

/** What a phone lends to each of its calls. */
export interface UserAgent {
  transport: SipTransport
  account: Account
  host: string
  sip: { host: string, port: number }
  contact: string
}

/** One side of a SIP dialog: knows its tags and counts its requests. */
export interface Dialog {
  callId: string
  localTag: string
  remoteTag: string | undefined
  remoteTarget: string
  /** Takes tag and target from the other side's message. */
  learn: (message: SipMessage) => void
  request: (method: string, more?: Partial<Pick<SipRequest, 'headers' | 'body'>>) => SipRequest
  ack: (answer: SipResponse) => SipRequest
}

export function createDialog (agent: UserAgent, options: { callId?: string, remoteTarget: string, local: string, remote: string }): Dialog {
  const callId = options.callId ?? newToken()
  const localTag = newToken()
  let sequence = 0
  const dialog: Dialog = {
    callId,
    localTag,
    remoteTag: undefined,
    remoteTarget: options.remoteTarget,
    learn (message) {
      const peer = parseAddress(requireHeader(message, message.kind === 'request' ? 'from' : 'to'))
      dialog.remoteTag = peer.tag ?? dialog.remoteTag
      const contact = header(message, 'contact')
      if (contact) dialog.remoteTarget = parseAddress(contact).uri
    },
    request (method, { headers: more = [], body = '' } = {}) {
      return build(method, ++sequence, more, body)
    },
    ack (answer) {
      return build('ACK', Number.parseInt(requireHeader(answer, 'cseq')), [], '')
    },
  }

  function build (method: string, number: number, more: Header[], body: string): SipRequest {
    return {
      kind: 'request',
      method,
      uri: dialog.remoteTarget,
      body,
      headers: [
        ['From', `${options.local};tag=${localTag}`],
        ['To', dialog.remoteTag === undefined ? options.remote : `${options.remote};tag=${dialog.remoteTag}`],
        ['Call-ID', callId],
        ['CSeq', `${number} ${method}`],
        ['Contact', formatAddress(undefined, agent.contact)],
        ['Max-Forwards', '70'],
        ['Allow', 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, NOTIFY, REFER, MESSAGE'],
        ['Supported', 'replaces'],
        ...more,
        ...(body === '' ? [] : [['Content-Type', 'application/sdp'] satisfies Header]),
      ],
    }
  }
  return dialog
}

/** Sends a request, a second time with credentials when it is challenged. */
export async function requestWithCredentials (agent: UserAgent, build: () => SipRequest, options: SendOptions): Promise<SipResponse> {
  const answer = await agent.transport.request(build(), options)
  if (answer.status !== 401 && answer.status !== 407) return answer
  const again = build()
  again.headers.push(answerChallenge(answer, again, agent.account))
  return agent.transport.request(again, options)
}
