import { writeSync } from 'node:fs'
import { commonConfig, variable } from '../../src/config.ts'
import { runService } from '../../src/lifecycle.ts'
import { z } from 'zod'

const say = (line: string) => writeSync(1, `${line}\n`)

/** A service that does as MODE says, for the tests of its life. */
await runService({
  name: 'sample',
  config: { logLevel: commonConfig.logLevel, mode: variable('MODE', z.enum(['fine', 'broken', 'stuck', 'throws']), 'what to do') },
  shutdownBudgetMs: 1_500,
  start: async ({ config, closer }) => {
    closer.add('first', () => say('closed first'))
    closer.add('second', () => config.mode === 'stuck' ? new Promise(() => {}) : say('closed second'))
    if (config.mode === 'broken') throw new Error('the port is taken')
    setInterval(() => {}, 1_000)
    if (config.mode === 'throws') setImmediate(() => { throw new Error('nobody caught this') })
    say('started')
  },
})
