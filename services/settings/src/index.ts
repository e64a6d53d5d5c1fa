export { settingsConfig, type SettingsConfig } from './config.ts'
export { startSettings, type SettingsContext } from './service.ts'
export { migrationsFolder } from './db/migrate.ts'
