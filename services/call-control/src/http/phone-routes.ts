import { commandAnswerSchema, problem, type AuditDevice, type CommandAnswer } from '@tacet/contracts'
import { deviceOf, type HttpApp, type Principal } from '@tacet/service-kit'
import { z } from 'zod'
import { chooseCall, decideToggle } from '../domain/phone-keys.ts'
import { isPauseOverdue, publicState } from '../domain/call.ts'
import { actionsIn, type CallSession } from '../usecases/call-session.ts'
import { refuse } from '../usecases/command-recording.ts'
import type { AppDependencies } from './app.ts'
import { errors } from './call-routes.ts'

const params = z.object({ deviceToken: z.string().min(22).max(256), key: z.enum(['pause', 'resume', 'start', 'stop', 'toggle', 'status']) })
/** `callId` is the SIP Call-ID, which phones can put into a URL (`$call_id`). */
const querystring = z.object({ callId: z.string().max(256).optional() })

/** For phones that can only GET: a key, a page of text. The token in the URL is the phone's own and can do nothing else. */
export function phoneRoutes (app: HttpApp, { commands, authenticator, watch, clock }: AppDependencies): void {
  const lastToggles = new Map<string, number>()

  // A proxy between phone and PBX that kept an answer would answer the next press of the key, too.
  app.addHook('onRequest', async (_request, reply) => { reply.header('cache-control', 'no-store') })

  app.get('/:deviceToken/:key', {
    schema: {
      summary: 'A key on a phone: pause, resume, toggle or status of the agent\'s call',
      tags: ['phones'],
      params,
      querystring,
      response: {
        200: { description: 'A sentence for the phone\'s screen, or JSON when asked for', content: { 'text/plain': { schema: z.string() }, 'application/json': { schema: commandAnswerSchema } } },
        ...errors('no-live-call', 'ambiguous-call', 'pause-denied', 'call-ended', 'still-paused', 'pause-unconfirmed', 'standby'),
      },
    },
  }, async (request, reply) => {
    const principal = authenticator.authenticate(request.params.deviceToken, ['device-token'])
    if (principal === undefined) throw problem('unauthenticated')
    request.principal = principal
    const session = findSession(principal, request.query.callId)
    const answer = await press(session, principal, request.params.key, { address: request.ip, from: deviceOf(request) })
    const isJson = request.headers.accept?.includes('application/json') === true
    return isJson ? reply.type('application/json').send(answer) : reply.type('text/plain; charset=utf-8').send(sentence(answer, isPauseOverdue(session.call)))
  })

  function findSession (principal: Principal, sipCallId: string | undefined): CallSession {
    const { follower } = watch()
    const choice = chooseCall(follower.sessions().map(session => session.call), principal.agentId ?? '', sipCallId)
    if (choice === 'none') throw problem('no-live-call')
    if (choice === 'several') throw problem('ambiguous-call')
    return follower.session(choice.callId)!
  }

  async function press (session: CallSession, principal: Principal, key: string, origin: { address: string, from: AuditDevice }): Promise<CommandAnswer> {
    if (key === 'status') return currentAnswer(session, principal)
    const action = key === 'toggle' ? toggle(session) : key === 'pause' || key === 'stop' ? 'pause' : 'resume'
    if (action === 'nothing') return currentAnswer(session, principal)
    return await commands.execute({ action, principal, callId: session.call.callId, idempotencyKey: null, note: null, ...origin, device: 'phone' })
  }

  function toggle ({ call }: CallSession): 'pause' | 'resume' | 'nothing' {
    const atMs = clock()
    const decision = decideToggle(call.recording.phase.status, lastToggles.get(call.callId), atMs)
    for (const [callId, pressedAtMs] of lastToggles) if (atMs - pressedAtMs > 60_000) lastToggles.delete(callId)
    lastToggles.set(call.callId, atMs)
    if (decision === 'unconfirmed') throw problem('pause-unconfirmed')
    return decision
  }
}

const currentAnswer = ({ call, isStored }: CallSession, principal: Principal): CommandAnswer => ({
  callId: call.callId,
  recordingId: call.callId,
  state: publicState(call.recording),
  reasons: call.recording.reasons,
  seq: call.recordingSeq,
  effectiveAt: new Date(call.recording.effectiveAtMs).toISOString(),
  durable: isStored,
  allowedActions: refuse(call, { principal }) ? [] : actionsIn(call),
})

function sentence ({ state }: CommandAnswer, isOverdue: boolean): string {
  switch (state) {
    case 'off': return 'Not recording\n'
    case 'starting': case 'resuming': return 'Recording starts\n'
    case 'recording': return 'Recording\n'
    case 'pausing': return 'Recording stops\n'
    case 'paused': return isOverdue ? 'Recording STILL paused\n' : 'Recording paused\n'
    case 'unconfirmed': return 'NOT SURE: the recording may go on\n'
    case 'ended': return 'Recording ended\n'
  }
}
