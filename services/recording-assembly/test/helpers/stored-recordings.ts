import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Test } from 'tap'

export interface StoredRecordings {
  /** For the service's environment, without a shared folder. */
  env: Record<string, string>
  /** The names that were fetched, in this order. */
  fetched: string[]
  /** Answers to the next fetches are held back until it is called. */
  hold (): { arrived: Promise<void>, release: () => void }
}

/** The files of a spool, as Asterisk's ARI serves them. */
export async function serveStoredRecordings (t: Test, spoolDir: string): Promise<StoredRecordings> {
  const fetched: string[] = []
  let gate: { arrive: () => void, opened: Promise<void> } | undefined

  async function answer (request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    const [, encoded = '', file] = /^\/ari\/recordings\/stored\/([^/]+)(\/file)?$/.exec(request.url ?? '') ?? []
    const name = decodeURIComponent(encoded)
    const path = join(spoolDir, 'recording', `${name}.wav`)
    if (request.method === 'GET' && file !== undefined) {
      fetched.push(name)
      gate?.arrive()
      await gate?.opened
    }
    const bytes = await readFile(path).catch(() => null)
    if (name === '' || bytes === null) return response.writeHead(404, { 'content-type': 'application/json' }).end('{"message":"Recording not found"}')
    if (request.method === 'GET') return response.writeHead(200, { 'content-length': bytes.length }).end(bytes)
    await rm(path, { force: true })
    return response.writeHead(204).end()
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  return {
    env: { ARI_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, ARI_USERNAME: 'tacet', ARI_PASSWORD: 'secret' },
    fetched,
    hold () {
      const [arrived, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      gate = { arrive: arrived.resolve, opened: opened.promise }
      return {
        arrived: arrived.promise,
        release () {
          gate = undefined
          opened.resolve()
        },
      }
    },
  }
}
