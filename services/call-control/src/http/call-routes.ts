import { commandAnswerSchema, commandRequestSchema, idSchema, liveCallListSchema, problems, problemSchema, recordingStatusSchema, type LiveCall, type ProblemCode } from '@tacet/contracts'
import { deviceOf, principalOf, requirePrincipal, requireScope, type HttpApp, type Principal } from '@tacet/service-kit'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { isPauseOverdue, publicState, type Call } from '../domain/call.ts'
import { actionsIn } from '../usecases/call-session.ts'
import { isReachable, refuse, statusOf, type Action } from '../usecases/command-recording.ts'
import type { AppDependencies } from './app.ts'

const params = z.object({ callId: idSchema.toLowerCase() })
const headers = z.object({ 'idempotency-key': z.string().min(1).max(200).optional() })
const listQuery = z.object({ agent: idSchema.toLowerCase().optional() })

/** `start` and `stop` are other names. */
const actions: Record<string, Action> = { pause: 'pause', stop: 'pause', resume: 'resume', start: 'resume' }

const summaries: Record<Action, string> = { pause: 'Stop the recording; answered when Asterisk has closed the files', resume: 'Start the recording, again or for the first time' }

export function callRoutes (app: HttpApp, { commands, authenticator, watch }: AppDependencies): void {
  app.addHook('onRequest', requirePrincipal(authenticator))

  for (const [path, action] of Object.entries(actions)) {
    app.post(`/calls/:callId/recording/${path}`, {
      schema: {
        summary: summaries[action],
        tags: ['recording'],
        security: [{ bearer: [] }],
        params,
        headers,
        body: commandRequestSchema.nullish(),
        response: { 200: commandAnswerSchema, ...errors('call-not-found', 'forbidden', 'pause-denied', 'call-ended', 'still-paused', 'idempotency-key-reused', 'pause-unconfirmed', 'storage-unavailable', 'standby') },
      },
    }, async request => await commands.execute({
      action,
      principal: principalOf(request),
      callId: request.params.callId,
      idempotencyKey: request.headers['idempotency-key'] ?? null,
      note: request.body?.note ?? null,
      address: request.ip,
      device: 'api',
      from: deviceOf(request),
    }))
  }

  app.get('/calls/:callId/recording', {
    schema: {
      summary: 'Where the recording stands, and what you may do',
      tags: ['recording'],
      security: [{ bearer: [] }],
      params,
      response: { 200: recordingStatusSchema, ...errors('call-not-found', 'forbidden', 'standby') },
    },
  }, async request => {
    const principal = reader(request)
    const call = await commands.find({ principal, callId: request.params.callId })
    return statusOf(call, principal)
  })

  app.get('/calls', {
    schema: {
      summary: 'Live calls: an agent\'s own, everybody\'s for a supervisor',
      tags: ['calls'],
      security: [{ bearer: [] }],
      querystring: listQuery,
      response: { 200: liveCallListSchema, ...errors('forbidden', 'standby') },
    },
  }, async request => {
    const principal = reader(request)
    const { agent } = request.query
    const live = watch().follower.sessions().map(session => session.call).filter(call => call.endedAtMs === null && isReachable(call, principal))
    const wanted = agent === undefined ? live : live.filter(call => call.participants.some(({ agentId, leftAtMs }) => agentId === agent && leftAtMs === null))
    return { items: wanted.map(call => toLiveCall(call, principal)) }
  })
}

function reader (request: FastifyRequest): Principal {
  const principal = principalOf(request)
  requireScope(principal, 'calls:read')
  return principal
}

function toLiveCall (call: Call, principal: Principal): LiveCall {
  const isoTime = (epochMs: number) => new Date(epochMs).toISOString()
  const here = call.participants.filter(({ leftAtMs }) => leftAtMs === null)
  return {
    callId: call.callId,
    companyId: call.companyId,
    direction: call.direction,
    number: call.number,
    customer: call.customer,
    sipCallIds: call.sipCallIds,
    agentIds: [...new Set(here.map(({ agentId }) => agentId))],
    startedAt: isoTime(call.startedAtMs),
    answeredAt: call.answeredAtMs === null ? null : isoTime(call.answeredAtMs),
    isOnHold: here.some(({ isOnHold }) => isOnHold),
    recording: {
      state: publicState(call.recording),
      reasons: call.recording.reasons,
      seq: call.recordingSeq,
      isPauseOverdue: isPauseOverdue(call),
      allowedActions: refuse(call, { principal }) ? [] : actionsIn(call),
    },
  }
}

/** The errors of a route, for its description: by status, with the codes that may come. */
export function errors (...codes: ProblemCode[]) {
  const byStatus = Map.groupBy(['invalid-request', 'unauthenticated', 'rate-limited', ...codes] satisfies ProblemCode[], code => problems[code].status)
  return Object.fromEntries(Array.from(byStatus, ([status, codesOfStatus]) => [status, {
    description: codesOfStatus.join(', '),
    content: { 'application/problem+json': { schema: problemSchema } },
  }]))
}
