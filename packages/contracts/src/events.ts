import { z } from 'zod'
import {
  directionSchema, endReasonSchema, idSchema, outcomeSchema, recordingStateSchema, silenceReasonSchema, timestampSchema,
} from './primitives.ts'
import { actorSchema, manifestSchema, segmentSchema, trackFileSchema } from './recording.ts'
import { agentSchema, companySchema, credentialSchema, keySetSchema, numberSchema } from './settings.ts'
import { topics } from './topics.ts'

/** Common to everything call-control says of a call. `seq` grows by one with each event of the call. */
const ofCall = { callId: idSchema, companyId: idSchema, seq: z.int().positive(), at: timestampSchema }

const ofRecording = {
  ...ofCall,
  recordingId: idSchema,
  state: recordingStateSchema,
  reasons: z.array(silenceReasonSchema),
}
const commanded = { commandId: idSchema.nullable(), by: actorSchema }

const callEvents = {
  'call.ringing': z.object({
    ...ofCall, direction: directionSchema, number: z.string().nullable(), customer: z.string().nullable(), agentIds: z.array(idSchema), sipCallIds: z.array(z.string()),
  }),
  'call.answered': z.object({
    ...ofCall, direction: directionSchema, number: z.string().nullable(), customer: z.string().nullable(), agentIds: z.array(idSchema), sipCallIds: z.array(z.string()),
  }),
  'call.agent-joined': z.object({ ...ofCall, agentId: idSchema, endpoint: z.string() }),
  'call.agent-left': z.object({ ...ofCall, agentId: idSchema, endpoint: z.string() }),
  'call.held': z.object({ ...ofCall, agentId: idSchema.nullable() }),
  'call.unheld': z.object({ ...ofCall, agentId: idSchema.nullable() }),
  'call.transferred': z.object({ ...ofCall, kind: z.enum(['blind', 'attended']), byAgentId: idSchema.nullable(), to: z.string().nullable() }),
  'call.joined': z.object({ ...ofCall, alias: idSchema }),
  'call.ended': z.object({ ...ofCall, reason: endReasonSchema }),
}

const recordingEvents = {
  'recording.started': z.object({ ...ofRecording, ...commanded, segment: z.int().positive() }),
  'recording.paused': z.object({ ...ofRecording, ...commanded }),
  'recording.resumed': z.object({ ...ofRecording, ...commanded, segment: z.int().positive() }),
  /** A reason for silence came or went without starting or stopping the recorder. */
  'recording.reasons-changed': z.object({ ...ofRecording, ...commanded }),
  /** It has been stopped for longer than the company wants: somebody should remind the agents. Said again each time as much time has passed. */
  'recording.pause-overdue': z.object({ ...ofRecording, pausedSince: timestampSchema, longestPauseMs: z.int().positive() }),
  /** A pause was asked for and nobody can prove that the recorder stopped: somebody should look. */
  'recording.unconfirmed': z.object({ ...ofRecording, ...commanded }),
  /** It should record and does not: somebody should look. */
  'recording.missing': z.object({ ...ofRecording, detail: z.string() }),
  'recording.ended': z.object({ ...ofRecording, endReason: endReasonSchema, manifest: manifestSchema }),
  'segment.opened': z.object({ ...ofCall, recordingId: idSchema, segment: z.int().positive(), tracks: z.array(trackFileSchema) }),
  'segment.closed': z.object({ ...ofCall, recordingId: idSchema, segment: segmentSchema }),
}

/** URLs, where recording-assembly was told its PUBLIC_URL; without it paths below wherever it is. */
const recordingLinksSchema = z.object({ recording: z.string(), audio: z.string().nullable(), timeline: z.string() })
const assembled = { recordingId: idSchema, callId: idSchema, companyId: idSchema, at: timestampSchema }
export const deletionCauseSchema = z.enum(['request', 'consent-withdrawn', 'retention'])
/** Who it was; both null: the company's own rules, or the operator. */
const ordererSchema = z.object({ credentialId: idSchema.nullable(), agentId: idSchema.nullable() })
const assemblyEvents = {
  'recording.assembling': z.object({ ...assembled, segments: z.int().nonnegative() }),
  'recording.assembled': z.object({
    ...assembled,
    outcome: outcomeSchema,
    reasons: z.array(z.object({ code: z.string(), detail: z.string() })),
    durationMs: z.number().nonnegative(),
    samples: z.int().nonnegative(),
    sha256: z.string().nullable(),
    gaps: z.int().nonnegative(),
    links: recordingLinksSchema,
  }),
  'recording.failed': z.object({ ...assembled, code: z.string(), detail: z.string() }),
  /** Nothing of it is left: neither here nor on the PBX. */
  'recording.deleted': z.object({ ...assembled, cause: deletionCauseSchema, orderedAt: timestampSchema, by: ordererSchema }),
  /** Something was cut out of it: this is the new version, and nothing is left of the older ones. */
  'recording.purged': z.object({
    ...assembled,
    purgeId: idSchema,
    version: z.int().positive(),
    orderedAt: timestampSchema,
    by: ordererSchema,
    durationMs: z.number().nonnegative(),
    samples: z.int().nonnegative(),
    sha256: z.string().nullable(),
    links: recordingLinksSchema,
  }),
  /** What should have been cut out of it was not, and nobody hears it until that is run again. */
  'recording.purge-failed': z.object({ ...assembled, purgeId: idSchema, orderedAt: timestampSchema, by: ordererSchema, code: z.string(), detail: z.string() }),
  /** Somebody listened to it or fetched it; once per sitting, however many requests that took. */
  'recording.accessed': z.object({ ...assembled, version: z.int().positive(), format: z.string(), use: z.enum(['listen', 'download']), via: z.enum(['token', 'link']), by: ordererSchema }),
}

const settingsEvents = {
  'company.changed': companySchema,
  'number.changed': numberSchema,
  'agent.changed': agentSchema,
}
const credentialEvents = {
  'credential.changed': credentialSchema,
  'jwks.changed': keySetSchema,
}

/** By what somebody asked. */
export const auditDeviceSchema = z.object({
  /** `api-token`, `device-token`, `operator-token`, `link`, or `unknown`. */
  kind: z.string(),
  /** What the key is called or begins with; of an identity provider's token, its subject. */
  label: z.string().nullable(),
  /** As the program calls itself, cut short. */
  userAgent: z.string().nullable(),
})
export type AuditDevice = z.infer<typeof auditDeviceSchema>

export const auditEntrySchema = z.object({
  auditId: idSchema,
  companyId: idSchema.nullable(),
  at: timestampSchema,
  /** What was attempted, e.g. `recording.pause`, `agent.update`. */
  action: z.string(),
  outcome: z.enum(['done', 'refused', 'failed']),
  /** The code of the refusal or failure. */
  code: z.string().nullable(),
  /** `kind`: `operator`, the strongest role of whoever asked, `link`, `unknown`; `machine` and `policy` are Tacet itself. */
  actor: z.object({
    kind: z.string(),
    credentialId: idSchema.nullable(),
    agentId: idSchema.nullable(),
    address: z.string().nullable(),
    /** Absent in older entries, and where nobody asked. */
    device: auditDeviceSchema.optional(),
  }),
  callId: idSchema.nullable(),
  requestedAt: timestampSchema,
  /** When it was done; null where it was not, or was only ordered: when that is done, or given up, is an entry of its own. */
  effectiveAt: timestampSchema.nullable(),
  /** Which rule decided, what was before and after: whatever explains the entry. */
  detail: z.record(z.string(), z.unknown()),
})
export type AuditEntry = z.infer<typeof auditEntrySchema>

/** Every event by topic and type: the one list from which everything else is derived. */
export const eventCatalogue = {
  [topics.calls]: { ...callEvents, ...recordingEvents },
  [topics.recordings]: assemblyEvents,
  [topics.settings]: settingsEvents,
  [topics.credentials]: credentialEvents,
  [topics.audit]: { 'audit.recorded': auditEntrySchema },
} as const

export type CallEventType = keyof typeof callEvents | keyof typeof recordingEvents
type CallSchemas = typeof callEvents & typeof recordingEvents
export type CallEventData<T extends CallEventType> = z.infer<CallSchemas[T]>
export type AssemblyEventType = keyof typeof assemblyEvents
export type AssemblyEventData<T extends AssemblyEventType> = z.infer<typeof assemblyEvents[T]>

/** Version of each event's payload; it appears in `ce_dataschema`. Additive changes keep it. */
export const payloadVersion = 1
export const dataSchemaOf = (type: string): string => `urn:tacet:event:${type}:${payloadVersion}`

/** The attributes of CloudEvents 1.0 that we use. https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md */
export const eventAttributesSchema = z.object({
  id: idSchema,
  type: z.string().min(1),
  source: z.string().min(1),
  /** The entity the event is about; also the Kafka key. For audit entries the company. */
  subject: z.string().min(1),
  time: timestampSchema,
  correlationId: z.string().optional(),
  traceparent: z.string().optional(),
})
export type EventAttributes = z.infer<typeof eventAttributesSchema>
/** `data` is null only for the tombstones of compacted topics. */
export type TacetEvent<T = unknown> = EventAttributes & { data: T | null }

/** The schema of a type in a topic, or undefined when the type is unknown there. */
export const payloadSchema = (topic: string, type: string): z.ZodType | undefined => {
  const types: Record<string, z.ZodType> | undefined = (eventCatalogue as Record<string, Record<string, z.ZodType>>)[topic]
  return types && Object.hasOwn(types, type) ? types[type] : undefined
}
