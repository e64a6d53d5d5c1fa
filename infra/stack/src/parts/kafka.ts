import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import type { Context } from '../context.ts'
import { fillIn } from '../system/files.ts'
import { repositoryDir } from '../system/paths.ts'
import { choosePort } from '../system/ports.ts'
import { run } from '../system/process.ts'
import { untilItWorks } from '../system/wait.ts'
import { fetchJars } from './jars.ts'

const kafkaDir = join(repositoryDir, 'infra/kafka')
const pom = join(kafkaDir, 'pom.xml')

/** Kafka: the brokers in KAFKA_BROKERS, else one node of our own. Returns the brokers. */
export async function startKafka (context: Context): Promise<string[]> {
  const named = process.env.KAFKA_BROKERS?.split(',').map((broker) => broker.trim()).filter(Boolean)
  const brokers = named?.length ? named : [await startOwn(context)]
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING, retry: { retries: 0 } }).admin()
  try {
    await untilItWorks(async () => {
      await admin.connect()
      await admin.describeCluster()
    }, { what: `Kafka at ${brokers.join(', ')} is`, timeoutMs: 90_000, signal: context.signal, everyMs: 100 })
  } finally {
    await admin.disconnect()
  }
  return brokers
}

async function startOwn (context: Context): Promise<string> {
  const { dataDir, signal, say } = context
  const libDir = await fetchJars('kafka', pom, context)
  const host = '127.0.0.1'
  const port = await choosePort({ name: 'Kafka', variable: 'TACET_KAFKA_PORT', preferred: 19092 })
  const controllerPort = await choosePort({ name: "Kafka's controller", variable: 'TACET_KAFKA_CONTROLLER_PORT', preferred: 19093 })
  const home = join(dataDir, 'kafka')
  const logDir = join(home, 'data')
  const properties = join(home, 'server.properties')
  mkdirSync(home, { recursive: true })
  writeFileSync(properties, fillIn(readFileSync(join(kafkaDir, 'server.properties'), 'utf8'), { host, port, controllerPort, dataDir: logDir }))

  const java = (mainClass: string, heapMb: number, ...args: string[]): string[] => [
    `-Xmx${heapMb}m`, '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1',
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-Dorg.slf4j.simpleLogger.showDateTime=true',
    '-cp', join(libDir, '*'), mainClass, ...args,
  ]
  if (!existsSync(join(logDir, 'meta.properties'))) {
    say('formatting its folder')
    rmSync(logDir, { recursive: true, force: true })
    await run('java', java('kafka.tools.StorageTool', 128, 'format', '--standalone', '--cluster-id', 'tacet-local-cluster', '--config', properties), { signal })
  }
  say('starting')
  context.launch({ name: 'kafka', command: 'java', args: java('kafka.Kafka', 384, properties), cwd: home })
  return `${host}:${port}`
}

type Topic = { name: string, partitions: number, configs: Record<string, string> }

/** Makes every topic of infra/kafka/topics.json that isn't there yet; `prefix` goes before each name. */
export async function createTopics (brokers: string[], prefix = ''): Promise<void> {
  const topics = JSON.parse(readFileSync(join(kafkaDir, 'topics.json'), 'utf8')) as Topic[]
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    await admin.createTopics({
      waitForLeaders: true,
      topics: topics.map(({ name, partitions, configs }) => ({
        topic: prefix + name,
        numPartitions: partitions,
        configEntries: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
      })),
    })
  } finally {
    await admin.disconnect()
  }
}
