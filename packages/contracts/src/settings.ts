import { z } from 'zod'
import type { directions } from './primitives.ts'
import { idSchema, lineSchema, timestampSchema } from './primitives.ts'

const byDirection = <T extends z.ZodType>(value: T) =>
  z.object({ inbound: value, outbound: value, internal: value } satisfies Record<typeof directions[number], T>)

export const switchSchema = z.enum(['on', 'off'])
export const inheritedSwitchSchema = z.enum(['inherit', 'on', 'off'])
export const accessSchema = z.enum(['allow', 'deny'])
export const inheritedAccessSchema = z.enum(['inherit', 'allow', 'deny'])
export type Switch = z.infer<typeof switchSchema>
export type InheritedSwitch = z.infer<typeof inheritedSwitchSchema>
export type Access = z.infer<typeof accessSchema>
export type InheritedAccess = z.infer<typeof inheritedAccessSchema>

export const recordingDefaultSchema = byDirection(switchSchema)
export const recordingOverrideSchema = byDirection(inheritedSwitchSchema)

export const inheritEverywhere = { inbound: 'inherit', outbound: 'inherit', internal: 'inherit' } as const

/** An extension or E.164 number, digits with an optional leading +. */
export const telephoneNumberSchema = z.string().regex(/^\+?[0-9]{2,15}$/, 'digits with an optional leading +')

/** Technology and resource as Asterisk names them, e.g. `PJSIP/1001`. */
export const endpointNameSchema = z.string().regex(/^[A-Za-z0-9]+\/[A-Za-z0-9_.@+-]{1,80}$/, 'technology/resource, e.g. PJSIP/1001')

/** IANA name, e.g. `Europe/Prague`. */
export const timeZoneSchema = z.string().max(60).refine(isTimeZone, 'an IANA time zone, e.g. Europe/Prague')

function isTimeZone (name: string): boolean {
  try {
    return /^[A-Za-z]/.test(name) && new Intl.DateTimeFormat('en', { timeZone: name }) !== null
  } catch {
    return false
  }
}

export const gapModeSchema = z.enum(['remove', 'silence', 'tone'])
export type GapMode = z.infer<typeof gapModeSchema>
export const afterLongestPauseSchema = z.enum(['none', 'remind', 'resume'])
export type AfterLongestPause = z.infer<typeof afterLongestPauseSchema>

export const recordingChannelsSchema = z.enum(['mono', 'stereo'])
export type RecordingChannels = z.infer<typeof recordingChannelsSchema>
export const outputFormatSchema = z.enum(['opus', 'mp3', 'flac'])
export type OutputFormat = z.infer<typeof outputFormatSchema>

/** What a company wants of its finished recordings; frozen into a call, and carried to assembly by its manifest. */
const finishedRecordingFields = {
  /** What the recording has where it was stopped: nothing, silence as long as the gap, or a short tone. */
  gaps: gapModeSchema.default('remove'),
  /** Shorter recordings are not kept. */
  minimumLengthMs: z.int().min(0).max(3_600_000).default(0),
  /** null: recordings are kept until somebody deletes them. */
  retentionDays: z.int().min(1).max(36_500).nullable().default(null),
  /** `stereo`: the customer on the left, the agent on the right. */
  recordingChannels: recordingChannelsSchema.default('mono'),
  /** Beside the WAV file. */
  outputFormats: z.array(outputFormatSchema).max(outputFormatSchema.options.length).refine(formats => new Set(formats).size === formats.length, 'the same format twice').default([]),
}
/** Manifests from before these settings travelled with them have the defaults. */
export const finishedRecordingSettingsSchema = z.object(finishedRecordingFields).prefault({})
export type FinishedRecordingSettings = z.infer<typeof finishedRecordingSettingsSchema>

/** Fields added since the first version have defaults, so that older events stay readable. */
export const companyFieldsSchema = z.object({
  name: lineSchema(120).min(1),
  timeZone: timeZoneSchema.default('UTC'),
  recording: recordingDefaultSchema,
  agentInitiatedPause: accessSchema,
  /** A locked setting ignores what numbers and agents say. */
  locks: z.object({ recording: z.boolean(), agentInitiatedPause: z.boolean() }).default({ recording: false, agentInitiatedPause: false }),
  /** `stop`: only the part before a transfer is saved. */
  transfers: z.enum(['stop', 'continue']).default('stop'),
  ...finishedRecordingFields,
  /** How long the recording may stay stopped before `afterLongestPause` happens. */
  longestPauseMs: z.int().min(1_000).max(86_400_000).default(600_000),
  /** `remind` tells the agents; `resume` starts the recording again. */
  afterLongestPause: afterLongestPauseSchema.default('none'),
  /** ISO 3166 code of the country whose national numbers may be given without +. */
  country: z.string().regex(/^[A-Z]{2}$/, 'two capital letters, e.g. CZ').nullable().default(null),
})

export const numberFieldsSchema = z.object({
  number: telephoneNumberSchema,
  label: lineSchema(120).default(''),
  recording: recordingOverrideSchema.default(inheritEverywhere),
  agentInitiatedPause: inheritedAccessSchema.default('inherit'),
})

export const roles = ['owner', 'admin', 'supervisor', 'agent', 'service'] as const
export const roleSchema = z.enum(roles)
export type Role = z.infer<typeof roleSchema>
/** What a person may be; `service` is for programs. */
export const personRoleSchema = roleSchema.exclude(['service'])

/** What a credential with the role `service` may do; people have roles. */
export const scopes = ['settings:read', 'settings:write', 'audit:read', 'calls:read', 'recordings:control', 'recordings:read', 'recordings:manage'] as const
export const scopeSchema = z.enum(scopes)
export type Scope = z.infer<typeof scopeSchema>

export const agentFieldsSchema = z.object({
  name: lineSchema(120).min(1),
  email: z.email().max(200).optional(),
  endpoints: z.array(endpointNameSchema).max(10).refine(names => new Set(names).size === names.length, 'the same endpoint twice').default([]),
  /** The most that this agent's keys may be. */
  roles: z.array(personRoleSchema).min(1).max(personRoleSchema.options.length).refine(names => new Set(names).size === names.length, 'the same role twice').default(['agent']),
  recording: recordingOverrideSchema.default(inheritEverywhere),
  agentInitiatedPause: inheritedAccessSchema.default('inherit'),
})

const versioned = { version: z.int().positive() }
export const companySchema = companyFieldsSchema.extend({ companyId: idSchema, ...versioned }).meta({ id: 'Company' })
export const numberSchema = numberFieldsSchema.extend({ numberId: idSchema, companyId: idSchema, ...versioned }).meta({ id: 'Number' })
export const agentSchema = agentFieldsSchema.extend({ agentId: idSchema, companyId: idSchema, ...versioned }).meta({ id: 'Agent' })
export type Company = z.infer<typeof companySchema>
export type PhoneNumber = z.infer<typeof numberSchema>
export type Agent = z.infer<typeof agentSchema>

export const credentialKinds = ['api-token', 'device-token'] as const
/** What services know of a token: its SHA-256, never the token. */
export const credentialSchema = z.object({
  credentialId: idSchema,
  /** null: the operator, who may act for every company. */
  companyId: idSchema.nullable(),
  agentId: idSchema.nullable(),
  kind: z.enum(credentialKinds),
  label: z.string().max(120),
  roles: z.array(roleSchema),
  /** Absent in credentials from before there were scopes. */
  scopes: z.array(scopeSchema).optional(),
  /** Lower-case hex SHA-256 of the token. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  expiresAt: timestampSchema.nullable(),
  revokedAt: timestampSchema.nullable(),
  ...versioned,
})
export type Credential = z.infer<typeof credentialSchema>

const keyFields = {
  kid: z.string().max(200).optional(),
  /** From then on nothing that it signed is believed; absent while somebody signs with it. */
  usableUntil: timestampSchema.optional(),
}
/** A public key as in RFC 7517; private members are dropped when it is read. */
export const publicKeySchema = z.discriminatedUnion('kty', [
  z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: z.string().max(100), y: z.string().max(100), ...keyFields }),
  z.object({ kty: z.literal('RSA'), n: z.string().max(2_000), e: z.string().max(20), ...keyFields }),
])
export type PublicKey = z.infer<typeof publicKeySchema>

/** Those of the keys whose signatures are believed now. */
export const usableKeys = (keys: readonly PublicKey[], nowMs: number): PublicKey[] =>
  keys.filter(({ usableUntil }) => usableUntil === undefined || Date.parse(usableUntil) > nowMs)

/** Where a company's identity provider says who somebody is. */
export const claimNamesSchema = z.object({
  /** The claim with the id of the agent. */
  agentId: z.string().min(1).max(200).default('tacet_agent_id'),
  /** The claim with one or several roles. */
  roles: z.string().min(1).max(200).default('tacet_roles'),
})
/** What a value of the roles' claim means here; Tacet's own names mean themselves. */
export const roleNamesSchema = z.record(z.string().max(200), roleSchema).refine(names => Object.keys(names).length <= 100, 'at most 100')

/** The keys by which the JWTs of one issuer are verified. */
export const keySetSchema = z.object({
  keySetId: idSchema,
  /** null: Tacet's own tokens, which stand for a credential. Else whoever they name belongs to this company. */
  companyId: idSchema.nullable(),
  issuer: z.string(),
  audience: z.string(),
  keys: z.array(publicKeySchema),
  claims: claimNamesSchema,
  roles: roleNamesSchema,
  ...versioned,
})
export type KeySet = z.infer<typeof keySetSchema>

/** Whom a JWT for a company must be made out to. It is ours to give, so that no token means somebody in two companies. */
export const audienceOfCompany = (companyId: string): string => `tacet:${companyId}`

/** The subject of the operator's JWTs, who has no credential. */
export const operatorSubject = '00000000-0000-4000-8000-000000000000'
