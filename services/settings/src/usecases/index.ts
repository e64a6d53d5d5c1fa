import { createAssignEndpoint, createUnassignEndpoint } from './assign-endpoint.ts'
import { createAuditRefusal } from './audit-refusal.ts'
import { createAuthenticate } from './authenticate.ts'
import { createChangeCredential } from './change-credential.ts'
import { createCreateCredential } from './create-credential.ts'
import { createExplainPolicy } from './explain-policy.ts'
import { createDeleteIdentityProvider, createPutIdentityProvider, createRefetchKeys, createRefreshIdentityProviders } from './identity-provider.ts'
import { createImportAgents, createImportNumbers } from './import-csv.ts'
import { createAnnounceSigningKey, createIssueToken, createReadSigningKeys, createRetireSigningKey } from './issue-token.ts'
import type { Dependencies } from './ports.ts'
import { createRepublishSettings } from './republish-settings.ts'
import { createRevokeCredential } from './revoke-credential.ts'
import { createAgentKind } from './write-agent.ts'
import { createCompanyKind } from './write-company.ts'
import { createWriter } from './write-entity.ts'
import { numberKind } from './write-number.ts'

export type UseCases = ReturnType<typeof createUseCases>

export const createUseCases = (deps: Dependencies, operatorToken: string) => ({
  authenticate: createAuthenticate(deps, operatorToken, createRefetchKeys(deps)),
  auditRefusal: createAuditRefusal(deps),
  companies: createWriter(deps, createCompanyKind(deps)),
  numbers: createWriter(deps, numberKind),
  agents: createWriter(deps, createAgentKind(deps)),
  importNumbers: createImportNumbers(deps),
  importAgents: createImportAgents(deps),
  assignEndpoint: createAssignEndpoint(deps),
  unassignEndpoint: createUnassignEndpoint(deps),
  createCredential: createCreateCredential(deps),
  changeCredential: createChangeCredential(deps),
  revokeCredential: createRevokeCredential(deps),
  issueToken: createIssueToken(deps),
  announceSigningKey: createAnnounceSigningKey(deps),
  readSigningKeys: createReadSigningKeys(deps),
  retireSigningKey: createRetireSigningKey(deps),
  putIdentityProvider: createPutIdentityProvider(deps),
  deleteIdentityProvider: createDeleteIdentityProvider(deps),
  refreshIdentityProviders: createRefreshIdentityProviders(deps),
  explainPolicy: createExplainPolicy(deps),
  republishSettings: createRepublishSettings(deps),
})
