import { createHash, randomBytes } from 'node:crypto'
import type { Tokens } from '../usecases/ports.ts'

/** Device tokens are part of addresses typed into phones, so they are short, but of 176 random bits. */
const shapes = {
  'api-token': { prefix: 'tct_', bytes: 32 },
  'device-token': { prefix: 'td_', bytes: 22 },
}
/** Random characters that stay visible: enough to recognise a token, and the rest still holds 128 bits and more. */
const visibleCharacters = 6

export const tokens: Tokens = {
  create (kind) {
    const { prefix, bytes } = shapes[kind]
    const token = prefix + randomBytes(bytes).toString('base64url')
    return { token, hash: tokens.hash(token), prefix: token.slice(0, prefix.length + visibleCharacters) }
  },
  hash: token => createHash('sha256').update(token).digest('hex'),
}
