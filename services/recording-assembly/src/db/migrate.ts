import { fileURLToPath } from 'node:url'
import { commonConfig, createLogger, loadConfig, runMigrations } from '@tacet/service-kit'

export const migrationsFolder = fileURLToPath(new URL('../../migrations', import.meta.url))

if (import.meta.main) {
  const { databaseUrl, logLevel } = loadConfig({ databaseUrl: commonConfig.databaseUrl, logLevel: commonConfig.logLevel }, process.env)
  await runMigrations({ url: databaseUrl, schema: 'recording_assembly', folder: migrationsFolder, logger: createLogger({ name: 'recording-assembly-migrate', level: logLevel }) })
}
