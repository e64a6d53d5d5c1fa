import type { Test } from 'tap'
import type { Credential } from '@tacet/contracts'
import { createAuthenticator, createLogger, hashToken, type HttpApp } from '@tacet/service-kit'
import { createCallControlApp } from '../../src/http/app.ts'
import { messageOf } from '../../src/usecases/audit-attempt.ts'
import type { PbxWatch } from '../../src/watch.ts'
import { createLab, type Lab, type LabOptions } from './lab.ts'
import { anna, ben, companyId, otherCompanyId } from './rules.ts'

export const tokens = {
  anna: 'anna-0123456789abcdefghijkl',
  ben: 'ben-0123456789abcdefghijkl',
  supervisor: 'supervisor-0123456789abcdefghijkl',
  stranger: 'stranger-0123456789abcdefghijkl',
  annasPhone: 'annas-phone-0123456789abcdef',
  bensPhone: 'bens-phone-0123456789abcdefg',
  revoked: 'revoked-0123456789abcdefghijkl',
  machine: 'machine-0123456789abcdefghijkl',
  reader: 'reader-0123456789abcdefghijkl',
  unscoped: 'unscoped-0123456789abcdefghijkl',
}

const credential = (index: number, token: string, fields: Partial<Credential>): Credential => ({
  credentialId: `e0000000-0000-4000-8000-00000000000${index}`,
  companyId,
  agentId: null,
  kind: 'api-token',
  label: '',
  roles: ['agent'],
  hash: hashToken(token),
  expiresAt: null,
  revokedAt: null,
  version: 1,
  ...fields,
})

const credentials = [
  credential(1, tokens.anna, { agentId: anna }),
  credential(2, tokens.ben, { agentId: ben }),
  credential(3, tokens.supervisor, { roles: ['supervisor'] }),
  credential(4, tokens.stranger, { roles: ['supervisor'], companyId: otherCompanyId }),
  credential(5, tokens.annasPhone, { agentId: anna, kind: 'device-token' }),
  credential(6, tokens.bensPhone, { agentId: ben, kind: 'device-token' }),
  credential(7, tokens.revoked, { agentId: anna, revokedAt: '2026-01-01T00:00:00.000Z' }),
  credential(8, tokens.machine, { roles: ['service'], scopes: ['recordings:control'] }),
  credential(9, tokens.reader, { roles: ['service'], scopes: ['calls:read'] }),
  { ...credential(0, tokens.unscoped, { roles: ['service'] }), credentialId: 'e0000000-0000-4000-8000-000000000010' },
]

type Source = Parameters<typeof createAuthenticator>[0]
const source = { list: (type: string) => type === 'credential.changed' ? credentials : [], onChange: () => () => {} } as unknown as Source

export interface Request { method?: 'GET' | 'POST', url: string, token?: string, headers?: Record<string, string>, body?: unknown }
export interface Answer { status: number, headers: Record<string, unknown>, text: string, body: any }

/** The service's HTTP app on a lab. `send` lets time pass until the answer is there. */
export async function createHttpLab (t: Test, options: LabOptions & { watch?: () => PbxWatch, rateLimitPerMinute?: number } = {}): Promise<{ lab: Lab, app: HttpApp, send: (request: Request) => Promise<Answer> }> {
  const lab = createLab(options)
  const app = await createCallControlApp({
    commands: lab.commands,
    authenticator: createAuthenticator(source),
    watch: options.watch ?? (() => ({ follower: lab.follower }) as PbxWatch),
    appendAudit: entry => lab.callStore.announce(messageOf(entry, lab.newId())),
    clock: lab.time.now,
    logger: createLogger({ name: 'test', level: 'silent' }),
    ...(options.rateLimitPerMinute !== undefined && { rateLimitPerMinute: options.rateLimitPerMinute }),
  })
  t.teardown(() => app.close())

  async function send ({ method, url, token, headers, body }: Request): Promise<Answer> {
    const state: { answer?: Answer } = {}
    const sent = app.inject({
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      url,
      headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
    }).then(({ statusCode, headers, body: text }) => {
      state.answer = { status: statusCode, headers, text, body: String(headers['content-type']).includes('json') ? JSON.parse(text) : undefined }
    })
    for (let turn = 0; turn < 200 && !state.answer; turn += 1) await lab.time.advance(turn < 20 ? 0 : 20)
    await sent
    return state.answer!
  }
  return { lab, app, send }
}
