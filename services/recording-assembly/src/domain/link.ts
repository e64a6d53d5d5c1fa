import { createHmac, timingSafeEqual } from 'node:crypto'
import { audioFormatSchema, idSchema } from '@tacet/contracts'
import { z } from 'zod'

/** What a signed link allows, and for whom it was made. */
const linkSchema = z.object({
  linkId: idSchema,
  recordingId: idSchema,
  version: z.int().positive(),
  format: audioFormatSchema,
  isDownload: z.boolean(),
  /** In seconds of the epoch. */
  expires: z.int(),
  companyId: idSchema.nullable(),
  credentialId: idSchema.nullable(),
  agentId: idSchema.nullable(),
})
export type Link = z.infer<typeof linkSchema>

const sign = (text: string, secret: string): Buffer => createHmac('sha256', secret).update(`tacet-link:${text}`).digest()

/** The first secret signs. */
export function writeLink (link: Link, [secret]: readonly [string, ...string[]]): string {
  const text = Buffer.from(JSON.stringify(link)).toString('base64url')
  return `${text}.${sign(text, secret).toString('base64url')}`
}

/** Null unless one of the secrets signed it, and it is still good. */
export function readLink (token: string, secrets: readonly string[], nowMs: number): Link | null {
  const [text = '', signature = '', ...rest] = token.split('.')
  const given = Buffer.from(signature, 'base64url')
  const isSigned = rest.length === 0 && secrets.some(secret => {
    const expected = sign(text, secret)
    return expected.length === given.length && timingSafeEqual(expected, given)
  })
  if (!isSigned) return null
  const link = linkSchema.parse(JSON.parse(Buffer.from(text, 'base64url').toString()))
  return link.expires * 1000 > nowMs ? link : null
}
