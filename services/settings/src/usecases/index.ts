import { createAuthenticate } from './authenticate.ts'
import { createCreateCredential } from './create-credential.ts'
import { createDeleteAgent } from './delete-agent.ts'
import { createDeleteNumber } from './delete-number.ts'
import { createExplainPolicy } from './explain-policy.ts'
import type { Dependencies } from './ports.ts'
import { createPutAgent } from './put-agent.ts'
import { createPutCompany } from './put-company.ts'
import { createPutNumber } from './put-number.ts'
import { createRepublishSettings } from './republish-settings.ts'
import { createRevokeCredential } from './revoke-credential.ts'

export type UseCases = ReturnType<typeof createUseCases>

export const createUseCases = (deps: Dependencies, operatorToken: string) => ({
  authenticate: createAuthenticate(deps, operatorToken),
  putCompany: createPutCompany(deps),
  putNumber: createPutNumber(deps),
  deleteNumber: createDeleteNumber(deps),
  putAgent: createPutAgent(deps),
  deleteAgent: createDeleteAgent(deps),
  createCredential: createCreateCredential(deps),
  revokeCredential: createRevokeCredential(deps),
  explainPolicy: createExplainPolicy(deps),
  republishSettings: createRepublishSettings(deps),
})
