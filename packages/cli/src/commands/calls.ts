import { randomUUID } from 'node:crypto'
import type { Command } from 'commander'
import type { GetContext } from '../program.ts'

const id = encodeURIComponent

export function addCallCommands (program: Command, getContext: GetContext): void {
  program.command('calls').description('live calls and the state of their recordings').option('-a, --agent <id>', 'only this agent\'s').action(async ({ agent }: { agent?: string }) => {
    const context = getContext()
    const calls = await context.callControl.list(`/v1/calls${agent === undefined ? '' : `?agent=${id(agent)}`}`)
    context.show(calls, ['callId', 'direction', 'number', 'customer', 'agentIds', 'answeredAt', 'recording.state', 'recording.reasons'])
  })
  for (const [action, description] of [['pause', 'stop the recording of a call'], ['resume', 'start it, again or for the first time']] as const) {
    program.command(action).description(description).argument('<callId>').option('--note <text>', 'for the audit log; never the secret itself')
      .action(async (callId: string, { note }: { note?: string }) => {
        const context = getContext()
        const request = { body: note === undefined ? {} : { note }, headers: { 'idempotency-key': randomUUID() } }
        context.show(await context.callControl.call(`/v1/calls/${id(callId)}/recording/${action}`, request))
      })
  }
  program.command('recordings').description('finished recordings, or one of them').argument('[recordingId]').action(async (recordingId: string | undefined) => {
    const context = getContext()
    if (recordingId !== undefined) return context.show(await context.assembly.call(`/v1/recordings/${id(recordingId)}`))
    context.show(await context.assembly.list('/v1/recordings'), ['recordingId', 'status', 'direction', 'number', 'customer', 'startedAt', 'durationMs', 'gaps'])
  })
}
