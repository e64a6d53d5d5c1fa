import { deviceOf, principalOf } from '@tacet/service-kit'
import type { FastifyRequest } from 'fastify'
import { scopeOf } from '../domain/access.ts'
import type { Asker } from '../domain/asker.ts'

export const scopeOfRequest = (request: FastifyRequest) => scopeOf(principalOf(request))

export function askerOf (request: FastifyRequest): Asker {
  const { companyId, credentialId, agentId, roles, scopes = [] } = principalOf(request)
  return { companyId, credentialId, agentId, roles, scopes, address: request.ip, device: deviceOf(request) }
}
