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
const worker = createAssemblyWorker(ports, { config, logger, metrics: createMetrics({ name: 'worker-process' }) })

// Not to outlive the test.
process.once('disconnect', () => process.exit(1))
process.send?.('ready')
await once(process, 'message')
worker.start()
await eventually(async () => (await ports.queue.counts()).length === 0, { timeoutMs: 1_200_000, message: 'jobs are left' })
process.exit(0)
