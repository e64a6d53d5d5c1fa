import type { Stack } from '@tacet/contracts'
import type { ProbedEvent } from '@tacet/test-kit'
import colors from 'picocolors'
import type { Check } from './checks.ts'
import type { Line } from './script.ts'

type Write = (text: string) => void

const indent = ' '.repeat(13)

/** Shows a call as its events come in; the times are those in the events, counted from the first. */
export function showCall (stack: Stack, write: Write): { event: (event: ProbedEvent) => void, line: (line: Line) => void } {
  const nameOf = agentNames(stack)
  let startedAtMs: number | undefined
  return {
    event (event) {
      const atMs = Date.parse(event.data?.at ?? event.time ?? '')
      startedAtMs ??= atMs
      const told = tell(event, stack, nameOf)
      if (!told) return
      const [mark, word, more] = told
      const source = `${event.topic}${event.data?.seq ? ` #${event.data.seq}` : ''}`
      write(`  ${((atMs - startedAtMs) / 1000).toFixed(1).padStart(6)} s  ${mark} ${colors.bold(word.padEnd(10))} ${more}  ${colors.dim(source)}`)
    },
    line: ({ by, text }) => write(`${indent}${colors.dim(`${by === 'agent' ? nameOf(stack.agents[0]?.agentId) : 'Customer'}: “${text}”`)}`),
  }
}

/** The agents' names by their ids. */
export const agentNames = ({ agents }: Stack) => (agentId: string | null | undefined): string =>
  agents.find((agent) => agent.agentId === agentId)?.name ?? 'somebody'

const marks = { rings: colors.cyan('☎'), recording: colors.red('●'), paused: colors.yellow('‖'), ended: colors.dim('■'), done: colors.green('✓') }

function tell ({ type, data }: ProbedEvent, { numbers }: Stack, nameOf: (agentId: string | null) => string): [mark: string, word: string, more: string] | undefined {
  const by = data?.by?.agentId ? `by ${nameOf(data.by.agentId)}` : ''
  switch (type) {
    case 'call.ringing': return [marks.rings, 'ringing', `${data.customer} calls ${numbers.find(({ e164 }) => e164 === data.number)?.label ?? data.number}`]
    case 'call.answered': return [marks.rings, 'answered', `by ${data.agentIds.map(nameOf).join(', ')}`]
    case 'recording.started': return [marks.recording, 'recording', `segment ${data.segment}`]
    case 'recording.paused': return [marks.paused, 'paused', by]
    case 'recording.resumed': return [marks.recording, 'recording', `segment ${data.segment}, ${by}`]
    case 'recording.ended': return [marks.ended, 'ended', data.endReason]
    case 'recording.assembled': return [marks.done, 'assembled', `${data.outcome}, ${(data.durationMs / 1000).toFixed(1)} s, ${data.gaps === 1 ? '1 gap' : `${data.gaps} gaps`}`]
    default: return undefined
  }
}

export function showChecks (checks: Check[], write: Write): void {
  for (const { isOk, says } of checks) write(`  ${isOk ? colors.green('✓') : colors.red('✗')} ${says}`)
}
