import { publicKeySchema, type PublicKey } from '@tacet/contracts'
import { z } from 'zod'

const timeoutMs = 5_000
const bytesAtMost = 256 * 1024
const documentSchema = z.object({ keys: z.array(z.looseObject({ use: z.string().optional() })).max(100) })

/**
 * The public signing keys at a JWKS address. Only origins that the operator named are asked, and no redirect is followed:
 * otherwise a company could make this service look at addresses inside its network.
 */
export function createFetchKeys (allowedOrigins: readonly string[]) {
  const origins = new Set(allowedOrigins.map(origin => new URL(origin).origin))
  return async (url: string): Promise<PublicKey[]> => {
    if (!origins.has(new URL(url).origin)) throw new Error('the operator has not allowed this address')
    const response = await fetch(url, { redirect: 'error', headers: { accept: 'application/json' }, signal: AbortSignal.timeout(timeoutMs) })
      .catch(() => { throw new Error('it does not answer') })
    if (!response.ok) throw new Error(`it answers ${response.status}`)
    const document = documentSchema.safeParse(parse(await readText(response)))
    const keys = document.data?.keys.filter(({ use = 'sig' }) => use === 'sig').flatMap(key => publicKeySchema.safeParse(key).data ?? []) ?? []
    if (keys.length === 0) throw new Error('it has no P-256 or RSA signing key')
    return keys
  }
}

async function readText (response: Response): Promise<string> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true })
    if (text.length > bytesAtMost) throw new Error('it is too large')
  }
  return text
}

function parse (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
