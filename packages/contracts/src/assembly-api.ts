import { z } from 'zod'
import { directionSchema, idSchema, outcomeSchema, timestampSchema } from './primitives.ts'

export const recordingViewSchema = z.object({
  recordingId: idSchema,
  callId: idSchema,
  companyId: idSchema,
  /** `waiting` and `assembling` until there is an outcome. */
  status: z.enum(['waiting', 'assembling', 'complete', 'incomplete', 'empty', 'failed']),
  outcome: outcomeSchema.nullable(),
  reasons: z.array(z.object({ code: z.string(), detail: z.string() })),
  direction: directionSchema,
  number: z.string().nullable(),
  customer: z.string().nullable(),
  agentIds: z.array(idSchema),
  startedAt: timestampSchema,
  endedAt: timestampSchema,
  durationMs: z.number().nullable(),
  samples: z.int().nullable(),
  sha256: z.string().nullable(),
  gaps: z.int(),
  links: z.object({ audio: z.string().nullable(), timeline: z.string().nullable() }),
}).meta({ id: 'Recording' })
export type RecordingView = z.infer<typeof recordingViewSchema>
