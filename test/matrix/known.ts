import type { Test } from 'tap'
import { eventually } from '@tacet/test-kit'
import { fetchAri } from './ground.ts'
import type { Line, RecordingState } from './history.ts'
import type { World } from './play.ts'

/** The issue's own bound. */
const knownWithinMs = 2000
/** Often enough for the bound, and seldom enough not to be what it is broken by. */
const lookEveryMs = 100

interface Seen { line: Line, state: RecordingState, wrong: string | null }

/**
 * From now on: of every call the right state is known, soon after call-control first says that it is ready and in charge.
 * False when it died before.
 */
export async function becomeKnown (t: Test, world: World, hasDied: () => boolean = () => !world.tacet.services['call-control'].isRunning()): Promise<boolean> {
  await eventually(async () => hasDied() || await isInCharge(world), { timeoutMs: 90_000, intervalMs: 20, message: 'call-control did not become ready' })
  const readyAtMs = performance.now()
  let seen: Seen[] = []
  await eventually(async () => {
    if (hasDied()) return true
    seen = await look(world)
    return seen.every(({ wrong }) => wrong === null)
  }, { timeoutMs: 15_000, intervalMs: lookEveryMs, message: 'the calls did not come to rest' }).catch(error => {
    if (!hasDied()) t.fail(error.message, { wrong: seen.flatMap(({ wrong }) => wrong ?? []), cause: String(error.cause) })
  })
  if (hasDied()) return false
  const tookMs = performance.now() - readyAtMs
  t.ok(tookMs <= knownWithinMs, `the right states are known within ${Math.round(tookMs)} ms`)
  return true
}

/** Everybody is told, now that nobody waits for an answer any more. */
export async function learnStates (world: World): Promise<void> {
  for (const { line, state } of await look(world)) if (line.may.has(state)) line.learn(state)
}

async function isInCharge ({ tacet }: World): Promise<boolean> {
  const answer = await fetch(`${tacet.services['call-control'].adminUrl}/ready`, { signal: AbortSignal.timeout(2000) })
  const { checks } = await answer.json() as { checks?: { pbx?: { role?: string, state?: string } } }
  return answer.ok && checks?.pbx?.role === 'active' && checks.pbx.state === 'up'
}

/** Those that go on, and those whose end was not seen yet. */
async function look ({ tacet, ground, history }: World): Promise<Seen[]> {
  const recording = await recordersThatRecord(ground.stack)
  const lines = history.lines.filter(({ isKnownToBeOver }) => !isKnownToBeOver)
  return await Promise.all(lines.map(async line => {
    const { state } = await line.talk.status(tacet.supervisorToken)
    const files = recording.filter(id => id.includes(line.talk.callId))
    const seen = { line, state: state as RecordingState, wrong: judge(line, state, files) }
    line.isKnownToBeOver = line.isOver && state === 'ended' && seen.wrong === null
    return seen
  }))
}

/** What is said, what was answered, and what the PBX does: the three agree. */
function judge ({ name, may }: Line, state: string, recorders: string[]): string | null {
  if (!may.has(state as RecordingState)) return `${name} is ${state}, and may be ${[...may].join(' or ')}`
  if (state === 'recording' && recorders.length !== 1) return `${name} is recording, by ${recorders.length} recorders`
  if (state !== 'recording' && state !== 'unconfirmed' && recorders.length > 0) return `${name} is ${state}, and ${recorders.join(', ')} records`
  return null
}

/** Those on the PBX that have a file open. */
export async function recordersThatRecord (stack: World['ground']['stack']): Promise<string[]> {
  return (await recordersOn(stack)).filter(({ dialplan: { exten } }) => /^(start|begin|stop-)/.test(exten)).map(({ id }) => id)
}

export async function recordersOn (stack: World['ground']['stack']): Promise<{ id: string, dialplan: { exten: string } }[]> {
  const channels = await (await fetchAri(stack, '/channels')).json() as { id: string, dialplan: { exten: string } }[]
  return channels.filter(({ id }) => id.startsWith('tacet-'))
}
