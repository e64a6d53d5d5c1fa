import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Test } from 'tap'
import { createCloser, createLogger, openDatabase, runMigrations, type Database } from '@tacet/service-kit'
import { createTestDatabase, readStack } from '@tacet/test-kit'
import { migrationsFolder } from '../../src/db/migrate.ts'

export const logger = createLogger({ name: 'test', level: process.env['TEST_LOG_LEVEL'] ?? 'silent' })

/** A database of the test's own, migrated, as call-control's role; gone after the test. `cut` takes the cable out. */
export async function openTestDatabase (t: Test): Promise<{ database: Database, cut: () => Promise<void> }> {
  const closer = createCloser({ logger, stepTimeoutMs: 20_000 })
  t.teardown(() => closer.close())
  const testDatabase = await createTestDatabase(readStack().postgres)
  closer.add('test database', testDatabase.drop)
  await runMigrations({ url: testDatabase.urls.call_control, schema: 'call_control', folder: migrationsFolder, logger })
  const cable = await layCable(new URL(testDatabase.urls.call_control))
  closer.add('cable', cable.cut)
  const database = openDatabase({ url: cable.url, name: 'test', logger, maxConnections: 4, connectTimeoutMs: 5_000 })
  closer.add('database', () => database.close())
  return { database, cut: cable.cut }
}

/** A connection to a server that can be cut. */
async function layCable (to: URL): Promise<{ url: string, cut: () => Promise<void> }> {
  const ends = new Set<Socket>()
  const server = createServer(near => {
    const far = connect(Number(to.port), to.hostname)
    for (const [end, other] of [[near, far], [far, near]] as const) {
      ends.add(end)
      end.on('error', () => {}).on('close', () => other.destroy()).pipe(other)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = Object.assign(new URL(to), { host: `127.0.0.1:${(server.address() as AddressInfo).port}` }).href
  return {
    url,
    async cut () {
      const closed = server.listening ? once(server, 'close') : undefined
      server.close()
      for (const end of ends) end.destroy()
      await closed
    },
  }
}
