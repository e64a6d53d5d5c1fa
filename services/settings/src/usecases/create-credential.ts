import type { createCredentialSchema } from '@tacet/contracts'
import type { z } from 'zod'
import type { Caller } from '../domain/caller.ts'
import { announce } from '../domain/changes.ts'
import type { Dependencies, StoredCredential, UnitOfWork } from './ports.ts'
import { causeOf, invalid, requireCompany, requireMayGrant } from './shared.ts'

export type CredentialFields = z.output<typeof createCredentialSchema>

/** The token is in the answer and nowhere else; we keep its hash. */
export function createCreateCredential (deps: Dependencies) {
  return async (caller: Caller, companyId: string, fields: CredentialFields): Promise<{ credential: StoredCredential, token: string }> => {
    requireMayGrant(caller, fields.roles)
    const cause = causeOf(caller, deps)
    const expiresAt = fields.expiresAt && new Date(fields.expiresAt).toISOString()
    if (expiresAt !== null && expiresAt <= cause.at) throw invalid('expiresAt', 'is past')

    return await deps.store.change(companyId, async unit => {
      await requireCompany(unit, companyId)
      await requireAgent(unit, companyId, fields)
      const { token, hash, prefix } = deps.tokens.create(fields.kind)
      const credential: StoredCredential = { ...fields, credentialId: deps.newId(), companyId, hash, prefix, expiresAt, revokedAt: null, version: 1 }
      await unit.credentials.save(credential)
      await unit.announce(announce(cause, 'create', null, { kind: 'credential', value: credential }))
      return { credential, token }
    })
  }
}

/** A key may be no more than the agent whose it is. */
async function requireAgent ({ agents }: UnitOfWork, companyId: string, { agentId, roles }: CredentialFields): Promise<void> {
  if (agentId === null) return
  const agent = await agents.find(companyId, agentId)
  if (agent === null) throw invalid('agentId', 'no such agent')
  const beyond = roles.filter(role => !agent.roles.some(own => own === role))
  if (beyond.length > 0) throw invalid('roles', `the agent is no ${beyond.join(', no ')}`)
}
