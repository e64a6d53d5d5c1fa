import { z } from 'zod'
import { directionSchema, idSchema, lineSchema, outcomeSchema, timestampSchema } from './primitives.ts'
import { pageOf, pageQuerySchema } from './settings-api.ts'
import { timelineSchema } from './recording.ts'
import { outputFormatSchema, telephoneNumberSchema } from './settings.ts'

/** `waiting` and `assembling` until there is an outcome. */
export const recordingStatuses = ['waiting', 'assembling', 'complete', 'incomplete', 'empty', 'failed'] as const
export const assemblyStatusSchema = z.enum(recordingStatuses)

export const recordingViewSchema = z.object({
  recordingId: idSchema,
  callId: idSchema,
  companyId: idSchema,
  status: assemblyStatusSchema,
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
  /** Grows by one with each purge. */
  version: z.int().positive(),
  /** Something is being cut out: until that is done nobody hears it. */
  isBeingPurged: z.boolean(),
  /** Kept whatever else is said, until the hold is lifted. */
  isOnHold: z.boolean(),
  /** When it will be deleted; null: when somebody does it. */
  retainUntil: timestampSchema.nullable(),
  links: z.object({ audio: z.string().nullable(), timeline: z.string().nullable() }),
}).meta({ id: 'Recording' })
export type RecordingView = z.infer<typeof recordingViewSchema>

/** In a query an unescaped + arrives as a space. */
const numberInQuery = z.string().overwrite(text => text.replace(/^ /, '+')).pipe(telephoneNumberSchema)
const booleanInQuery = z.enum(['true', 'false']).transform(text => text === 'true')

export const recordingQuerySchema = pageQuerySchema.extend({
  companyId: idSchema.toLowerCase().optional().describe('One company\'s; for the operator, who otherwise sees all'),
  from: timestampSchema.optional().describe('Calls that began then or later'),
  to: timestampSchema.optional().describe('Calls that began before'),
  agent: idSchema.toLowerCase().optional().describe('Somebody who was in the call'),
  number: numberInQuery.optional().describe('The company\'s number or the customer\'s'),
  direction: directionSchema.optional(),
  hasGaps: booleanInQuery.optional().describe('Whether the recording was stopped at some time'),
  minDurationMs: z.coerce.number().int().min(0).optional(),
  maxDurationMs: z.coerce.number().int().min(0).optional(),
  status: z.string().transform(text => text.split(',')).pipe(z.array(assemblyStatusSchema)).optional().describe('One or several, separated by commas'),
  isOnHold: booleanInQuery.optional(),
})
export type RecordingQuery = z.infer<typeof recordingQuerySchema>
export const recordingPageSchema = pageOf(recordingViewSchema)

export const jobKinds = ['check', 'assemble', 'measure', 'encode', 'purge', 'delete-segments', 'erase'] as const
export const jobKindSchema = z.enum(jobKinds)
export type JobKind = z.infer<typeof jobKindSchema>
/** `parked`: given up, until somebody runs it again. A job that is done is gone. */
export const jobStates = ['waiting', 'running', 'parked'] as const
export const jobStateSchema = z.enum(jobStates)
export type JobState = z.infer<typeof jobStateSchema>

export const jobViewSchema = z.object({
  jobId: idSchema,
  kind: jobKindSchema,
  /** Tells jobs of one kind for one recording apart: the format to encode, say. */
  item: z.string(),
  recordingId: idSchema,
  companyId: idSchema,
  state: jobStateSchema,
  attempts: z.int(),
  /** How often it waited for something that was away. */
  postponements: z.int(),
  /** 0 to 1 of the attempt under way, as far as it tells. */
  progress: z.number().nullable(),
  /** When it is to be tried (again). */
  runAt: timestampSchema,
  createdAt: timestampSchema,
  /** Of a parked job: why. */
  lastError: z.string().nullable(),
}).meta({ id: 'Job' })
export type JobView = z.infer<typeof jobViewSchema>

export const jobQuerySchema = pageQuerySchema.extend({
  companyId: idSchema.toLowerCase().optional().describe('One company\'s; for the operator, who otherwise sees all'),
  recordingId: idSchema.toLowerCase().optional(),
  state: jobStateSchema.optional(),
  kind: jobKindSchema.optional(),
})
export type JobQuery = z.infer<typeof jobQuerySchema>
export const jobPageSchema = pageOf(jobViewSchema)

/** Why somebody does what can't be undone; it is kept in the audit log. */
export const reasonSchema = lineSchema(500).min(1)

export const audioFormats = ['wav', ...outputFormatSchema.options] as const
export const audioFormatSchema = z.enum(audioFormats)
export type AudioFormat = z.infer<typeof audioFormatSchema>

export const holdSchema = z.object({ reason: reasonSchema }).strict().meta({ id: 'HoldOrder' })
export const deletionSchema = z.object({
  reason: reasonSchema,
  /** `consent-withdrawn`: whoever was recorded no longer agrees. */
  cause: z.enum(['request', 'consent-withdrawn']).default('request'),
}).strict().meta({ id: 'DeletionOrder' })
export const deletedSchema = z.object({ recordingId: idSchema, deletedAt: timestampSchema }).meta({ id: 'DeletedRecording' })

/** What is to be cut out: a segment; a stretch as it is heard in the recording; or a stretch of the call. */
export const purgeSchema = z.union([
  z.object({ reason: reasonSchema, segment: z.int().positive() }).strict(),
  z.object({
    reason: reasonSchema,
    fromMs: z.number().nonnegative(),
    toMs: z.number().positive(),
    /** Of the recording in which it was heard there: in the next one something else is. */
    version: z.int().positive(),
  }).strict().refine(({ fromMs, toMs }) => fromMs < toMs, { path: ['toMs'], message: 'must be later than fromMs' }),
  z.object({ reason: reasonSchema, from: timestampSchema, to: timestampSchema }).strict().refine(({ from, to }) => Date.parse(from) < Date.parse(to), { path: ['to'], message: 'must be later than from' }),
]).meta({ id: 'PurgeOrder' })
export type PurgeOrderBody = z.infer<typeof purgeSchema>

export const linkOrderSchema = z.object({
  format: audioFormatSchema.default('wav'),
  /** To be saved rather than played. */
  isDownload: z.boolean().default(false),
  expiresInSeconds: z.int().min(1).max(86_400).default(300),
}).strict().meta({ id: 'LinkOrder' })
export const linkSchema = z.object({
  /** A path below the service's public address; whoever has it may listen, without a token. */
  link: z.string(),
  expiresAt: timestampSchema,
}).meta({ id: 'Link' })

/** As BBC audiowaveform writes them (JSON, version 2), with what is of interest here besides: peaks.js and others take no notice of it. */
export const peaksSchema = z.object({
  version: z.literal(2),
  channels: z.int(),
  sample_rate: z.int(),
  samples_per_pixel: z.int(),
  bits: z.union([z.literal(8), z.literal(16)]),
  /** In pixels. */
  length: z.int(),
  /** For each pixel, for each channel: minimum and maximum. */
  data: z.array(z.int()),
  /** Where the recording was stopped: `pixel` counts from the start, and `pixels` is 0 where nothing stands for the gap. */
  gaps: z.array(z.object({ pixel: z.int(), pixels: z.int(), atSample: z.int(), samples: z.int(), startedAt: timestampSchema, durationMs: z.number(), reasons: z.array(z.string()) })),
}).meta({ id: 'Peaks' })
export type Peaks = z.infer<typeof peaksSchema>

export const peaksQuerySchema = z.object({
  pixels: z.coerce.number().int().min(1).max(100_000).default(2_000).describe('At most so many, and no more than one for each 256 samples'),
  bits: z.enum(['8', '16']).default('8').transform(text => Number(text) as 8 | 16),
})

/** In a vCon, who took part: indices of its parties. */
const partyIndexSchema = z.int().nonnegative()

/** The parts of a vCon (draft-ietf-vcon-vcon-core of June 2026, syntax 0.4.0) that we write. */
export const vconSchema = z.object({
  vcon: z.literal('0.4.0'),
  uuid: idSchema,
  created_at: timestampSchema,
  /** Of a recording of which something was purged: when, and that it was. */
  updated_at: timestampSchema.optional(),
  redacted: z.object({ type: z.literal('tacet-purge') }).optional(),
  subject: z.string(),
  /** The last one is Tacet itself. */
  parties: z.array(z.object({ tel: z.string().optional(), name: z.string(), uuid: idSchema.optional(), type: z.enum(['person', 'organization']).optional(), org: z.string().optional() })),
  /** First the call, then its recording, if there is audio. Durations in seconds. */
  dialog: z.array(z.discriminatedUnion('type', [
    z.object({
      type: z.literal('recording-set'),
      start: timestampSchema,
      duration: z.number(),
      parties: z.array(partyIndexSchema),
      /** Absent where it is the first of the parties. */
      originator: partyIndexSchema.optional(),
      recordings: z.array(z.int().nonnegative()),
      party_history: z.array(z.object({ party: partyIndexSchema, time: timestampSchema, event: z.enum(['join', 'drop']) })),
    }),
    z.object({
      type: z.literal('recording'),
      start: timestampSchema,
      duration: z.number(),
      /** Of a stereo recording who is on each channel, null: nobody. */
      parties: z.array(z.union([partyIndexSchema, z.array(partyIndexSchema), z.null()])),
      originator: partyIndexSchema.optional(),
      recording_set: z.int().nonnegative(),
      mediatype: z.string(),
      filename: z.string(),
      /** Needs a token, as everywhere. */
      url: z.string(),
      content_hash: z.string(),
    }),
  ])),
  /** `body` is the timeline. */
  attachments: z.array(z.object({
    purpose: z.string(), start: timestampSchema, party: partyIndexSchema, dialog: z.int().nonnegative(), mediatype: z.string(), filename: z.string(), encoding: z.literal('json'), body: timelineSchema,
  })),
}).meta({ id: 'Vcon' })
export type Vcon = z.infer<typeof vconSchema>
