import { test } from 'tap'
import type { Principal } from '@tacet/service-kit'
import { createAssemblyApp, type AppDependencies } from '../../src/http/app.ts'
import { logger } from '../helpers/service.ts'

const operator = { companyId: null, credentialId: null, agentId: null, roles: ['operator'], kind: 'api-token' } as unknown as Principal

/** The address that an export names, for a request that says it came over TLS to another host. */
async function addressFor (options: Partial<AppDependencies>): Promise<string> {
  let named = ''
  const unused = { readRecording: {}, listen: {}, manageRecording: {}, manageJobs: {}, readPeaks: {}, appendAudit: async () => {} }
  const authenticator = { authenticateRequest: () => operator, identifyRequest: async () => operator }
  const exportVcon = async (_recordingId: string, _scope: unknown, url: string) => { named = url }
  const app = await createAssemblyApp({ ...unused, authenticator, exportVcon, ...options, logger } as unknown as Parameters<typeof createAssemblyApp>[0])
  await app.inject({ url: '/v1/recordings/01990000-0000-7000-8000-000000000009/vcon', headers: { host: 'elsewhere.example', 'x-forwarded-proto': 'https', authorization: 'Bearer x' } })
  await app.close()
  return named
}

test('an export names the address that is configured, whatever the request says', async t => {
  t.equal(await addressFor({ publicUrl: 'https://recordings.example.org' }), 'https://recordings.example.org')
  t.equal(await addressFor({}), 'http://elsewhere.example')
})
