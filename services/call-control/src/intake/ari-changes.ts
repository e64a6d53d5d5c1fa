import { ariTimeMs, type AriBridge, type AriChannel, type AriEvent } from '@tacet/ari'
import type { Leg, PbxSnapshot } from '../domain/pbx.ts'
import type { PbxChange } from '../usecases/follow-calls.ts'

/** Asterisk's formats that carry more than 8,000 samples a second (main/codec_builtin.c; amrwb comes with Debian). */
const wideband = new Set([
  'g719', 'g722', 'siren7', 'siren14', 'opus', 'amrwb', 'silk12', 'silk16', 'silk24', 'speex16', 'speex32',
  'slin12', 'slin16', 'slin24', 'slin32', 'slin44', 'slin48', 'slin96', 'slin192',
])
/** `(opus|ulaw)`, say, or `g722`. */
const isWideband = (formats: string): boolean => formats.split(/[^a-z0-9]+/).some(format => wideband.has(format))

/** `PJSIP/1001-0000002a` is the endpoint `PJSIP/1001`; `Local/1001@agents-00000001;2` is `Local/1001@agents`. */
const endpointOf = (channelName: string): string => channelName.replace(/-[0-9a-f]+(;[12])?$/, '')

export function toLeg (channel: AriChannel): Leg {
  const vars = channel.channelvars
  return {
    channelId: channel.id,
    endpoint: endpointOf(channel.name),
    linkedId: vars['CHANNEL(linkedid)'] || channel.id,
    stage: channel.state === 'Up' ? 'up' : channel.state === 'Down' || channel.state === 'Rsrvd' ? 'down' : 'ringing',
    createdAtMs: ariTimeMs(channel.creationtime),
    callerNumber: channel.caller.number || null,
    connectedNumber: channel.connected.number || null,
    dialledNumber: vars['CALLERID(dnid)'] || (channel.dialplan.exten === 's' ? null : channel.dialplan.exten) || null,
    sipCallId: channel.protocol_id || null,
    numberOverride: vars.TACET_NUMBER || null,
    isWideband: isWideband(vars['CHANNEL(audionativeformat)'] ?? ''),
  }
}

export const toSnapshot = (channels: AriChannel[], bridges: AriBridge[]): PbxSnapshot => ({
  legs: channels.map(toLeg),
  bridges: bridges.map(({ id, channels: channelIds }) => ({ bridgeId: id, channelIds })),
})

/** Of these no one wants to hear; a recorder alone makes a dozen at each step. Asterisk then spares itself the trouble. */
export const ignoredEvents = [
  'ChannelVarset', 'ChannelDialplan', 'ChannelHangupRequest', 'ChannelUserevent', 'ChannelTalkingStarted', 'ChannelTalkingFinished', 'ChannelDtmfReceived',
  'ChannelToneDetected', 'ChannelTransfer', 'Dial', 'StasisEnd', 'BridgeCreated', 'BridgeVideoSourceChanged',
]

/** Translates what concerns calls; undefined for everything else. */
export function toChange (event: AriEvent): PbxChange | undefined {
  switch (event.type) {
    case 'ChannelCreated': case 'ChannelStateChange': case 'ChannelConnectedLine': case 'ChannelCallerId':
      return { type: 'leg-seen', leg: toLeg(event.channel) }
    case 'ChannelDestroyed':
      return { type: 'leg-gone', channelId: event.channel.id }
    case 'ChannelEnteredBridge': case 'ChannelLeftBridge':
      return { type: 'bridge', bridgeId: event.bridge.id, channelIds: event.bridge.channels, leg: toLeg(event.channel) }
    case 'BridgeDestroyed':
      return { type: 'bridge', bridgeId: event.bridge.id, channelIds: [] }
    case 'BridgeMerged':
      return { type: 'bridge', bridgeId: event.bridge.id, channelIds: event.bridge.channels }
    case 'ChannelHold':
      return { type: 'held', leg: toLeg(event.channel) }
    case 'ChannelUnhold':
      return { type: 'unheld', leg: toLeg(event.channel) }
    case 'BridgeBlindTransfer':
      if (event.result !== 'Success') return undefined
      return { type: 'transferred', kind: 'blind', byChannelIds: [event.channel.id], to: event.exten || null }
    case 'BridgeAttendedTransfer':
      if (event.result !== 'Success') return undefined
      return {
        type: 'transferred',
        kind: 'attended',
        byChannelIds: [event.transferer_first_leg.id, event.transferer_second_leg.id],
        // Whoever only rings yet is no target, but the second leg knows whom it called.
        to: event.transfer_target?.caller.number || event.transferer_second_leg.connected.number || null,
      }
    case 'Dial': case 'ChannelHangupRequest': case 'ChannelDialplan': case 'ChannelVarset': case 'ChannelUserevent': case 'BridgeCreated':
    case 'StasisStart': case 'StasisEnd': case 'DeviceStateChanged': case 'ApplicationReplaced': case 'Other':
      return undefined
  }
}
