import { createMemoryCallStore, createMemoryDatabase } from '../support/memory-call-store.ts'
import { testCallStore } from './call-store-suite.ts'

testCallStore('in memory', async () => {
  const database = createMemoryDatabase()
  const stores: ReturnType<typeof createMemoryCallStore>[] = []
  return {
    store: (epoch, pbxId = 'demo') => {
      const store = createMemoryCallStore({ database, epoch, pbxId })
      stores.push(store)
      return store
    },
    outbox: async () => database.outbox.map(({ id }) => id),
    cut: async () => { for (const store of stores) store.isDown = true },
  }
})
