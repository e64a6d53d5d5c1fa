import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { stackSchema } from '@tacet/contracts'
import type { Stack } from '@tacet/contracts'
import { startAsterisk } from './parts/asterisk.ts'
import { startKafka } from './parts/kafka.ts'
import { startPostgres } from './parts/postgres.ts'
import { startS3 } from './parts/s3.ts'
import { preflight } from './preflight.ts'
import { showProgress } from './progress.ts'
import type { Progress } from './progress.ts'
import { runUntilStopped } from './run-until-stopped.ts'
import { supervise } from './supervisor.ts'
import type { Supervisor } from './supervisor.ts'
import { writePrivately } from './system/files.ts'
import { repositoryDir } from './system/paths.ts'

export type InfrastructureOptions = {
  withS3?: boolean
  /** What is to be done to a part as soon as it works, while the others are still starting. */
  prepare?: { postgres: (postgres: Stack['postgres']) => Promise<unknown>, kafka: (kafka: Stack['kafka']) => Promise<unknown> }
}

/** PostgreSQL, Kafka and Asterisk, each our own or the one the environment names; for tests an S3 server too. Returns their addresses. */
export async function startInfrastructure (supervisor: Supervisor, progress: Progress, { withS3 = false, prepare }: InfrastructureOptions = {}): Promise<Stack> {
  const part = <T>(title: string, start: (context: ReturnType<Supervisor['contextFor']>) => Promise<T>): Promise<T> =>
    progress.step(title, (say) => start(supervisor.contextFor(say)))
  const startAndPrepare = {
    postgres: async () => {
      const postgres = await part('PostgreSQL', startPostgres)
      await prepare?.postgres(postgres)
      return postgres
    },
    kafka: async () => {
      const kafka = { brokers: await part('Kafka', startKafka), topicPrefix: process.env.KAFKA_TOPIC_PREFIX ?? '' }
      await prepare?.kafka(kafka)
      return kafka
    },
  }
  const [postgres, kafka, pbx, s3] = await supervisor.allOf(
    [startAndPrepare.postgres(), startAndPrepare.kafka(), part('Asterisk', startAsterisk), withS3 ? part('S3 server', startS3) : Promise.resolve(undefined)])
  return stackSchema.parse({ pbxId: 'demo', postgres, kafka, ...pbx, ...s3 && { s3 } })
}

/** For development: brings up the infrastructure alone, writes its address book, and stays until Ctrl-C. */
if (import.meta.main) {
  const { values } = parseArgs({ options: { data: { type: 'string' }, addresses: { type: 'string' } } })
  const dataDir = resolve(values.data ?? `${repositoryDir}/.local/infrastructure`)
  const addresses = resolve(values.addresses ?? `${dataDir}/stack.json`)
  await runUntilStopped(async (onSupervisor) => {
    const progress = showProgress()
    const supervisor = onSupervisor(supervise(dataDir))
    await preflight(progress, supervisor.signal)
    const stack = await startInfrastructure(supervisor, progress, { withS3: true })
    writePrivately(addresses, JSON.stringify(stack, null, 2))
    progress.line(`\nThe addresses are in ${addresses}. Ctrl-C stops everything.`)
    await supervisor.died
  })
}
