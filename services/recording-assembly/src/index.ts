export { assemblyConfig, type AssemblyConfig } from './config.ts'
export { startRecordingAssembly, type AssemblyContext } from './service.ts'
export { migrationsFolder } from './db/migrate.ts'
