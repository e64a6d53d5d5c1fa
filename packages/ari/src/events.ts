import { z } from 'zod'
import { bridgeSchema, channelSchema } from './resources.ts'

const channel = channelSchema
const bridge = bridgeSchema

function event<const T extends string, S extends z.core.$ZodLooseShape> (type: T, shape: S) {
  return z.object({ type: z.literal(type), application: z.string().default(''), timestamp: z.string().default(''), ...shape })
}

const transfer = { result: z.string(), is_external: z.boolean().default(false) }

const known = z.discriminatedUnion('type', [
  event('ChannelCreated', { channel }),
  event('ChannelDestroyed', { channel, cause: z.number().default(0), cause_txt: z.string().default('') }),
  event('ChannelStateChange', { channel }),
  event('ChannelEnteredBridge', { channel, bridge }),
  event('ChannelLeftBridge', { channel, bridge }),
  event('ChannelHold', { channel, musicclass: z.string().optional() }),
  event('ChannelUnhold', { channel }),
  event('ChannelHangupRequest', { channel, cause: z.number().optional(), soft: z.boolean().optional() }),
  event('ChannelConnectedLine', { channel }),
  event('ChannelCallerId', { channel, caller_presentation: z.number().default(0), caller_presentation_txt: z.string().default('') }),
  event('ChannelDialplan', { channel, dialplan_app: z.string().default(''), dialplan_app_data: z.string().default('') }),
  event('ChannelVarset', { channel: channel.optional(), variable: z.string(), value: z.string().default('') }),
  event('ChannelUserevent', {
    channel: channel.optional(), bridge: bridge.optional(), eventname: z.string(), userevent: z.record(z.string(), z.unknown()).default({}),
  }),
  event('Dial', {
    caller: channel.optional(),
    peer: channel,
    forward: z.string().optional(),
    forwarded: channel.optional(),
    /** Empty when the dialling begins; `ANSWER`, `CANCEL`, `BUSY` … later. */
    dialstatus: z.string().default(''),
    dialstring: z.string().default(''),
  }),
  event('BridgeCreated', { bridge }),
  event('BridgeDestroyed', { bridge }),
  event('BridgeMerged', { bridge, bridge_from: bridge }),
  event('BridgeBlindTransfer', {
    ...transfer,
    channel,
    exten: z.string().default(''),
    context: z.string().default(''),
    bridge: bridge.optional(),
    transferee: channel.optional(),
    replace_channel: channel.optional(),
  }),
  event('BridgeAttendedTransfer', {
    ...transfer,
    transferer_first_leg: channel,
    transferer_first_leg_bridge: bridge.optional(),
    transferer_second_leg: channel,
    transferer_second_leg_bridge: bridge.optional(),
    transferee: channel.optional(),
    transfer_target: channel.optional(),
    replace_channel: channel.optional(),
    destination_type: z.string().default(''),
    destination_bridge: z.string().optional(),
    destination_application: z.string().optional(),
    destination_link_first_leg: channel.optional(),
    destination_link_second_leg: channel.optional(),
    destination_threeway_channel: channel.optional(),
    destination_threeway_bridge: bridge.optional(),
  }),
  event('StasisStart', { channel, args: z.array(z.string()).default([]), replace_channel: channel.optional() }),
  event('StasisEnd', { channel }),
  event('DeviceStateChanged', { device_state: z.object({ name: z.string(), state: z.string() }) }),
  event('ApplicationReplaced', {}),
])

type KnownEvent = z.output<typeof known>

/** `problem` says why an event of a known type was not understood. */
export type OtherEvent = { type: 'Other', name: string, problem?: string }
export type AriEvent = KnownEvent | OtherEvent
export type AriEventOf<T extends AriEvent['type']> = Extract<AriEvent, { type: T }>

export const knownEventTypes: ReadonlySet<string> = new Set(known.options.map((option) => option.shape.type.value))

const named = z.object({ type: z.string() })

/** Parses what the websocket said. Never throws: what we don't use or don't understand is `Other`. */
export function parseAriEvent (raw: unknown): AriEvent {
  const name = named.safeParse(raw).data?.type ?? ''
  if (!knownEventTypes.has(name)) return { type: 'Other', name }
  const parsed = known.safeParse(raw)
  return parsed.success ? parsed.data : { type: 'Other', name, problem: z.prettifyError(parsed.error) }
}
