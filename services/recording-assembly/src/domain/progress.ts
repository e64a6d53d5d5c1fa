/** How far something is, 0 to 1. */
export type Tell = (progress: number) => void

/** Of a part of the work: its 0 to 1 are `from` to `to` of the whole. */
export const part = (tell: Tell | undefined, from: number, to: number): Tell => progress => tell?.(from + (to - from) * Math.min(1, Math.max(0, progress)))
