import { z } from 'zod'

/** Any UUID version: call ids are v5, rows v7. */
export const idSchema = z.guid()

/** ISO 8601 in UTC with milliseconds, e.g. `2026-11-23T09:00:00.000Z`. */
export const timestampSchema = z.iso.datetime({ offset: true, abort: true }).refine(hasYearOfFourDigits, 'must be in the years 1 to 9999, in UTC')

/** PostgreSQL has no year 0, and an offset can lead into it, or into the year 10000. */
function hasYearOfFourDigits (timestamp: string): boolean {
  const year = new Date(timestamp).getUTCFullYear()
  return year >= 1 && year <= 9999
}

export const directions = ['inbound', 'outbound', 'internal'] as const
export const directionSchema = z.enum(directions)
export type Direction = z.infer<typeof directionSchema>

/** Why a recording is silent. It records only while none of these holds. */
export const silenceReasons = ['agent', 'supervisor', 'machine', 'policy', 'hold'] as const
export const silenceReasonSchema = z.enum(silenceReasons)
export type SilenceReason = z.infer<typeof silenceReasonSchema>

export const recordingStates = ['off', 'starting', 'recording', 'pausing', 'paused', 'resuming', 'unconfirmed', 'ended'] as const
export const recordingStateSchema = z.enum(recordingStates)
export type RecordingState = z.infer<typeof recordingStateSchema>

export const endReasons = ['hangup', 'transfer', 'policy'] as const
export const endReasonSchema = z.enum(endReasons)
export type EndReason = z.infer<typeof endReasonSchema>

/** How an assembled recording turned out; the same four words everywhere. */
export const outcomes = ['complete', 'incomplete', 'empty', 'failed'] as const
export const outcomeSchema = z.enum(outcomes)
export type Outcome = z.infer<typeof outcomeSchema>

export const trackNames = ['mix', 'in', 'out'] as const
export const trackNameSchema = z.enum(trackNames)
export type TrackName = z.infer<typeof trackNameSchema>

export const sampleRateSchema = z.union([z.literal(8000), z.literal(16000)])
export type SampleRateHz = z.infer<typeof sampleRateSchema>

export const levels = ['company', 'number', 'agent'] as const
export const levelSchema = z.enum(levels)
export type Level = z.infer<typeof levelSchema>

/** A line of text for people: no control characters, nothing that PostgreSQL or JSON could not hold. */
export const lineSchema = (maxLength: number) =>
  z.string().trim().max(maxLength).regex(/^\P{Cc}*$/u, 'no control characters').refine(text => text.isWellFormed(), 'not well-formed Unicode')
