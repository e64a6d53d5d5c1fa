import type { Test } from 'tap'
import { eventually } from '@tacet/test-kit'
import type { ServiceName } from '@tacet/stack'
import type { Tacet } from '../support/tacet.ts'
import type { Ground } from './ground.ts'
import { callIn, callInUnseen, liveLines, talkOn, type History, type Line } from './history.ts'
import { becomeKnown, learnStates } from './known.ts'
import { openServiceLogs, type Alarm, type ServiceLogs } from './service-logs.ts'

export interface World { ground: Ground, tacet: Tacet, history: History }

/** What people do while a fault lasts. */
export type Act = 'pause' | 'resume' | 'resume for a while' | 'call' | 'hang up'

/** `npm test` plays one of each at least. */
export type Group = 'pause' | 'resume' | 'assembly' | 'infrastructure' | 'spool'

export interface Fault {
  name: string
  group: Group
  during: readonly Act[]
  /** What a service is started with, so that it meets the fault by itself. */
  armed?: { service: ServiceName, env: Record<string, string> }
  inject: (world: World, t: Test) => Promise<unknown>
  /** What shows that it had its effect. */
  isFelt?: (world: World, log: ServiceLogs) => Promise<boolean>
  /** After this nothing is in the way any more. The next fault's `armed`, if it is for this service, is for its start. */
  recover: (world: World, next: Fault | undefined) => Promise<unknown>
  lastsMs: number
  /** The PBX dies, and its calls with it. New ones are recorded as ever. */
  isEndOfCalls?: boolean
  /** The recordings of those who do this must lack something, for such a reason. */
  lacking?: Partial<Record<Act, RegExp>>
  /** What must be called out to a person before it is over: by an error in the log, and by a metric. */
  alarm?: Alarm
  /** Nothing else befalls its calls. */
  isAlone?: boolean
  /** What it takes, in seconds, on two cores: for the choice of a slice. */
  costs: number
}

const desks = [0, 1, 2] as const

/** Two calls, one of them paused. */
export async function begin (history: History): Promise<void> {
  const first = await callIn(history, 0)
  const second = await callIn(history, 1)
  await Promise.all([first, second].map(async ({ talk }) => await talk.isRecorded()))
  await talkOn(history, 300)
  await mustPress(second, 'pause')
}

/** One fault, and what people do meanwhile; ends when everything is known to be as it should be. */
export async function play (t: Test, world: World, fault: Fault, next: Fault | undefined): Promise<void> {
  const { history, tacet } = world
  if (!tacet.services['call-control'].isRunning()) await settle(t, world)
  const subjects = await prepare(world, fault).catch(async error => {
    // It was armed already, and met the point in these presses: P6, say, when a resume had to wait for an old recorder.
    await eventually(() => !tacet.services['call-control'].isRunning(), { timeoutMs: 2000 }).catch(() => { throw error })
    await settle(t, world)
    return await prepare(world, fault)
  })
  if (fault.armed && !isArmed(tacet, fault)) await arm(world, fault)
  const log = await openServiceLogs(tacet)
  await fault.inject(world, t)
  // Who asks may get no answer before it is over.
  const acting = act(world, fault, subjects)
  acting.catch(() => {})
  await talkOn(history, fault.lastsMs)
  if (fault.armed) await died(t, world, fault.armed.service)
  if (fault.isFelt) await eventually(() => fault.isFelt!(world, log), { timeoutMs: 20_000, intervalMs: 100, message: 'nothing shows that it happened' })
  if (fault.alarm) await log.alarmed(t, fault.alarm)
  const ends = fault.isEndOfCalls ? liveLines(history).map(async line => await line.cutOff()) : []
  const { unseen } = await recover(t, world, fault, next, acting)
  await Promise.all(ends)
  await settle(t, world)
  if (unseen) {
    const met = await unseen.meet()
    met.lacks = fault.lacking?.call ?? null
    await settle(t, world)
    await met.hangup()
  }
  if (liveLines(history).length === 0) await begin(history)
}

/** What is right is known soon after call-control is ready, whoever may still wait for an answer. */
async function recover (t: Test, world: World, fault: Fault, next: Fault | undefined, acting: ReturnType<typeof act>): ReturnType<typeof act> {
  let isOver = false
  const known = becomeKnown(t, world, () => isOver && !world.tacet.services['call-control'].isRunning())
  known.catch(() => {})
  await fault.recover(world, next)
  isOver = true
  await known
  return await acting
}

/** What was started again may be armed for the next fault, and meet it in its recovery already. */
async function settle (t: Test, world: World): Promise<void> {
  const { tacet } = world
  const isKnown = await becomeKnown(t, world)
  if (!isKnown || !tacet.services['call-control'].isRunning()) {
    await tacet.start('call-control')
    await becomeKnown(t, world)
  }
  await learnStates(world)
}

interface Subjects { pause?: Line, resume?: Line, hangUp?: Line }

/** Somebody to pause, somebody to resume, somebody to hang up. */
async function prepare ({ history }: World, { during, lacking }: Fault): Promise<Subjects> {
  const subjects: Subjects = {}
  const lines = () => liveLines(history).filter(line => !Object.values(subjects).includes(line))
  if (during.includes('hang up')) {
    subjects.hangUp = await callIn(history, freeDesk(history))
    await subjects.hangUp.talk.isRecorded()
  }
  if (during.includes('pause')) subjects.pause = await find(lines(), 'recording', 'resume')
  if (during.includes('resume') || during.includes('resume for a while')) subjects.resume = await find(lines(), 'paused', 'pause')
  await talkOn(history, 300)
  for (const [act, line] of [['pause', subjects.pause], ['resume for a while', subjects.resume]] as const) if (line) line.lacks ??= lacking?.[act] ?? null
  return subjects
}

async function find (lines: Line[], state: 'recording' | 'paused', action: 'pause' | 'resume'): Promise<Line> {
  const found = lines.find(({ may }) => may.size === 1 && may.has(state)) ?? lines[0]
  if (!found) throw new Error('no call is left')
  if (!found.may.has(state) || found.may.size > 1) await mustPress(found, action)
  return found
}

async function mustPress (line: Line, action: 'pause' | 'resume'): Promise<void> {
  const answer = await line.press(action)
  if (answer?.status !== 200) throw new Error(`${line.name}: ${action} was not granted: ${answer?.status} ${JSON.stringify(answer?.body)}`)
}

function freeDesk ({ lines }: History): 0 | 1 | 2 {
  const busy = lines.filter(({ isOver }) => !isOver).length
  const desk = desks[busy]
  if (desk === undefined) throw new Error('every agent is in a call')
  return desk
}

type Unseen = Awaited<ReturnType<typeof callInUnseen>>

async function act ({ history }: World, { during }: Fault, { pause, resume, hangUp }: Subjects): Promise<{ unseen: Unseen | undefined }> {
  const call = async () => {
    await hangUp?.hangup()
    return during.includes('call') ? await callInUnseen(history, 2) : undefined
  }
  const resumed = async () => {
    await resume?.press('resume')
    if (!during.includes('resume for a while')) return
    await talkOn(history, 3000)
    await resume?.press('pause')
  }
  const [unseen] = await Promise.all([call(), pause?.press('pause'), resumed()])
  return { unseen }
}

const armedWith = new WeakMap<object, string>()
const isArmed = ({ services }: Tacet, { name, armed }: Fault): boolean => armed !== undefined && armedWith.get(services[armed.service]) === name

async function arm ({ tacet }: World, { name, armed }: Fault): Promise<void> {
  if (!armed) return
  const { service, env } = armed
  // A consumer that is killed is missed by its group for ten seconds; and where it is killed is what the fault is about.
  if (tacet.services[service].isRunning()) await tacet.services[service].kill(service === 'recording-assembly' ? 'SIGTERM' : 'SIGKILL')
  armedWith.set(await tacet.start(service, env), name)
}

/** Starts a service that was killed, armed for the next fault if that is its own; that may meet it as soon as it recovers. */
export async function startAgain (world: World, service: ServiceName, next: Fault | undefined): Promise<void> {
  const isArmedAlready = next?.armed?.service === service && await arm(world, next).then(() => true, () => false)
  if (!isArmedAlready) await world.tacet.start(service)
}

async function died (t: Test, { tacet, history }: World, service: ServiceName): Promise<void> {
  await eventually(() => !tacet.services[service].isRunning(), { timeoutMs: 20_000, message: `${service} did not come to that point` })
  t.pass(`${service} killed itself`)
  await talkOn(history, 100)
}
