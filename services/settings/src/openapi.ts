import { createLogger } from '@tacet/service-kit'
import { createSettingsApp, type AppDependencies } from './http/app.ts'

/** The OpenAPI document of the routes; nothing is opened, no dependency is called. */
export async function createOpenApi (): Promise<object> {
  const unused = { useCases: {}, store: {}, auditLog: {}, newId: () => '' } as unknown as AppDependencies
  const app = await createSettingsApp({ ...unused, logger: createLogger({ name: 'settings', level: 'silent' }) })
  await app.ready()
  try {
    return app.swagger()
  } finally {
    await app.close()
  }
}
