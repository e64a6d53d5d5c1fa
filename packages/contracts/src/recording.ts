import { z } from 'zod'
import {
  directionSchema, endReasonSchema, idSchema, outcomeSchema, sampleRateSchema, silenceReasonSchema, timestampSchema, trackNameSchema,
} from './primitives.ts'
import { finishedRecordingSettingsSchema, gapModeSchema } from './settings.ts'

/** One file that a recorder wrote. `name` is the ARI stored recording, without extension. */
export const trackFileSchema = z.object({
  track: trackNameSchema,
  name: z.string().regex(/^tacet\/tacet-[A-Za-z0-9.-]+$/),
  format: z.enum(['wav', 'wav16']),
  sampleRateHz: sampleRateSchema,
  /** When its recorder was proven to run, where a segment has several. */
  startedAt: timestampSchema.optional(),
})
export type TrackFile = z.infer<typeof trackFileSchema>

export const segmentSchema = z.object({
  number: z.int().positive(),
  tracks: z.array(trackFileSchema).min(1),
  /** When the recorder was asked to start; the first sample can't be older. */
  requestedAt: timestampSchema,
  /** When it was proven to run. */
  openedAt: timestampSchema,
  /** When its files were proven closed; the last sample can't be younger. */
  closedAt: timestampSchema,
  closedBy: z.enum(['pause', 'end', 'lost', 'superseded']),
  /** How we know that Asterisk has closed the files. */
  proof: z.enum(['event', 'inspection', 'deleted', 'absent', 'recovered']),
  /** The recorder was never proven to have started: its files may be missing or short. */
  isUncertain: z.boolean(),
})
export type Segment = z.infer<typeof segmentSchema>

export const actorSchema = z.object({
  kind: z.enum(['agent', 'supervisor', 'machine', 'policy', 'recovery']),
  agentId: idSchema.nullable(),
  credentialId: idSchema.nullable(),
})
export type Actor = z.infer<typeof actorSchema>

export const gapSchema = z.object({
  startedAt: timestampSchema,
  endedAt: timestampSchema,
  reasons: z.array(z.union([silenceReasonSchema, z.enum(['lost', 'not-started'])])),
  by: z.array(actorSchema),
})
export type Gap = z.infer<typeof gapSchema>

export const callAgentSchema = z.object({
  agentId: idSchema,
  /** As it was when they joined; absent where nobody knew it, and in older manifests. */
  name: z.string().optional(),
  endpoint: z.string(),
  joinedAt: timestampSchema.nullable(),
  leftAt: timestampSchema.nullable(),
})
export type CallAgent = z.infer<typeof callAgentSchema>

/** Everything assembly needs to know of a finished call; carried whole by `recording.ended`. */
export const manifestSchema = z.object({
  recordingId: idSchema,
  callId: idSchema,
  aliases: z.array(idSchema),
  companyId: idSchema,
  /** As it was when the call was answered; absent where nobody knew it, and in older manifests. */
  companyName: z.string().optional(),
  pbxId: z.string(),
  direction: directionSchema,
  number: z.string().nullable(),
  customer: z.string().nullable(),
  agents: z.array(callAgentSchema),
  startedAt: timestampSchema,
  answeredAt: timestampSchema,
  endedAt: timestampSchema,
  endReason: endReasonSchema,
  sampleRateHz: sampleRateSchema,
  segments: z.array(segmentSchema),
  gaps: z.array(gapSchema),
  /** What call-control already knows to be missing. */
  faults: z.array(z.string()),
  /** The company's, as they were when the call was answered. */
  settings: finishedRecordingSettingsSchema,
})
export type Manifest = z.infer<typeof manifestSchema>

/** Where something is in the recording. */
const placed = {
  offsetSamples: z.int().nonnegative(),
  samples: z.int().nonnegative(),
  offsetMs: z.number().nonnegative(),
  durationMs: z.number().nonnegative(),
}

/** What one recorder gave to a segment: `leadSamples` of silence because it began later than the other, then `samples`, then silence to the segment's end. */
export const timelineTrackSchema = z.object({
  track: trackNameSchema,
  leadSamples: z.int().nonnegative(),
  samples: z.int().nonnegative(),
  /** So much of its own ends is faded, beside silence within the segment. */
  fadeInSamples: z.int().nonnegative().default(0),
  fadeOutSamples: z.int().nonnegative().default(0),
})

export const timelineSegmentSchema = z.object({
  number: z.int().positive(),
  startedAt: timestampSchema,
  endedAt: timestampSchema,
  ...placed,
  /** So much of its two ends is faded, where it meets something else within the recording; every sample that neither this nor a track's fade touches is as it was recorded. */
  fadeInSamples: z.int().nonnegative().default(0),
  fadeOutSamples: z.int().nonnegative().default(0),
  /** One for each channel where they were recorded apart. */
  tracks: z.array(timelineTrackSchema).default([]),
  closedBy: z.string(),
  notes: z.array(z.string()),
})

/** A stretch of the recording that nobody said: what it has in place of gaps. */
export const timelineFillSchema = z.object({ kind: z.enum(['silence', 'tone']), ...placed })

export const timelineGapSchema = gapSchema.extend({
  /** `purged`: it was recorded, and cut out later. */
  reasons: z.array(z.union([gapSchema.shape.reasons.element, z.literal('purged')])),
  /** Where in the recording the gap is, and how much of it: nothing, the silence that stands for it, or the tone at its join. */
  atSample: z.int().nonnegative(),
  samples: z.int().nonnegative().default(0),
  /** How long it was in the call. */
  durationMs: z.number().nonnegative(),
})

/** `timeline.json`: where every stretch of the recording was in the call, and why the rest is not there. Segments and fills together are all of it. */
export const timelineSchema = z.object({
  schemaVersion: z.literal(1),
  recordingId: idSchema,
  callId: idSchema,
  companyId: idSchema,
  outcome: outcomeSchema,
  /** Why the outcome is not `complete`; stable kebab-case codes with detail. */
  reasons: z.array(z.object({ code: z.string(), detail: z.string() })),
  direction: directionSchema,
  number: z.string().nullable(),
  customer: z.string().nullable(),
  agents: z.array(callAgentSchema),
  startedAt: timestampSchema,
  answeredAt: timestampSchema,
  endedAt: timestampSchema,
  endReason: endReasonSchema,
  sampleRateHz: sampleRateSchema,
  /** Of two, the first has the customer (of an internal call, the caller), the second the agent. */
  channels: z.union([z.literal(1), z.literal(2)]),
  gapMode: gapModeSchema.default('remove'),
  /** When the first sample was in the call, and so every other one: null unless gaps are silence. */
  originAt: timestampSchema.nullable().default(null),
  samples: z.int().nonnegative(),
  durationMs: z.number().nonnegative(),
  bytes: z.int().nonnegative(),
  /** Of the whole WAV file; null when there is none. */
  sha256: z.string().nullable(),
  segments: z.array(timelineSegmentSchema),
  fills: z.array(timelineFillSchema).default([]),
  gaps: z.array(timelineGapSchema),
  /** Grows by one with each purge. A segment of which something was cut out of the middle comes twice. */
  version: z.int().positive().default(1),
  purges: z.array(z.object({ purgeId: idSchema, at: timestampSchema, by: z.object({ credentialId: idSchema.nullable(), agentId: idSchema.nullable() }), samples: z.int().nonnegative() })).default([]),
})
export type Timeline = z.infer<typeof timelineSchema>
