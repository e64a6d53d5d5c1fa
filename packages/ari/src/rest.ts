import type { Readable } from 'node:stream'
import { z } from 'zod'
import { AriError, isAriError } from './errors.ts'
import {
  applicationSchema, asteriskInfoSchema, bridgeSchema, channelSchema, endpointSchema, playbackSchema, variableSchema,
} from './resources.ts'
import type { AriApplication, AriBridge, AriChannel, AriEndpoint, AsteriskInfo } from './resources.ts'
import { createTransport } from './transport.ts'
import type { AriAddress, AriLatency, AriRequest, CallOptions } from './transport.ts'

export type DeviceState = 'NOT_INUSE' | 'INUSE' | 'BUSY' | 'INVALID' | 'UNAVAILABLE' | 'RINGING' | 'RINGINUSE' | 'ONHOLD'

export type SnoopRequest = { channelId: string, snoopId: string, spy: 'both' | 'in' | 'out', app: string, appArgs?: string | undefined }

/** ARI's operations. All have a deadline (2 s unless told), and throw AriError. */
export interface AriRest {
  listChannels (options?: CallOptions): Promise<AriChannel[]>
  getChannel (channelId: string, options?: CallOptions): Promise<AriChannel>
  listBridges (options?: CallOptions): Promise<AriBridge[]>
  /** Asterisk answers 500 when the id is taken: look who has it. */
  snoop (request: SnoopRequest, options?: CallOptions): Promise<AriChannel>
  /** `conflict` when the channel is not in a Stasis application. */
  continueInDialplan (channelId: string, context: string, extension: string, priority: number, options?: CallOptions): Promise<void>
  /** Fine when it is gone already. */
  hangup (channelId: string, options?: CallOptions): Promise<void>
  /** Also functions, as `CHANNEL(linkedid)`. Undefined when it is not set. */
  getVariable (channelId: string, name: string, options?: CallOptions): Promise<string | undefined>
  /** `conflict` for a channel outside Stasis, as those of ordinary calls are. */
  setVariable (channelId: string, name: string, value: string, options?: CallOptions): Promise<void>
  /** Only names that begin with `Stasis:` can be set. */
  setDeviceState (name: string, state: DeviceState, options?: CallOptions): Promise<void>
  /** Sends a text to an endpoint (`PJSIP/1001`), by SIP MESSAGE. Never repeated by itself. */
  sendMessage (endpoint: string, body: string, from: string, options?: CallOptions): Promise<void>
  /** Plays `sound:…`, `tone:…` to one channel; `conflict` outside Stasis. The id makes it repeatable. */
  play (channelId: string, playbackId: string, media: string, options?: CallOptions): Promise<void>
  /** The deadline is for the first byte. Destroy the stream if you don't read it to its end. */
  storedRecordingFile (name: string, options?: CallOptions): Promise<{ stream: Readable, sizeBytes: number | undefined }>
  /** Fine when it is gone already. */
  deleteStoredRecording (name: string, options?: CallOptions): Promise<void>
  getEndpoint (technology: string, resource: string, options?: CallOptions): Promise<AriEndpoint>
  asteriskInfo (options?: CallOptions): Promise<AsteriskInfo>
  listApplications (options?: CallOptions): Promise<AriApplication[]>
  /** `not-found` when nobody has registered it by a websocket. */
  getApplication (app: string, options?: CallOptions): Promise<AriApplication>
  /** Subscribes an application to event sources: `channel:` are all channels, `bridge:` all bridges. */
  subscribe (app: string, sources: readonly string[], options?: CallOptions): Promise<void>
  /** Tells Asterisk not to send these event types to an application. `not-found` when the application is not registered. */
  ignoreEvents (app: string, types: readonly string[], options?: CallOptions): Promise<void>
  /** Whether Asterisk serves its API description, as it does from the moment it is fully booted. */
  probe (options?: CallOptions): Promise<void>
  close (): Promise<void>
}

export type AriRestOptions = AriAddress & { onLatency?: ((latency: AriLatency) => void) | undefined }

const id = encodeURIComponent
const isGone = (error: unknown) => isAriError(error, 'not-found')

/** A REST client of its own beside ari-client, whose one `request` per operation has neither keep-alive nor a deadline. */
export function createAriRest (options: AriRestOptions): AriRest {
  const transport = createTransport(options)

  async function ask<T> (schema: z.ZodType<T>, request: AriRequest): Promise<T> {
    const parsed = schema.safeParse(await transport.json(request))
    if (parsed.success) return parsed.data
    throw new AriError('unavailable', { operation: request.operation, message: `unexpected answer: ${z.prettifyError(parsed.error)}` })
  }

  async function send (request: AriRequest, isFine: (error: unknown) => boolean = () => false): Promise<void> {
    try {
      await transport.json(request)
    } catch (error) {
      if (!isFine(error)) throw error
    }
  }

  const getChannel: AriRest['getChannel'] = (channelId, o) =>
    ask(channelSchema, { ...o, operation: 'getChannel', method: 'GET', path: `/channels/${id(channelId)}` })

  /** Two creations of one id at the same moment can kill Asterisk (ADR 4), so it looks before it asks again. */
  async function snoop ({ channelId, snoopId, spy, app, appArgs }: SnoopRequest, o: CallOptions = {}): Promise<AriChannel> {
    const create = () => ask(channelSchema, {
      ...o, operation: 'snoop', method: 'POST', path: `/channels/${id(channelId)}/snoop/${id(snoopId)}`, query: { spy, app, appArgs }, isRepeatable: false,
    })
    try {
      return await create()
    } catch (error) {
      const isLost = isAriError(error, 'unavailable') && error.status === undefined
      if (!isLost || o.signal?.aborted) throw error
      return await getChannel(snoopId, o).catch(async (cause: unknown) => {
        if (isGone(cause)) return await create()
        throw cause
      })
    }
  }

  return {
    listChannels: (o) => ask(z.array(channelSchema), { ...o, operation: 'listChannels', method: 'GET', path: '/channels' }),
    getChannel,
    listBridges: (o) => ask(z.array(bridgeSchema), { ...o, operation: 'listBridges', method: 'GET', path: '/bridges' }),
    snoop,
    continueInDialplan: (channelId, context, extension, priority, o) => send({
      ...o, operation: 'continue', method: 'POST', path: `/channels/${id(channelId)}/continue`, query: { context, extension, priority },
    }),
    hangup: (channelId, o) => send({ ...o, operation: 'hangup', method: 'DELETE', path: `/channels/${id(channelId)}` }, isGone),
    getVariable: async (channelId, name, o) => {
      try {
        const { value } = await ask(variableSchema, {
          ...o, operation: 'getVariable', method: 'GET', path: `/channels/${id(channelId)}/variable`, query: { variable: name },
        })
        return value
      } catch (error) {
        if (isAriError(error, 'not-found') && error.message.includes('variable')) return undefined
        throw error
      }
    },
    setVariable: (channelId, name, value, o) => send({
      ...o, operation: 'setVariable', method: 'POST', path: `/channels/${id(channelId)}/variable`, query: { variable: name, value },
    }),
    setDeviceState: (name, state, o) => send({
      ...o, operation: 'setDeviceState', method: 'PUT', path: `/deviceStates/${id(name)}`, query: { deviceState: state },
    }),
    sendMessage: (endpoint, body, from, o) => send({
      ...o, operation: 'sendMessage', method: 'PUT', path: `/endpoints/${endpoint.split('/').map(id).join('/')}/sendMessage`, query: { from, body }, isRepeatable: false,
    }),
    play: async (channelId, playbackId, media, o) => {
      await ask(playbackSchema, { ...o, operation: 'play', method: 'POST', path: `/channels/${id(channelId)}/play/${id(playbackId)}`, query: { media } })
    },
    storedRecordingFile: async (name, o) => {
      const { body, headers } = await transport.stream({ ...o, operation: 'storedRecordingFile', method: 'GET', path: `/recordings/stored/${id(name)}/file` })
      const length = Number(headers['content-length'])
      return { stream: body, sizeBytes: Number.isNaN(length) ? undefined : length }
    },
    deleteStoredRecording: (name, o) => send({ ...o, operation: 'deleteStoredRecording', method: 'DELETE', path: `/recordings/stored/${id(name)}` }, isGone),
    getEndpoint: (technology, resource, o) => ask(endpointSchema, { ...o, operation: 'getEndpoint', method: 'GET', path: `/endpoints/${id(technology)}/${id(resource)}` }),
    asteriskInfo: (o) => ask(asteriskInfoSchema, { ...o, operation: 'asteriskInfo', method: 'GET', path: '/asterisk/info' }),
    listApplications: (o) => ask(z.array(applicationSchema), { ...o, operation: 'listApplications', method: 'GET', path: '/applications' }),
    getApplication: (app, o) => ask(applicationSchema, { ...o, operation: 'getApplication', method: 'GET', path: `/applications/${id(app)}` }),
    subscribe: (app, sources, o) => send({
      ...o, operation: 'subscribe', method: 'POST', path: `/applications/${id(app)}/subscription`, query: { eventSource: sources.join(',') },
    }),
    ignoreEvents: (app, types, o) => send({
      ...o, operation: 'ignoreEvents', method: 'PUT', path: `/applications/${id(app)}/eventFilter`, body: { disallowed: types.map((type) => ({ type })) },
    }),
    probe: (o) => send({ ...o, operation: 'probe', method: 'GET', path: '/api-docs/resources.json' }),
    close: () => transport.close(),
  }
}
