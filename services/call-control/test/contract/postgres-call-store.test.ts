import { asc } from 'drizzle-orm'
import { createPostgresCallStore } from '../../src/adapters/postgres-call-store.ts'
import { outbox } from '../../src/db/schema.ts'
import { openTestDatabase } from '../support/test-database.ts'
import { testCallStore } from './call-store-suite.ts'

testCallStore('in PostgreSQL', async t => {
  const { database, cut } = await openTestDatabase(t)
  return {
    store: (epoch, pbxId = 'demo') => createPostgresCallStore({ database, pbxId, epoch: () => epoch, onCommitted: () => {} }),
    outbox: async () => (await database.db.select({ eventId: outbox.eventId }).from(outbox).orderBy(asc(outbox.id))).map(({ eventId }) => eventId),
    cut,
  }
})
