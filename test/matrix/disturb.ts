import { once } from 'node:events'
import type { Test } from 'tap'
import type { ProblemCode } from '@tacet/contracts'
import { createHttpClient, eventually, withDeadline, type HttpAnswer, type HttpClient } from '@tacet/test-kit'
import type { ServiceProcess } from '../support/processes.ts'
import { liveLines, type Line } from './history.ts'
import type { World } from './play.ts'
import type { ServiceLogs } from './service-logs.ts'

let thief: WebSocket | undefined

/** Somebody else subscribes as our application: Asterisk takes it away from us. */
export async function takeWebsocket ({ ground }: World): Promise<void> {
  const { url, username, password, app } = ground.stack.ari
  thief = new WebSocket(`${url.replace('http', 'ws')}/ari/events?app=${app}&api_key=${username}:${password}`)
  await once(thief, 'open')
}

export async function closeThief (): Promise<void> {
  thief?.close()
  thief = undefined
}

/** Which it was told by Asterisk. */
export const isReplaced = async (_world: World, log: ServiceLogs): Promise<boolean> =>
  (await log.read('call-control')).some(({ msg }) => msg === 'ARI application replaced by another instance')

const sleepers = new Set<number>()
// Nobody ever wakes a frozen process of a test that was killed.
process.on('exit', () => sleepers.forEach(pid => { try { process.kill(pid, 'SIGCONT') } catch {} }))

export async function freeze ({ pid }: ServiceProcess): Promise<void> {
  sleepers.add(pid)
  process.kill(pid, 'SIGSTOP')
}

export async function wake ({ pid }: ServiceProcess): Promise<void> {
  sleepers.delete(pid)
  process.kill(pid, 'SIGCONT')
}

/** Its port takes connections, and nobody answers. */
export const isAsleep = ({ adminUrl }: ServiceProcess): Promise<boolean> =>
  fetch(`${adminUrl}/live`, { signal: AbortSignal.timeout(500) }).then(() => false, error => error.name === 'TimeoutError')

let second: ServiceProcess | undefined

export const isSecondInCharge = async (): Promise<boolean> => second !== undefined && await roleOf(second) === 'active'

/** A second call-control beside the first; whoever asks, asks both. */
export async function addSecond ({ tacet }: World): Promise<ServiceProcess> {
  second = await tacet.startSecond()
  tacet.callControl = askAll([tacet.services['call-control'].url, second.url].map(url => createHttpClient(url)))
  return second
}

export async function removeSecond ({ tacet }: World): Promise<void> {
  await second?.kill('SIGTERM')
  second = undefined
  tacet.callControl = createHttpClient(tacet.services['call-control'].url)
}

/** The answer of the one that is in charge, as soon as it is here; else the others'. */
const askAll = (clients: HttpClient[]): HttpClient => async (path, request) => {
  const answers = clients.map(async client => await client(path, { timeoutMs: 5000, ...request }))
  const isOfStandby = ({ status, body }: HttpAnswer) => status === 503 && body?.code === 'standby'
  return await Promise.any(answers.map(async answer => {
    if (isOfStandby(await answer)) throw new Error('standby')
    return await answer
  })).catch(async () => await Promise.any(answers))
}

/** Pauses and resumes, each asked of both instances at once, while now and then the one in charge is put to sleep until the other takes over. */
export async function contest (world: World, t: Test, { operations, perReign }: { operations: number, perReign: number }): Promise<void> {
  const other = await addSecond(world)
  const instances = [world.tacet.services['call-control'], other]
  const asked: Asked[] = []
  for (let done = 0; done < operations; done += perReign) {
    asked.push(...await press(world, Math.min(perReign, operations - done)))
    const asleep = await eventually(async () => await activeOf(instances), { timeoutMs: 20_000, intervalMs: 100, message: 'nobody is in charge' })
    await freeze(asleep)
    // It is asked too, and will find that in its sockets when it wakes.
    const late = Promise.all(liveLines(world.history).map(async line => await ask(line, 'pause')))
    await eventually(async () => await activeOf(instances.filter(instance => instance !== asleep)), { timeoutMs: 20_000, intervalMs: 100, message: 'nobody took over' })
    await wake(asleep)
    asked.push(...await late)
  }
  judgeAsked(t, asked)
}

interface Asked { action: 'pause' | 'resume', outcome: string }

async function press ({ history }: World, operations: number): Promise<Asked[]> {
  const lines = liveLines(history)
  const asked: Asked[] = []
  await Promise.all(lines.map(async line => {
    for (let done = 0; done < operations / lines.length; done++) asked.push(await ask(line, line.may.has('paused') ? 'resume' : 'pause'))
  }))
  return asked
}

async function ask (line: Line, action: Asked['action']): Promise<Asked> {
  const answer = await line.press(action)
  if (answer === undefined) return { action, outcome: 'no answer' }
  return { action, outcome: answer.status === 200 ? granted : answer.problem().code }
}

const granted = 'granted'
const leastGranted = 0.2
/** What may be said to somebody who asks while one takes over from the other. Whoever gets no answer at all was let down. */
const excuses = new Set<string>(['standby', 'pbx-unavailable', 'storage-unavailable', 'pause-unconfirmed', 'recorder-failed', 'superseded-by-pause', 'overloaded'] satisfies ProblemCode[])

/** Whoever refuses everything records nothing wrong either. */
function judgeAsked (t: Test, asked: Asked[]): void {
  for (const action of ['pause', 'resume'] as const) {
    const outcomes = Object.groupBy(asked.filter(one => one.action === action), ({ outcome }) => outcome)
    const counts = Object.entries(outcomes).map(([outcome, those]) => [outcome, those!.length] as const)
    const all = counts.reduce((sum, [, count]) => sum + count, 0)
    const grantedOnes = outcomes[granted]?.length ?? 0
    t.ok(grantedOnes > 0 && grantedOnes >= leastGranted * all, `of ${all} contested ${action}s ${grantedOnes} were granted`)
    t.same(counts.filter(([outcome]) => outcome !== granted && !excuses.has(outcome)), [], `the other ${action}s were refused for a good reason: ${JSON.stringify(counts)}`)
  }
}

async function activeOf (instances: ServiceProcess[]): Promise<ServiceProcess | undefined> {
  for (const instance of instances) if (await roleOf(instance) === 'active') return instance
  return undefined
}

const roleOf = async ({ adminUrl }: ServiceProcess): Promise<string | undefined> => {
  const { checks } = await (await fetch(`${adminUrl}/ready`, { signal: AbortSignal.timeout(1000) })).json() as { checks?: { pbx?: { role?: string } } }
  return checks?.pbx?.role
}

let drained: Promise<void> | undefined

/** Takes no new calls from now on, and ends with the last of those it has, as for `core restart gracefully`; it is started again like a service. */
export async function drainAsterisk ({ ground }: World): Promise<void> {
  drained = ground.parts.asterisk.ended()
  // It answers when it is done, or after a minute.
  ground.asteriskCommand('core stop gracefully').catch(() => {})
}

export async function startDrained (world: World): Promise<void> {
  const { history, ground } = world
  for (const line of liveLines(history)) await line.hangup()
  await withDeadline(drained!, 20_000, 'Asterisk did not end with its last call')
  await ground.parts.asterisk.start()
  await registerAll(world)
}

export async function registerAll ({ history: { office: { outside, desks } } }: World): Promise<void> {
  await Promise.all([outside, ...desks].map(async phone => await eventually(async () => { await phone.register(); return true }, { timeoutMs: 20_000, message: 'a phone did not register' })))
}
