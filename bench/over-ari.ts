import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Stack } from '@tacet/contracts'
import { createTopics, migrateService, startService } from '@tacet/stack'
import { createTestDatabase, eventually } from '@tacet/test-kit'
import type { LiveBench } from './row.ts'

/** A recording-assembly that shares no folder with Asterisk, beside the other and apart from it: with topics, a database and a folder of its own. */
export interface OverAri {
  stack: Stack
  pid: number
  /** Waits until so many segments of a call have been fetched, and nothing else is still to be. */
  hasFetched: (recordingId: string, count: number) => Promise<void>
  close: () => Promise<void>
}

export async function startOverAri ({ stack, supervisor, dir }: Pick<LiveBench, 'stack' | 'supervisor' | 'dir'>): Promise<OverAri> {
  const topicPrefix = `${stack.kafka.topicPrefix}over-ari.`
  const recordingsDir = join(dir, 'over-ari')
  const [database] = await Promise.all([createTestDatabase(stack.postgres), createTopics(stack.kafka.brokers, topicPrefix), mkdir(recordingsDir, { recursive: true })])
  const apart: Stack = { ...stack, spoolDir: null, recordingsDir, kafka: { ...stack.kafka, topicPrefix }, postgres: { ...stack.postgres, roles: database.urls } }
  await migrateService('recording-assembly', apart.postgres, supervisor)
  const service = await startService('recording-assembly', apart, supervisor.contextFor(() => {}))
  const work = join(recordingsDir, '.work')

  async function isChecking (): Promise<boolean> {
    const metrics = await (await fetch(`${service.adminUrl}/metrics`)).text()
    return /^tacet_assembly_jobs\{[^}]*kind="check"[^}]*\} [1-9]/m.test(metrics)
  }

  return {
    stack: apart,
    pid: service.process.pid,
    hasFetched: async (recordingId, count) => {
      await eventually(async () => (await readdir(work)).filter(name => name.startsWith(`${recordingId}.ahead.`)).length === count && !await isChecking(),
        { timeoutMs: 60_000, intervalMs: 50, message: 'the segments were not fetched ahead' })
    },
    async close () {
      await service.process.stop()
      await database.drop()
    },
  }
}
