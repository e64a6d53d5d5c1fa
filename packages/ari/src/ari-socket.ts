import { once } from 'node:events'
import type { EventEmitter } from 'node:events'
import ariClient from 'ari-client'
import { guardAriClient } from './ari-client-guard.ts'
import type { AriAddress } from './transport.ts'

export type AriSocketOptions = AriAddress & {
  app: string
  openTimeoutMs: number
  heartbeatMs: number
  onMessage (message: unknown): void
  signal: AbortSignal
}

/** One life of a websocket. It never reconnects by itself. */
export type AriSocket = {
  /** Resolves, with the reason, when it is closed or has been silent for too long. */
  ended: Promise<string>
  end (reason: string): void
}

type WebSocket = EventEmitter & { ping (): void, terminate (): void }
type Client = EventEmitter & { _ws: WebSocket, start (app: string, subscribeAll: boolean): Promise<void> }

/** Registers the application, without subscriptions. Rejects within about the timeout, whatever Asterisk does. */
export async function openAriSocket (options: AriSocketOptions): Promise<AriSocket> {
  const { url, username, password, app, openTimeoutMs, heartbeatMs, onMessage, signal } = options
  const expired = AbortSignal.any([signal, AbortSignal.timeout(openTimeoutMs)])
  guardAriClient(openTimeoutMs)
  const client = await orAborted(ariClient.connect(url, username, password), expired) as unknown as Client

  // With this it takes every close for intended, and leaves reconnecting (which it gives up after 43 s) to us.
  Object.defineProperty(client, '_wsClosed', { get: () => true, set: () => {} })
  const started = client.start(app, false)
  const socket = client._ws
  // ari-client would make an object with forty methods of every channel in every event, and throw on an event type that it does not know.
  socket.removeAllListeners('message')
  socket.on('message', (text: string) => onMessage(parseJson(text)))

  const { promise: ended, resolve: end } = Promise.withResolvers<string>()
  socket.once('close', (code: number) => end(`closed ${code}`))
  socket.on('error', (error: Error) => end(error.message))
  const heartbeat = beat(socket, heartbeatMs, () => end('no heartbeat'))
  ended.then(() => {
    clearInterval(heartbeat)
    socket.terminate()
  }).catch(() => {})

  try {
    await orAborted(Promise.race([started, ended.then((reason) => { throw new Error(reason) })]), expired)
  } catch (error) {
    end('never opened')
    throw error
  }
  return { ended, end }
}

function beat (socket: WebSocket, intervalMs: number, onSilence: () => void) {
  let isAlive = true
  const alive = () => { isAlive = true }
  socket.on('pong', alive)
  socket.on('message', alive)
  return setInterval(() => {
    if (!isAlive) return onSilence()
    isAlive = false
    try { socket.ping() } catch { onSilence() }
  }, intervalMs)
}

async function orAborted<T> (promise: PromiseLike<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  const done = new AbortController()
  const abort = once(signal, 'abort', { signal: done.signal }).then(() => { throw signal.reason })
  abort.catch(() => {})
  return await Promise.race([promise, abort]).finally(() => done.abort())
}

function parseJson (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
