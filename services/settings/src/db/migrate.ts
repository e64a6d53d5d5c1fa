import { fileURLToPath } from 'node:url'
import { commonConfig, createLogger, loadConfig, runMigrations } from '@tacet/service-kit'

/** Beside src and dist, so that both find it. */
export const migrationsFolder = fileURLToPath(new URL('../../migrations', import.meta.url))

if (import.meta.main) {
  const { databaseUrl, logLevel } = loadConfig({ databaseUrl: commonConfig.databaseUrl, logLevel: commonConfig.logLevel }, process.env)
  await runMigrations({ url: databaseUrl, schema: 'settings', folder: migrationsFolder, logger: createLogger({ name: 'settings-migrate', level: logLevel }) })
}
