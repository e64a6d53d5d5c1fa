export { startCallControl } from './service.ts'
export { callControlConfig } from './config.ts'
