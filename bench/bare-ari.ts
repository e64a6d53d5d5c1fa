import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { Stack } from '@tacet/contracts'
import { createClient } from './client.ts'

// An application and a context of the tests: the recorder of Tacet, without Tacet.
const app = 'tacet-tests'
const context = 'tacet-recorder-tests'

/** What a pause would be with nothing between the phone and Asterisk. */
export interface BareAri {
  /** Asterisk's channels, by their SIP Call-IDs. */
  legs: () => Promise<Map<string, string>>
  /** A recorder that runs. */
  start: (legId: string) => Promise<string>
  /** Sends it to its stop and waits for the event that proves it. Returns when that was there. */
  stop: (recorderId: string) => Promise<number>
  /** Tacet does that after its answer. */
  remove: (recorderId: string) => Promise<unknown>
  close: () => Promise<void>
}

export async function connectBareAri ({ ari }: Stack): Promise<BareAri> {
  const client = createClient(ari.url, { basic: `${ari.username}:${ari.password}`, connections: 8 })
  const socket = new WebSocket(`${ari.url.replace(/^http/, 'ws')}/ari/events?app=${app}&api_key=${ari.username}:${encodeURIComponent(ari.password)}`)
  await once(socket, 'open')
  const waiting = new Map<string, (atMs: number) => void>()
  socket.addEventListener('message', ({ data }) => {
    const event = JSON.parse(String(data))
    if (event.type !== 'StasisStart') return
    const key = `${event.channel.id} ${event.args[0] ?? ''}`
    waiting.get(key)?.(performance.now())
    waiting.delete(key)
  })
  const arrival = async (recorderId: string, arg: string): Promise<number> => await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${recorderId} did not arrive`)), 10_000)
    waiting.set(`${recorderId} ${arg}`, atMs => {
      clearTimeout(timer)
      resolve(atMs)
    })
  })
  const send = async (recorderId: string, extension: string, arg: string): Promise<number> => {
    const arrived = arrival(recorderId, arg)
    const [atMs] = await Promise.all([arrived, client.post(`/ari/channels/${recorderId}/continue?context=${context}&extension=${extension}&priority=1`)])
    return atMs
  }

  return {
    async legs () {
      const channels = await client.get('/ari/channels') as { id: string, protocol_id: string }[]
      return new Map(channels.map(channel => [channel.protocol_id, channel.id]))
    },
    async start (legId) {
      const recorderId = `tacet-${randomUUID()}-1`
      const created = arrival(recorderId, '')
      await Promise.all([created, client.post(`/ari/channels/${legId}/snoop/${recorderId}?spy=both&app=${app}`)])
      await send(recorderId, 'start', 'started')
      return recorderId
    },
    stop: async recorderId => await send(recorderId, 'stop-bench', 'stopped'),
    remove: async recorderId => await client.delete(`/ari/channels/${recorderId}`),
    async close () {
      socket.close()
      await client.close()
    },
  }
}
