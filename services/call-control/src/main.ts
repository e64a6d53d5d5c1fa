import { runService } from '@tacet/service-kit'
import { callControlConfig } from './config.ts'
import { startCallControl } from './service.ts'

await runService({ name: 'call-control', config: callControlConfig, start: startCallControl })
