import type { Test } from 'tap'
import { eventually } from '@tacet/test-kit'
import { fetchAri } from './ground.ts'
import { liveLines, type Line, type RecordingState } from './history.ts'
import type { World } from './play.ts'

/** The issue's own bound. */
const knownWithinMs = 2000

interface Seen { line: Line, state: RecordingState, wrong: string | null }

/** Of every call the right state is known, soon after call-control says that it is ready. False when it died meanwhile. */
export async function becomeKnown (t: Test, world: World): Promise<boolean> {
  const { adminUrl, isRunning } = world.tacet.services['call-control']
  const isReady = async () => {
    const answer = await fetch(`${adminUrl}/ready`, { signal: AbortSignal.timeout(2000) })
    return answer.ok && (await answer.json() as { checks: { pbx: { role: string, state: string } } }).checks.pbx.role === 'active'
  }
  await eventually(async () => !isRunning() || await isReady(), { timeoutMs: 60_000, intervalMs: 20, message: 'call-control did not become ready' })
  const readyAtMs = performance.now()
  let seen: Seen[] = []
  await eventually(async () => {
    if (!isRunning()) return true
    seen = await look(world)
    return seen.every(({ wrong }) => wrong === null)
  }, { timeoutMs: 15_000, intervalMs: 50, message: 'the calls did not come to rest' }).catch(error => t.fail(error.message, { wrong: seen.flatMap(({ wrong }) => wrong ?? []) }))
  if (!isRunning()) return false
  const tookMs = performance.now() - readyAtMs
  t.ok(tookMs <= knownWithinMs, `the right states are known within ${Math.round(tookMs)} ms`)
  for (const { line, state } of seen) line.learn(state)
  return true
}

async function look (world: World): Promise<Seen[]> {
  const { tacet, ground, history } = world
  const recording = await recordersThatRecord(ground.stack)
  return await Promise.all(liveLines(history).map(async line => {
    const { state } = await line.talk.status(tacet.supervisorToken)
    const files = recording.filter(id => id.includes(line.talk.callId))
    return { line, state: state as RecordingState, wrong: judge(line, state, files) }
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
  const channels = await (await fetchAri(stack, '/channels')).json() as { id: string, dialplan: { exten: string } }[]
  return channels.filter(({ id, dialplan: { exten } }) => id.startsWith('tacet-') && /^(start|begin|stop-)/.test(exten)).map(({ id }) => id)
}
