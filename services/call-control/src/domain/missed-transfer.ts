import { joinedAgents, type Call } from './call.ts'
import type { CallView } from './call-view.ts'

/**
 * Nobody watched, and an agent has gone: hung up, or transferred the call? Where somebody new is in their place it was a
 * transfer; where nobody is yet, that is unclear until somebody comes.
 */
export function missedTransfer (call: Call, view: CallView, isCatchUp: boolean): 'transferred' | 'unclear' | 'none' {
  const agents = joinedAgents(call)
  const staying = agents.filter(({ channelId }) => view.agents.some(agent => agent.channelId === channelId))
  // Whoever was seen to transfer goes by that.
  const isLeft = isCatchUp && agents.some(agent => !staying.includes(agent) && !agent.hasTransferred)
  // An attended one has made one call of two, and who is left was asked first.
  if (isLeft && staying.length > 0 && call.linkedIds.length > 1 && !call.isTransferred) return 'transferred'
  const isAnotherTalk = staying.length < (call.direction === 'internal' ? 2 : 1)
  if (!call.isLeftUnseen && !(isLeft && isAnotherTalk)) return 'none'
  const isNew = (legId: string) => legId !== call.recordedLegId && !call.participants.some(({ channelId }) => channelId === legId)
  return view.legIds.some(isNew) ? 'transferred' : 'unclear'
}
