import { join } from 'node:path'
import type { Stack } from '@tacet/contracts'
import { seedDemo } from './demo/seed.ts'
import { startInfrastructure } from './infrastructure.ts'
import { createTopics } from './parts/kafka.ts'
import { migrateService, recordingsDirOf, serviceNames, startService } from './parts/services.ts'
import type { Progress } from './progress.ts'
import type { Supervisor } from './supervisor.ts'
import { writePrivately } from './system/files.ts'

/** The infrastructure, then topics, migrations, the three services and the demo's data. Writes the address book. */
export async function startStack (supervisor: Supervisor, progress: Progress, addressBook: string): Promise<Stack> {
  const quiet = supervisor.contextFor(() => {})
  const infrastructure = await startInfrastructure(supervisor, progress, {
    prepare: {
      postgres: (postgres) => progress.step('Migrations', () => Promise.all(serviceNames.map((name) => migrateService(name, postgres, supervisor)))),
      kafka: ({ brokers, topicPrefix }) => progress.step('Topics', () => createTopics(brokers, topicPrefix)),
    },
  })

  const stack: Stack = { ...infrastructure, recordingsDir: recordingsDirOf(supervisor.dataDir), operatorToken: quiet.secret('operatorToken') }
  supervisor.nextStage()
  const start = async (name: typeof serviceNames[number]) => {
    const { url, adminUrl } = await progress.step(name, (say) => startService(name, stack, supervisor.contextFor(say)))
    return { url, adminUrl }
  }
  const [settings, callControl, assembly] = await supervisor.allOf([start('settings'), start('call-control'), start('recording-assembly')])
  const complete = await progress.step('Demo data', () => seedDemo({ ...stack, settings, callControl, assembly }, supervisor))
  writePrivately(addressBook, JSON.stringify(complete, null, 2))
  return complete
}

export const demoDirOf = (dataDir: string): string => join(dataDir, 'demo')
