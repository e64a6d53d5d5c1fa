import { z } from 'zod'

const party = z.object({ name: z.string().default(''), number: z.string().default('') })

const channelVars = z.record(z.string(), z.unknown()).transform(
  (vars) => Object.fromEntries(Object.entries(vars).map(([name, value]): [string, string] => [name, value == null ? '' : String(value)]))
)

export const channelSchema = z.object({
  id: z.string(),
  name: z.string(),
  state: z.string(),
  /** The SIP Call-ID of a PJSIP channel. */
  protocol_id: z.string().default(''),
  caller: party,
  connected: party,
  accountcode: z.string().default(''),
  dialplan: z.object({
    context: z.string().default(''),
    exten: z.string().default(''),
    priority: z.number().default(0),
    app_name: z.string().default(''),
    app_data: z.string().default(''),
  }),
  creationtime: z.string(),
  language: z.string().default(''),
  /** The variables named by `channelvars` in ari.conf, for example `CHANNEL(linkedid)`. */
  channelvars: channelVars.default({}),
})

export const bridgeSchema = z.object({
  id: z.string(),
  technology: z.string().default(''),
  bridge_type: z.string().default(''),
  bridge_class: z.string().default(''),
  creator: z.string().default(''),
  name: z.string().default(''),
  channels: z.array(z.string()).default([]),
  creationtime: z.string().optional(),
})

export const endpointSchema = z.object({
  technology: z.string(),
  resource: z.string(),
  state: z.string().default('unknown'),
  channel_ids: z.array(z.string()).default([]),
})

export const applicationSchema = z.object({
  name: z.string(),
  channel_ids: z.array(z.string()).default([]),
  bridge_ids: z.array(z.string()).default([]),
})

export const asteriskInfoSchema = z.object({
  system: z.object({ version: z.string(), entity_id: z.string().default('') }),
  status: z.object({ startup_time: z.string(), last_reload_time: z.string().optional() }),
})

export const variableSchema = z.object({ value: z.string() })
export const playbackSchema = z.object({ id: z.string(), state: z.string() })

export type AriChannel = z.output<typeof channelSchema>
export type AriBridge = z.output<typeof bridgeSchema>
export type AriEndpoint = z.output<typeof endpointSchema>
export type AriApplication = z.output<typeof applicationSchema>
export type AsteriskInfo = z.output<typeof asteriskInfoSchema>

/** Asterisk's `2026-11-23T07:32:27.205+0000` in epoch milliseconds. */
export const ariTimeMs = (time: string): number => Date.parse(time)
