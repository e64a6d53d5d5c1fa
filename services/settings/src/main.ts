import { runService } from '@tacet/service-kit'
import { settingsConfig } from './config.ts'
import { startSettings } from './service.ts'

await runService({ name: 'settings', config: settingsConfig, start: startSettings })
