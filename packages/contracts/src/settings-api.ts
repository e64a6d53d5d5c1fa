import { z } from 'zod'
import { auditEntrySchema } from './events.ts'
import { directionSchema, idSchema, levelSchema, lineSchema, timestampSchema } from './primitives.ts'
import {
  accessSchema, agentFieldsSchema, agentSchema, claimNamesSchema, companyFieldsSchema, companySchema, credentialKinds, credentialSchema, endpointNameSchema, inheritedAccessSchema,
  keySetSchema, numberFieldsSchema, numberSchema, personRoleSchema, publicKeySchema, roleNamesSchema, roleSchema, roles, scopes, scopeSchema, telephoneNumberSchema,
} from './settings.ts'

export const listOf = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item) })

/** One page of a list; `nextCursor` asks for the next one, null says that there is none. */
export const pageOf = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item), nextCursor: z.string().nullable() })

export const pageQuerySchema = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(100),
  /** `nextCursor` of the page before. */
  cursor: z.string().min(1).max(1_000).optional(),
})
const searchQuerySchema = pageQuerySchema.extend({
  /** Part of a name, label, number, address or endpoint; the case does not matter. */
  q: lineSchema(120).min(1).optional(),
})
export const companyQuerySchema = searchQuerySchema.extend({ agentInitiatedPause: accessSchema.optional() })
export const numberQuerySchema = searchQuerySchema.extend({ agentInitiatedPause: inheritedAccessSchema.optional() })
export const agentQuerySchema = searchQuerySchema.extend({ agentInitiatedPause: inheritedAccessSchema.optional(), endpoint: endpointNameSchema.optional(), role: personRoleSchema.optional() })
export const credentialQuerySchema = searchQuerySchema.extend({
  kind: z.enum(credentialKinds).optional(),
  agentId: idSchema.toLowerCase().optional(),
  state: z.enum(['active', 'expired', 'revoked']).optional(),
})
export const endpointQuerySchema = searchQuerySchema.extend({ companyId: idSchema.toLowerCase().optional() })

/** As people write them, `+420 123 456 789`; kept without the spaces. */
const telephoneInputSchema = z.string().max(60).overwrite(text => text.replaceAll(/[\s()./-]/g, '')).pipe(telephoneNumberSchema)

export const putCompanySchema = companyFieldsSchema.strict().meta({ id: 'CompanyFields' })
export const putNumberSchema = numberFieldsSchema.extend({ number: telephoneInputSchema }).strict().meta({ id: 'NumberFields' })
export const putAgentSchema = agentFieldsSchema.strict().meta({ id: 'AgentFields' })
export const companyListSchema = pageOf(companySchema)
export const numberListSchema = pageOf(numberSchema)
export const agentListSchema = pageOf(agentSchema)

/** RFC 7396: what is named is replaced, null puts the default back, what is not named stays. */
export const mergePatchSchema = z.record(z.string(), z.unknown()).meta({ id: 'MergePatch', description: 'RFC 7396: what is named is replaced, null puts the default back, what is not named stays.' })

/** An endpoint of the PBX, the company it is assigned to and the agent who uses it. */
export const endpointSchema = z.object({ endpoint: endpointNameSchema, companyId: idSchema, agentId: idSchema.nullable() }).meta({ id: 'Endpoint' })
export const putEndpointSchema = z.object({ companyId: idSchema.toLowerCase() }).strict().meta({ id: 'EndpointFields' })
export const endpointListSchema = pageOf(endpointSchema)
export type Endpoint = z.infer<typeof endpointSchema>

export const createCredentialSchema = z.object({
  kind: z.enum(credentialKinds),
  agentId: idSchema.nullable().default(null),
  label: lineSchema(120).default(''),
  roles: z.array(roleSchema).min(1).max(roles.length),
  /** For the role `service`: what it may do. */
  scopes: z.array(scopeSchema).max(scopes.length).default([]),
  expiresAt: timestampSchema.nullable().default(null),
}).strict().refine(({ kind, roles, agentId }) => agentId !== null || (kind === 'api-token' && !roles.includes('agent')), {
  path: ['agentId'], message: 'the agent whom this credential is for',
}).refine(({ kind, roles }) => kind === 'api-token' || (roles.length === 1 && roles[0] === 'agent'), {
  path: ['roles'], message: 'a device is an agent\'s and nothing more',
}).refine(({ roles, scopes }) => roles.includes('service') || scopes.length === 0, {
  path: ['scopes'], message: 'scopes are for the role service',
}).meta({ id: 'CredentialFields' })

/** What of a credential may change; for other roles somebody makes another. */
export const credentialChangesSchema = z.object({ label: lineSchema(120).default(''), expiresAt: timestampSchema.nullable().default(null) }).strict()

const { hash: _, ...publicCredential } = credentialSchema.shape
export const credentialViewSchema = z.object({
  ...publicCredential,
  scopes: z.array(scopeSchema),
  /** The first characters of the token. */
  prefix: z.string(),
}).meta({ id: 'Credential' })
export const credentialListSchema = pageOf(credentialViewSchema)
/** The only time the token is shown. */
export const createdCredentialSchema = credentialViewSchema.extend({ token: z.string() }).meta({ id: 'CreatedCredential' })

export const issuedTokenSchema = z.object({ token: z.string(), tokenType: z.literal('Bearer'), expiresAt: timestampSchema }).meta({ id: 'IssuedToken' })
export const jwksSchema = z.object({ keys: z.array(publicKeySchema) }).meta({ id: 'Jwks' })

/** A company's own identity provider: whose JWTs are accepted (made out to `tacet:<companyId>`), and how they name agents and roles. */
export const putIdentityProviderSchema = z.object({
  issuer: lineSchema(300).min(1),
  /** The operator allows from where keys may be fetched. */
  jwksUrl: z.url({ protocol: /^https?$/ }).max(500),
  claims: claimNamesSchema.default({ agentId: 'tacet_agent_id', roles: 'tacet_roles' }),
  roles: roleNamesSchema.default({}),
}).strict().meta({ id: 'IdentityProviderFields' })
export const identityProviderSchema = keySetSchema.omit({ companyId: true }).extend({
  companyId: idSchema,
  /** `tacet:<companyId>`: what the provider must put into `aud`. */
  audience: z.string(),
  jwksUrl: z.string(),
  fetchedAt: timestampSchema,
  /** Why the keys could not be fetched the last time; the ones from before go on to count. */
  lastError: z.string().nullable(),
}).meta({ id: 'IdentityProvider' })
export type IdentityProvider = z.infer<typeof identityProviderSchema>

/** One step of a decision, most specific level first. */
export const ruleStepSchema = z.object({ level: levelSchema, value: z.string(), isLocked: z.boolean() })
export const decisionSchema = z.object({
  value: z.string(),
  decidedBy: levelSchema,
  isLocked: z.boolean(),
  chain: z.array(ruleStepSchema),
}).meta({ id: 'Decision' })
export const explainQuerySchema = z.object({
  agent: idSchema,
  /** The number itself, as people or trunks write it, or its id. In a query an unescaped + arrives as a space. */
  number: z.string().overwrite(text => text.replace(/^ /, '+')).pipe(z.union([idSchema, telephoneInputSchema])).optional(),
  direction: directionSchema,
  peerAgent: idSchema.optional(),
})
export const explanationSchema = z.object({
  recording: decisionSchema,
  agentInitiatedPause: decisionSchema,
  /** For internal calls: what the two agents' rules make together. */
  effective: z.object({ isRecorded: z.boolean(), mayPause: z.boolean() }),
  peer: z.object({ recording: decisionSchema, agentInitiatedPause: decisionSchema }).nullable(),
}).meta({ id: 'Explanation' })
export type Decision = z.infer<typeof decisionSchema>
export type Explanation = z.infer<typeof explanationSchema>

const auditFilters = {
  /** One company's; for the operator, who otherwise sees all. */
  companyId: idSchema.toLowerCase().optional(),
  /** How the action begins, e.g. `agent.` or `recording.pause`. */
  action: lineSchema(100).min(1).optional(),
  outcome: auditEntrySchema.shape.outcome.optional(),
  agentId: idSchema.toLowerCase().optional(),
  credentialId: idSchema.toLowerCase().optional(),
  callId: idSchema.toLowerCase().optional(),
  from: timestampSchema.optional(),
  /** Not included itself. */
  to: timestampSchema.optional(),
}
export const auditExportQuerySchema = z.object(auditFilters)
export const auditQuerySchema = pageQuerySchema.extend(auditFilters)
/** `seq` and `hash`: its place in the chain of its company. */
export const chainedEntrySchema = auditEntrySchema.extend({ seq: z.int().positive(), hash: z.string() }).meta({ id: 'AuditEntry' })
export const auditPageSchema = pageOf(chainedEntrySchema)
export const auditVerificationSchema = z.object({
  isIntact: z.boolean(),
  chains: z.array(z.object({
    /** The company, or `operator`. */
    chain: z.string(),
    entries: z.int(),
    isIntact: z.boolean(),
    /** `auditId` is null where an entry is missing. */
    firstTampered: z.object({ seq: z.int(), auditId: idSchema.nullable(), kind: z.enum(['missing', 'previous-hash', 'hash', 'columns', 'truncated']) }).nullable(),
  })),
}).meta({ id: 'AuditVerification' })

export const importQuerySchema = z.object({
  /** Tries everything and keeps nothing. */
  dryRun: z.enum(['true', 'false']).default('false'),
})
export const importReportSchema = z.object({
  isDryRun: z.boolean(),
  rows: z.int(),
  created: z.int(),
  updated: z.int(),
  unchanged: z.int(),
  /** By line of the file, the header being the first; at most about a hundred. */
  errors: z.array(z.object({ line: z.int(), code: z.string(), field: z.string(), message: z.string() })),
}).meta({ id: 'ImportReport' })
export type ImportReport = z.infer<typeof importReportSchema>
