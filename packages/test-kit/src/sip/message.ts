import { createHash, randomBytes } from 'node:crypto'

export type Header = [name: string, value: string]

interface Common {
  headers: Header[]
  body: string
}
export interface SipRequest extends Common { kind: 'request', method: string, uri: string }
export interface SipResponse extends Common { kind: 'response', status: number, reason: string }
export type SipMessage = SipRequest | SipResponse

const longNames: Record<string, string> = {
  b: 'referred-by', c: 'content-type', e: 'content-encoding', f: 'from', i: 'call-id', k: 'supported', l: 'content-length', m: 'contact', r: 'refer-to', t: 'to', v: 'via',
}

/** Reads one datagram; undefined when it is no SIP message (a keep-alive, for instance). */
export function parseMessage (datagram: Buffer): SipMessage | undefined {
  const text = datagram.toString('utf8')
  const headEnd = text.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const [startLine = '', ...lines] = text.slice(0, headEnd).split(/\r\n(?![ \t])/)
  const headers = lines.map((line): Header => {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).trim().toLowerCase()
    return [longNames[name] ?? name, line.slice(colon + 1).trim()]
  })
  const body = text.slice(headEnd + 4)
  const response = /^SIP\/2\.0 (\d{3}) ?(.*)$/.exec(startLine)
  if (response) return { kind: 'response', status: Number(response[1]), reason: response[2] ?? '', headers, body }
  const request = /^([A-Z]+) (\S+) SIP\/2\.0$/.exec(startLine)
  if (request) return { kind: 'request', method: request[1] ?? '', uri: request[2] ?? '', headers, body }
  return undefined
}

export function formatMessage (message: SipMessage): Buffer {
  const startLine = message.kind === 'request'
    ? `${message.method} ${message.uri} SIP/2.0`
    : `SIP/2.0 ${message.status} ${message.reason}`
  const body = Buffer.from(message.body)
  const headers: Header[] = [...message.headers.filter(([name]) => name.toLowerCase() !== 'content-length'), ['Content-Length', String(body.length)]]
  return Buffer.concat([Buffer.from([startLine, ...headers.map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n')), body])
}

/** The first header of that name. */
export function header (message: SipMessage, name: string): string | undefined {
  return message.headers.find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1]
}

/** The first header of that name, which the peer is bound to send. */
export function requireHeader (message: SipMessage, name: string): string {
  const value = header(message, name)
  if (value === undefined) throw new Error(`SIP message without ${name}`)
  return value
}

export function headers (message: SipMessage, name: string): string[] {
  return message.headers.filter(([key]) => key.toLowerCase() === name.toLowerCase()).map(([, value]) => value)
}

export function branchOf (message: SipMessage): string {
  return /;\s*branch=([^;,\s]+)/i.exec(requireHeader(message, 'via'))?.[1] ?? ''
}

export function cseqOf (message: SipMessage): { number: number, method: string } {
  const [number, method] = requireHeader(message, 'cseq').split(/\s+/)
  return { number: Number(number), method: method ?? '' }
}

/** Reads `"Name" <sip:user@host>;tag=x`. */
export function parseAddress (value: string): { displayName: string, uri: string, user: string, tag: string | undefined } {
  const bracketed = /^(.*?)<([^>]+)>(.*)$/.exec(value)
  const uri = bracketed?.[2] ?? value.split(';')[0] ?? ''
  const parameters = bracketed?.[3] ?? value.slice(uri.length)
  const displayName = (bracketed?.[1] ?? '').trim().replace(/^"(.*)"$/, '$1').replace(/\\(.)/g, '$1')
  return { displayName, uri, user: /^sips?:([^@;]+)@/.exec(uri)?.[1] ?? '', tag: /;\s*tag=([^;\s]+)/.exec(parameters)?.[1] }
}

export function formatAddress (displayName: string | undefined, uri: string): string {
  return displayName === undefined ? `<${uri}>` : `"${displayName.replace(/(["\\])/g, '\\$1')}" <${uri}>`
}

/** An unguessable-enough token for tags, branches and Call-IDs. */
export function newToken (): string {
  return randomBytes(12).toString('hex')
}

const md5 = (text: string) => createHash('md5').update(text).digest('hex')

/** The (Proxy-)Authorization header that answers a 401 or 407 digest challenge. */
export function answerChallenge (challenge: SipResponse, request: { method: string, uri: string }, account: { username: string, password: string }): Header {
  const isProxy = challenge.status === 407
  const value = requireHeader(challenge, isProxy ? 'proxy-authenticate' : 'www-authenticate')
  const given = Object.fromEntries([...value.matchAll(/(\w+)=(?:"([^"]*)"|([^\s,]+))/g)].map(([, key, quoted, bare]) => [key?.toLowerCase(), quoted ?? bare ?? '']))
  const { realm = '', nonce = '', opaque, qop } = given
  const ha1 = md5(`${account.username}:${realm}:${account.password}`)
  const ha2 = md5(`${request.method}:${request.uri}`)
  const parts = [`username="${account.username}"`, `realm="${realm}"`, `nonce="${nonce}"`, `uri="${request.uri}"`, 'algorithm=MD5']
  if (qop === undefined) {
    parts.push(`response="${md5(`${ha1}:${nonce}:${ha2}`)}"`)
  } else {
    const cnonce = newToken()
    parts.push('qop=auth', 'nc=00000001', `cnonce="${cnonce}"`, `response="${md5(`${ha1}:${nonce}:00000001:${cnonce}:auth:${ha2}`)}"`)
  }
  if (opaque !== undefined) parts.push(`opaque="${opaque}"`)
  return [isProxy ? 'Proxy-Authorization' : 'Authorization', `Digest ${parts.join(', ')}`]
}
