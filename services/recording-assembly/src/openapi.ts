import { createLogger } from '@tacet/service-kit'
import { createAssemblyApp, type AppDependencies } from './http/app.ts'

/** The OpenAPI document of the routes; nothing is opened, no dependency is called. */
export async function createOpenApi (): Promise<object> {
  const unused = { readRecording: {}, listen: {}, manageRecording: {}, manageJobs: {}, readPeaks: {}, exportVcon: {}, authenticator: {} } as unknown as AppDependencies
  const app = await createAssemblyApp({ ...unused, logger: createLogger({ name: 'recording-assembly', level: 'silent' }) })
  await app.ready()
  try {
    return app.swagger()
  } finally {
    await app.close()
  }
}
