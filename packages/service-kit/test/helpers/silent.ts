import { createLogger } from '@tacet/service-kit'

export const silent = createLogger({ name: 'test', level: 'silent' })
