export * from './decision.ts'
export * from './rules.ts'
export * from './call.ts'
export * from './frozen.ts'
