import { auditExportQuerySchema, auditPageSchema, auditQuerySchema, auditVerificationSchema, problem } from '@tacet/contracts'
import type { HttpApp } from '@tacet/service-kit'
import { z } from 'zod'
import { isAllowed, isOperator, type Caller } from '../../domain/caller.ts'
import { asText } from '../../domain/csv-rows.ts'
import { localTime } from '../../domain/local-time.ts'
import type { AuditFilter, ChainedEntry } from '../../usecases/ports.ts'
import type { AppDependencies } from '../app.ts'
import { callerOf, requireAccess } from '../authentication.ts'
import { sendCsv } from '../csv.ts'
import { described, errors } from '../schemas.ts'

const tag = 'audit'
const csvColumns = ['seq', 'at', 'localTime', 'action', 'outcome', 'code', 'actorKind', 'agentId', 'credentialId', 'address', 'deviceKind', 'deviceLabel', 'userAgent', 'callId', 'requestedAt', 'effectiveAt', 'companyId', 'auditId', 'detail', 'hash']
const verifyQuerySchema = auditExportQuerySchema.pick({ companyId: true })

/** Whose entries this caller may see; null: everybody's. */
function chainsFor (caller: Caller, companyId: string | undefined): string[] | null {
  if (companyId !== undefined) requireAccess(caller, companyId, 'audit')
  else if (!isOperator(caller) && !isAllowed(caller, 'audit')) throw problem('forbidden')
  const chain = companyId ?? caller.companyId
  return chain === null ? null : [chain]
}

function filterOf (caller: Caller, { companyId, ...filter }: z.output<typeof auditExportQuerySchema>): AuditFilter {
  return { ...filter, chains: chainsFor(caller, companyId) }
}

export function auditRoutes (app: HttpApp, { auditLog, store }: AppDependencies): void {
  app.get('/audit', {
    schema: { ...described('The audit log, newest first', tag), querystring: auditQuerySchema, response: { 200: auditPageSchema, ...errors('not-found') } },
  }, async request => {
    const { limit, cursor, ...query } = request.query
    return await auditLog.list(filterOf(callerOf(request), query), limit, cursor)
  })

  app.get('/audit/export', {
    schema: { ...described('The audit log as CSV, oldest first', tag), querystring: auditExportQuerySchema, produces: ['text/csv'], response: { 200: z.string().describe('CSV'), ...errors('not-found') } },
    serializerCompiler: () => data => data as string,
  }, async (request, reply) => {
    const filter = filterOf(callerOf(request), request.query)
    return await sendCsv(reply, 'audit.csv', csvColumns, rowsOf(auditLog.stream(filter), zoneOf(store)))
  })

  app.get('/audit/verify', {
    schema: { ...described('Whether the chains are as they were written, and the first place where not', tag), querystring: verifyQuerySchema, response: { 200: auditVerificationSchema, ...errors('not-found') } },
  }, async request => {
    const chains = await auditLog.verify(chainsFor(callerOf(request), request.query.companyId))
    return { isIntact: chains.every(({ isIntact }) => isIntact), chains }
  })
}

/** The time zone of a company, read once; UTC where there is none (any more). */
function zoneOf ({ companies }: AppDependencies['store']) {
  const zones = new Map<string | null, string>([[null, 'UTC']])
  return async (companyId: string | null): Promise<string> => {
    const zone = zones.get(companyId) ?? (await companies.find(companyId ?? ''))?.timeZone ?? 'UTC'
    zones.set(companyId, zone)
    return zone
  }
}

async function * rowsOf (entries: AsyncIterable<ChainedEntry>, zoneOf: (companyId: string | null) => Promise<string>) {
  for await (const { actor, detail, ...entry } of entries) {
    const { kind, agentId, credentialId, address, device } = actor
    const by = { deviceKind: device?.kind, deviceLabel: asText(device?.label ?? ''), userAgent: asText(device?.userAgent ?? '') }
    yield { ...entry, localTime: localTime(entry.at, await zoneOf(entry.companyId)), action: asText(entry.action), actorKind: kind, agentId, credentialId, address, ...by, detail: jsonAsText(detail) }
  }
}

/** JSON that no spreadsheet takes for a formula, and that still means the same: a semicolon stands only in its strings. */
const jsonAsText = (value: unknown): string =>
  JSON.stringify(value).replaceAll(/(; *)([=+\-@＝＋－＠])/gu, (_match, before: string, sign: string) => `${before}\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)
