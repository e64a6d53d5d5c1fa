import { Pool } from 'undici'

/** Kept-alive connections, for Tacet and for the bare ARI alike. Throws unless the answer is a 2xx. */
export interface Client {
  get: (path: string) => Promise<unknown>
  post: (path: string) => Promise<unknown>
  delete: (path: string) => Promise<unknown>
  close: () => Promise<void>
}

export function createClient (url: string, { token, basic, connections = 1 }: { token?: string, basic?: string, connections?: number }): Client {
  const pool = new Pool(url, { connections, pipelining: 1, keepAliveTimeout: 10_000 })
  const authorization = token === undefined ? `Basic ${btoa(basic ?? '')}` : `Bearer ${token}`
  const ask = (method: 'GET' | 'POST' | 'DELETE') => async (path: string): Promise<unknown> => {
    const { statusCode, body } = await pool.request({ method, path, headers: { authorization } })
    const text = await body.text()
    if (statusCode >= 300) throw new Error(`${method} ${path} was answered ${statusCode}: ${text}`)
    return text === '' ? undefined : JSON.parse(text)
  }
  return { get: ask('GET'), post: ask('POST'), delete: ask('DELETE'), close: async () => await pool.close() }
}
