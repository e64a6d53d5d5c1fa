import { createLogger } from '@tacet/service-kit'
import { createCallControlApp, type AppDependencies } from './http/app.ts'

/** The OpenAPI document of the routes; nothing is opened, no dependency is called. */
export async function createOpenApi (): Promise<object> {
  const unused = { commands: {}, authenticator: {} } as unknown as AppDependencies
  const app = await createCallControlApp({ ...unused, logger: createLogger({ name: 'call-control', level: 'silent' }) })
  await app.ready()
  try {
    return app.swagger()
  } finally {
    await app.close()
  }
}
