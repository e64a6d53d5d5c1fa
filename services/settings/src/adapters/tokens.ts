import { createHash, randomBytes } from 'node:crypto'
import type { Tokens } from '../usecases/ports.ts'

/** Device tokens are part of addresses typed into phones, so they are short, but still 144 random bits. */
const shapes = {
  'api-token': { prefix: 'tct_', bytes: 32 },
  'device-token': { prefix: 'td_', bytes: 18 },
}

export const tokens: Tokens = {
  create (kind) {
    const { prefix, bytes } = shapes[kind]
    const token = prefix + randomBytes(bytes).toString('base64url')
    return { token, hash: tokens.hash(token) }
  },
  hash: token => createHash('sha256').update(token).digest('hex'),
}
