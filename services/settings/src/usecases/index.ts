import { createAssignEndpoint, createUnassignEndpoint } from './assign-endpoint.ts'
import { createAuthenticate } from './authenticate.ts'
import { createCreateCredential } from './create-credential.ts'
import { createExplainPolicy } from './explain-policy.ts'
import type { Dependencies } from './ports.ts'
import { createRepublishSettings } from './republish-settings.ts'
import { createRevokeCredential } from './revoke-credential.ts'
import { createAgentKind } from './write-agent.ts'
import { createCompanyKind } from './write-company.ts'
import { createWriter } from './write-entity.ts'
import { numberKind } from './write-number.ts'

export type UseCases = ReturnType<typeof createUseCases>

export const createUseCases = (deps: Dependencies, operatorToken: string) => ({
  authenticate: createAuthenticate(deps, operatorToken),
  companies: createWriter(deps, createCompanyKind(deps)),
  numbers: createWriter(deps, numberKind),
  agents: createWriter(deps, createAgentKind(deps)),
  assignEndpoint: createAssignEndpoint(deps),
  unassignEndpoint: createUnassignEndpoint(deps),
  createCredential: createCreateCredential(deps),
  revokeCredential: createRevokeCredential(deps),
  explainPolicy: createExplainPolicy(deps),
  republishSettings: createRepublishSettings(deps),
})
