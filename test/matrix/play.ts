import type { Test } from 'tap'
import { eventually } from '@tacet/test-kit'
import type { ServiceName } from '@tacet/stack'
import type { Tacet } from '../support/tacet.ts'
import type { Ground } from './ground.ts'
import { callIn, callInUnseen, liveLines, talkOn, type History, type Line } from './history.ts'
import { becomeKnown } from './known.ts'
import { errorsOf } from './model.ts'

export interface World { ground: Ground, tacet: Tacet, history: History }

/** What people do while a fault lasts. */
export type Act = 'pause' | 'resume' | 'call' | 'hang up'

export interface Fault {
  name: string
  during: readonly Act[]
  /** What a service is started with, so that it meets the fault by itself. */
  armed?: { service: ServiceName, env: Record<string, string> }
  inject: (world: World) => Promise<unknown>
  /** After this nothing is in the way any more. The next fault's `armed`, if it is for this service, is for its start. */
  recover: (world: World, next: Fault | undefined) => Promise<unknown>
  lastsMs: number
  /** Its calls' fate: `whole` unless said. */
  fate?: Line['fate']
  /** What must be called out to a person while the calls are still there. */
  alarm?: string
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
  const subjects = await prepare(world, fault)
  if (fault.armed && !isArmed(tacet, fault)) await arm(world, fault)
  await fault.inject(world)
  // Who asks may get no answer before it is over.
  const acting = act(world, fault, subjects)
  await talkOn(history, fault.lastsMs)
  if (fault.armed) await died(t, world, fault.armed.service)
  if (fault.alarm) await alarmed(t, world, fault.alarm)
  await fault.recover(world, next)
  const acts = await acting
  // What was not recorded when its call was cut off lacks nothing.
  if (fault.fate) for (const line of liveLines(history)) if (line.fate !== 'cut off') line.fate = fault.fate === 'cut off' && !line.may.has('recording') ? 'lacking' : fault.fate
  if (fault.fate === 'cut off') await giveUp(world)
  await settle(t, world)
  if (!acts.unseen) return
  const met = await acts.unseen.meet()
  await settle(t, world)
  await met.hangup()
}

/** What was started again may be armed for the next fault, and meet it in its recovery already. */
async function settle (t: Test, world: World): Promise<void> {
  const isKnown = await becomeKnown(t, world)
  if (isKnown && world.tacet.services['call-control'].isRunning()) return
  await world.tacet.start('call-control')
  await becomeKnown(t, world)
}

interface Subjects { pause?: Line, resume?: Line, hangUp?: Line }

/** Somebody to pause, somebody to resume, somebody to hang up. */
async function prepare ({ history }: World, { during }: Fault): Promise<Subjects> {
  const subjects: Subjects = {}
  const lines = () => liveLines(history).filter(line => !Object.values(subjects).includes(line))
  if (during.includes('hang up')) {
    subjects.hangUp = await callIn(history, freeDesk(history))
    await subjects.hangUp.talk.isRecorded()
  }
  if (during.includes('pause')) subjects.pause = await find(lines(), 'recording', 'resume')
  if (during.includes('resume')) subjects.resume = await find(lines(), 'paused', 'pause')
  await talkOn(history, 300)
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

async function act ({ history }: World, { during }: Fault, { pause, resume, hangUp }: Subjects): Promise<{ unseen?: Awaited<ReturnType<typeof callInUnseen>> }> {
  const presses = [pause?.press('pause'), resume?.press('resume'), hangUp?.hangup()]
  const [, , , unseen] = await Promise.all([...presses, during.includes('call') ? hangUp?.hangup().then(async () => await callInUnseen(history, 2)) ?? callInUnseen(history, 2) : undefined] as const)
  return unseen === undefined ? {} : { unseen: unseen as Awaited<ReturnType<typeof callInUnseen>> }
}

const armedWith = new WeakMap<object, string>()
const isArmed = ({ services }: Tacet, { name, armed }: Fault): boolean => armed !== undefined && armedWith.get(services[armed.service]) === name

async function arm ({ tacet }: World, { name, armed }: Fault): Promise<void> {
  if (!armed) return
  const { service, env } = armed
  if (tacet.services[service].isRunning()) await tacet.services[service].kill('SIGKILL')
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

async function alarmed (t: Test, { tacet, history }: World, alarm: string): Promise<void> {
  const isOnLog = async (callId: string) => (await errorsOf(tacet.logDir, callId)).some(entry => entry.alarm === alarm)
  await eventually(async () => (await Promise.all(liveLines(history).map(async ({ talk }) => await isOnLog(talk.callId)))).some(Boolean), { timeoutMs: 20_000, message: `no alarm ${alarm} was logged` })
  const metrics = await (await fetch(`${tacet.services['call-control'].adminUrl}/metrics`)).text()
  t.match(metrics, new RegExp(`tacet_recording_alarms_total{[^}]*alarm="${alarm}"`), 'there is a metric of the alarm')
}

/** The PBX that carried them is gone. */
async function giveUp ({ history }: World): Promise<void> {
  for (const line of liveLines(history)) {
    line.isOver = true
    for (const { call } of line.talk.voices) await call.hangup().catch(() => {})
  }
}
