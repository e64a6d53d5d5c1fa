/** A worker in a process of its own, to be killed: begins when it is told to, ends when there is no job left. */
import { once } from 'node:events'
import { createLogger, createMetrics, loadConfig, openDatabase } from '@tacet/service-kit'
import { eventually } from '@tacet/test-kit'
import { createAssemblyWorker, createPorts } from '../../src/assembly.ts'
import { assemblyConfig } from '../../src/config.ts'

const config = loadConfig(assemblyConfig, process.env)
const logger = createLogger({ name: 'worker-process', level: config.logLevel })
const database = openDatabase({ url: config.databaseUrl, name: 'worker-process', logger })
const ports = createPorts({ config, database, onEvents: () => {}, onJob: () => worker.wake() })
// What it leaves to others, where only the rest is of interest.
const left = process.env.WORK_WITHOUT === 'measure' ? { measure: 0 } : {}
const queue = { ...ports.queue, claim: (limit: number, most = {}) => ports.queue.claim(limit, { ...most, ...left }) }
const worker = createAssemblyWorker({ ...ports, queue }, { config, logger, metrics: createMetrics({ name: 'worker-process' }) })

// Not to outlive the test.
process.once('disconnect', () => process.exit(1))
process.send?.('ready')
await once(process, 'message')
worker.start()
// An object store is asked again a quarter of an hour later whether anything was stored late: nobody waits for that here.
await eventually(async () => (await ports.queue.counts()).every(({ kind }) => kind in left || kind === 'erase'), { timeoutMs: 1_200_000, message: 'jobs are left' })
process.exit(0)
