import swaggerUi from '@fastify/swagger-ui'
import type { HttpApp } from '@tacet/service-kit'

/**
 * The page at /reference, to read and try the API. Its Content-Security-Policy allows its own scripts, and to call only
 * this service; the rest of the API keeps the stricter one.
 */
export async function registerReference (app: HttpApp): Promise<void> {
  await app.register(swaggerUi, {
    routePrefix: '/reference',
    staticCSP: true,
    uiConfig: { deepLinking: true, persistAuthorization: false, tryItOutEnabled: true, docExpansion: 'list' },
    theme: { title: 'Tacet settings' },
  })
}
