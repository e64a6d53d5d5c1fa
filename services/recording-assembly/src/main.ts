import { runService } from '@tacet/service-kit'
import { assemblyConfig } from './config.ts'
import { startRecordingAssembly } from './service.ts'

await runService({ name: 'recording-assembly', config: assemblyConfig, start: startRecordingAssembly })
