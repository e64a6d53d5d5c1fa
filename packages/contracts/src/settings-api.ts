import { z } from 'zod'
import { directionSchema, idSchema, levelSchema, lineSchema, timestampSchema } from './primitives.ts'
import {
  agentFieldsSchema, agentSchema, companyFieldsSchema, companySchema, credentialKinds, credentialSchema, numberFieldsSchema, numberSchema, roleSchema, roles,
  telephoneNumberSchema,
} from './settings.ts'

export const listOf = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item) })

export const putCompanySchema = companyFieldsSchema.strict().meta({ id: 'CompanyFields' })
export const putNumberSchema = numberFieldsSchema.strict().meta({ id: 'NumberFields' })
export const putAgentSchema = agentFieldsSchema.strict().meta({ id: 'AgentFields' })
export const companyListSchema = listOf(companySchema)
export const numberListSchema = listOf(numberSchema)
export const agentListSchema = listOf(agentSchema)

export const createCredentialSchema = z.object({
  kind: z.enum(credentialKinds),
  agentId: idSchema.nullable().default(null),
  label: lineSchema(120).default(''),
  roles: z.array(roleSchema).min(1).max(roles.length),
  expiresAt: timestampSchema.nullable().default(null),
}).strict().refine(({ kind, roles, agentId }) => agentId !== null || (kind === 'api-token' && !roles.includes('agent')), {
  path: ['agentId'], message: 'the agent whom this credential is for',
}).meta({ id: 'CredentialFields' })

const { hash: _, ...publicCredential } = credentialSchema.shape
export const credentialViewSchema = z.object(publicCredential).meta({ id: 'Credential' })
export const credentialListSchema = listOf(credentialViewSchema)
/** The only time the token is shown. */
export const createdCredentialSchema = credentialViewSchema.extend({ token: z.string() }).meta({ id: 'CreatedCredential' })

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
  /** The number itself or its id. In a query an unescaped + arrives as a space. */
  number: z.string().overwrite(text => text.replace(/^ /, '+')).pipe(z.union([telephoneNumberSchema, idSchema])).optional(),
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
