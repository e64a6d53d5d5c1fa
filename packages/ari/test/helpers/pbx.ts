import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { stackSchema } from '@tacet/contracts'
import { eventually } from '@tacet/test-kit'
import { createAriConnection, createSnoopRecorderDriver } from '@tacet/ari'
import type { AriConnection, AriConnectionOptions, AriEvent, RecorderDriver } from '@tacet/ari'

/** Not the application of the services: they may be running on the same PBX. */
export const TEST_APP = 'tacet-tests'
export const TEST_CONTEXT = 'tacet-recorder-tests'

export type Pbx = { url: string, username: string, password: string }

export function readPbx (): Pbx {
  const path = process.env.TACET_STACK
  if (!path) throw new Error('TACET_STACK names no address book: these tests need a running stack')
  const { url, username, password } = stackSchema.parse(JSON.parse(readFileSync(path, 'utf8'))).ari
  return { url, username, password }
}

/** A leg that plays a tone to a quiet one, without SIP. */
export async function startLeg ({ url, username, password }: Pbx, extension = 'tone') {
  const id = `leg-${randomUUID()}`
  const authorization = `Basic ${btoa(`${username}:${password}`)}`
  // Left alone, Local channels agree on 192 kHz, which costs the recorders dear.
  const query = new URLSearchParams({ endpoint: `Local/${extension}@tacet-tests`, context: 'tacet-tests', extension: 'quiet', priority: '1', formats: 'ulaw' })
  const ask = (method: string, path: string) =>
    fetch(`${url}/ari/channels/${path}`, { method, headers: { authorization }, signal: AbortSignal.timeout(10_000) })
  const answer = await ask('POST', `${id}?${query}`)
  if (!answer.ok) throw new Error(`no leg: ${answer.status} ${await answer.text()}`)
  await eventually(async () => (await (await ask('GET', id)).json() as { state: string }).state === 'Up', { message: 'the leg did not answer' })
  return { id, hangUp: async () => { await ask('DELETE', id) } }
}

export type Leg = Awaited<ReturnType<typeof startLeg>>

export type Listener = AriConnection & { heard: AriEvent[] }

/** A connection that notes what it hears; not started. */
export function createListener (pbx: Pbx, options: Partial<AriConnectionOptions> = {}): Listener {
  const heard: AriEvent[] = []
  const connection = createAriConnection({ ...pbx, app: TEST_APP, onUp: () => {}, onEvent: (event) => { heard.push(event) }, ...options })
  return Object.defineProperty(connection, 'heard', { value: heard }) as Listener
}

export async function startListener (listener: AriConnection): Promise<void> {
  listener.start()
  await eventually(() => listener.state === 'up', { message: 'ARI did not come up' })
}

/** A driver on a connection that is up. Deaf, it must find all its proofs by looking. */
export async function startRecorders (pbx: Pbx, { isDeaf = false, ...options }: { isDeaf?: boolean } & Partial<AriConnectionOptions> = {}) {
  const connection = createListener(pbx, { onArrival: (event) => { if (!isDeaf) driver.onEvent(event) }, ...options })
  const driver: RecorderDriver = createDriver(connection)
  await startListener(connection)
  return { connection, driver }
}

export const createDriver = (connection: AriConnection): RecorderDriver => createSnoopRecorderDriver({
  rest: connection.rest, app: TEST_APP, context: TEST_CONTEXT, isUp: () => connection.isListening
})
