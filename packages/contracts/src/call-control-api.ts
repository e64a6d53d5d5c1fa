import { z } from 'zod'
import {
  directionSchema, endReasonSchema, idSchema, levelSchema, lineSchema, recordingStateSchema, silenceReasonSchema, timestampSchema,
} from './primitives.ts'

export const allowedActionSchema = z.enum(['pause', 'resume'])
export type AllowedAction = z.infer<typeof allowedActionSchema>

export const commandRequestSchema = z.object({
  /** For the audit log, e.g. `card number`. Never put the secret itself here. */
  note: lineSchema(200).optional(),
}).strict().meta({ id: 'CommandRequest' })

export const commandAnswerSchema = z.object({
  callId: idSchema,
  recordingId: idSchema,
  state: recordingStateSchema,
  reasons: z.array(silenceReasonSchema),
  /** Of the call's last event when this was true. */
  seq: z.int().nonnegative(),
  /** When the recorder was proven stopped or started. */
  effectiveAt: timestampSchema,
  /** false: it is so on the PBX, but the database could not be told yet. */
  durable: z.boolean(),
  allowedActions: z.array(allowedActionSchema),
}).meta({ id: 'CommandAnswer' })
export type CommandAnswer = z.infer<typeof commandAnswerSchema>

export const explainedSchema = z.object({
  decidedBy: levelSchema,
  value: z.string(),
  isLocked: z.boolean(),
})

export const recordingStatusSchema = z.object({
  callId: idSchema,
  recordingId: idSchema,
  state: recordingStateSchema,
  reasons: z.array(silenceReasonSchema),
  seq: z.int().nonnegative(),
  allowedActions: z.array(allowedActionSchema),
  /** It has been stopped for longer than the company wants. */
  isPauseOverdue: z.boolean(),
  endReason: endReasonSchema.nullable(),
  segments: z.array(z.object({ number: z.int(), openedAt: timestampSchema, closedAt: timestampSchema.nullable() })),
  recordingRule: explainedSchema.nullable(),
}).meta({ id: 'RecordingStatus' })
export type RecordingStatus = z.infer<typeof recordingStatusSchema>

export const liveCallSchema = z.object({
  callId: idSchema,
  companyId: idSchema,
  direction: directionSchema,
  number: z.string().nullable(),
  customer: z.string().nullable(),
  sipCallIds: z.array(z.string()),
  agentIds: z.array(idSchema),
  startedAt: timestampSchema,
  answeredAt: timestampSchema.nullable(),
  isOnHold: z.boolean(),
  recording: recordingStatusSchema.pick({ state: true, reasons: true, seq: true, isPauseOverdue: true, allowedActions: true }),
}).meta({ id: 'LiveCall' })
export type LiveCall = z.infer<typeof liveCallSchema>

export const liveCallListSchema = z.object({ items: z.array(liveCallSchema) }).meta({ id: 'LiveCallList' })
