import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Stack } from '@tacet/contracts'
import { createHttpClient, eventually } from '@tacet/test-kit'
import type { HttpAnswer, HttpClient } from '@tacet/test-kit'
import pg from 'pg'
import { z } from 'zod'
import { Failure } from '../system/failure.ts'
import { writePrivately } from '../system/files.ts'

const companyId = '01990000-0000-7000-8000-000000000001'
const numberIdOf = (index: number): string => `01990000-0000-7000-8000-0000000020${String(index).padStart(2, '0')}`
const company = {
  name: 'Example Ltd',
  timeZone: 'Europe/London',
  recording: { inbound: 'on', outbound: 'on', internal: 'on' },
  agentInitiatedPause: 'allow',
}

type Versioned = { id: string, version: number }
const keptSchema = z.array(z.object({ credentialId: z.string(), agentId: z.string().nullable(), kind: z.enum(['api-token', 'device-token']), token: z.string() }))
type Kept = z.infer<typeof keptSchema>[number]

/**
 * Gives the demo its company, numbers, agents and tokens; returns the address book with them.
 * Settings that somebody changed are put back; tokens are made once and kept in `dataDir`, since only their hashes are stored elsewhere.
 */
export async function seedDemo (stack: Stack, { dataDir, signal }: { dataDir: string, signal: AbortSignal }): Promise<Stack> {
  const { settings, callControl, assembly, operatorToken } = stack
  if (!settings || !callControl || !assembly || !operatorToken) throw new Error('the demo needs the services')
  const asOperator = createHttpClient(settings.url, { token: operatorToken })
  const versions = [await put(asOperator, `/v1/companies/${companyId}`, companyId, company)]
  for (const [index, { e164, label }] of stack.numbers.entries()) {
    const id = numberIdOf(index + 1)
    versions.push(await put(asOperator, `/v1/companies/${companyId}/numbers/${id}`, id, { number: e164, label }))
  }
  for (const { agentId, name, endpoint } of stack.agents) {
    versions.push(await put(asOperator, `/v1/companies/${companyId}/agents/${agentId}`, agentId, { name, endpoints: [endpoint] }))
  }
  const tokens = await keepTokens(asOperator, stack, join(dataDir, 'demo-tokens.json'))
  const tokenOf = (agentId: string | null, kind: Kept['kind']): string | undefined =>
    tokens.find((kept) => kept.agentId === agentId && kept.kind === kind)?.token
  const agents = stack.agents.map((agent) => ({
    ...agent, apiToken: tokenOf(agent.agentId, 'api-token'), deviceToken: tokenOf(agent.agentId, 'device-token'),
  }))
  const adminToken = tokenOf(null, 'api-token') ?? ''
  await arrival(stack, versions, [adminToken, ...agents.map(({ apiToken }) => apiToken ?? '')], signal)
  return { ...stack, companyId, agents, adminToken }
}

async function put (asOperator: HttpClient, path: string, id: string, body: object): Promise<Versioned> {
  const answer = await asOperator(path, { method: 'PUT', body })
  return { id, version: z.object({ version: z.int() }).parse(bodyOf(answer, path)).version }
}

/** The tokens of last time where the settings still know them, new ones otherwise. */
async function keepTokens (asOperator: HttpClient, stack: Stack, file: string): Promise<Kept[]> {
  const path = `/v1/companies/${companyId}/credentials`
  const { items } = z.object({ items: z.array(z.object({ credentialId: z.string(), revokedAt: z.string().nullable() })) }).parse(bodyOf(await asOperator(path), path))
  const valid = new Set(items.filter(({ revokedAt }) => revokedAt === null).map(({ credentialId }) => credentialId))
  const kept = readKept(file).filter(({ credentialId }) => valid.has(credentialId))
  const wanted = stack.agents.flatMap(({ agentId, name }) => [
    { kind: 'api-token', agentId, label: `${name}, REST`, roles: ['agent'] },
    { kind: 'device-token', agentId, label: `${name}, phone`, roles: ['agent'] },
  ])
  for (const credential of [...wanted, { kind: 'api-token', label: 'Owner', roles: ['owner'] }]) {
    const agentId = 'agentId' in credential ? credential.agentId : null
    if (kept.some((one) => one.agentId === agentId && one.kind === credential.kind)) continue
    kept.push(keptSchema.element.parse(bodyOf(await asOperator(path, { body: credential }), path)))
  }
  writePrivately(file, JSON.stringify(kept, null, 2))
  return kept
}

function readKept (file: string): Kept[] {
  try {
    return keptSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return [] // the first time
  }
}

/** Settings and credentials reach the other services by Kafka. Only call-control's own copy tells which version it has: looked up as call-control itself. */
async function arrival ({ postgres, callControl, assembly }: Stack, versions: Versioned[], tokens: string[], signal: AbortSignal): Promise<void> {
  const client = new pg.Client({ connectionString: postgres.roles.call_control })
  await client.connect()
  try {
    await eventually(async () => {
      signal.throwIfAborted()
      const { rows } = await client.query<{ entity_id: string, version: string }>('select entity_id, version from call_control.replica')
      const stored = new Map(rows.map((row) => [row.entity_id, Number(row.version)]))
      return versions.every(({ id, version }) => (stored.get(id) ?? 0) >= version)
    }, { timeoutMs: 30_000, message: 'the settings did not reach call-control' })
  } finally {
    await client.end()
  }
  await eventually(async () => {
    signal.throwIfAborted()
    const answers = await Promise.all(tokens.flatMap((token) => [
      createHttpClient(callControl?.url ?? '', { token })('/v1/calls'),
      createHttpClient(assembly?.url ?? '', { token })('/v1/recordings'),
    ]))
    return answers.every(({ status }) => status === 200)
  }, { timeoutMs: 30_000, message: 'the tokens did not reach call-control and recording-assembly' })
}

function bodyOf ({ status, body }: HttpAnswer, path: string): unknown {
  if (status >= 300) throw new Failure(`The settings service answered ${status} to ${path}: ${JSON.stringify(body)}`)
  return body
}
