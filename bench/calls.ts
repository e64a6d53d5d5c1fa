import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { LiveCall, Stack } from '@tacet/contracts'
import { eventually } from '@tacet/test-kit'
import { createClient, type Client } from './client.ts'

interface Account { username: string, password: string }
export type CallersRequest =
  | { do: 'register', sip: Stack['sip'], accounts: Account[] }
  | { do: 'call', count: number, number: string }
  | { do: 'hangup' }
export type CallersAnswer = { sipCallIds: string[] } | { error: string }

const batch = 5

export interface BenchCall { callId: string, sipCallId: string }

export interface Calls {
  pid: number
  /** Places so many calls more, a few at a time, and waits until all are recorded. */
  open: (count: number) => Promise<BenchCall[]>
  /** Of all calls. */
  hangup: () => Promise<void>
  close: () => Promise<void>
}

/** Real calls from the trunk to the first agent. */
export async function startCallers (stack: Stack): Promise<Calls> {
  const [agent] = stack.agents
  const number = stack.numbers[0]?.e164
  if (agent?.apiToken === undefined || number === undefined) throw new Error('the stack has no agent with a token')
  const api: Client = createClient(stack.callControl!.url, { token: agent.apiToken })
  const child = fork(fileURLToPath(new URL('callers.ts', import.meta.url)), { execArgv: ['--conditions=@tacet/source'] })
  const exited = once(child, 'exit')

  async function ask (request: CallersRequest): Promise<string[]> {
    const answered = once(child, 'message')
    child.send(request)
    const [answer] = await Promise.race([answered, exited.then(() => [{ error: 'the callers died' }])]) as [CallersAnswer]
    if ('error' in answer) throw new Error(answer.error)
    return answer.sipCallIds
  }

  const live = async () => (await api.get('/v1/calls') as { items: LiveCall[] }).items
  async function openSome (count: number): Promise<BenchCall[]> {
    const sipCallIds = await ask({ do: 'call', count, number: number! })
    return await eventually(async () => {
      const recorded = (await live()).filter(({ recording }) => recording.state === 'recording')
      const calls = sipCallIds.flatMap(sipCallId => recorded.filter(call => call.sipCallIds.includes(sipCallId)).map(({ callId }) => ({ callId, sipCallId })))
      return calls.length === count && calls
    }, { timeoutMs: 30_000, message: `not all of ${count} calls are recorded` })
  }

  await ask({ do: 'register', sip: stack.sip, accounts: [stack.trunk, agent.sip] })
  return {
    pid: child.pid!,
    async open (count) {
      const calls: BenchCall[] = []
      while (calls.length < count) calls.push(...await openSome(Math.min(batch, count - calls.length)))
      return calls
    },
    async hangup () {
      await ask({ do: 'hangup' })
    },
    async close () {
      child.disconnect()
      await exited
      await api.close()
    },
  }
}
