import { readFile } from 'node:fs/promises'
import t from 'tap'
import { createOpenApi } from '../../src/openapi.ts'

const committed = new URL('../../../../docs/contracts/recording-assembly.openapi.json', import.meta.url)

t.test('the committed OpenAPI document is what the routes generate (else: npm run generate)', async t => {
  t.equal(await readFile(committed, 'utf8'), `${JSON.stringify(await createOpenApi(), null, 2)}\n`)
})

/** A link is a token by itself. */
const isOpen = (path: string) => path === '/v1/linked-audio'

t.test('every operation but that of links needs a token, says what it does and which errors may come', async t => {
  const { paths } = await createOpenApi() as { paths: Record<string, Record<string, { summary?: string, security?: unknown, responses: object }>> }
  t.ok(Object.keys(paths).length >= 4)
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, { summary, security, responses }] of Object.entries(operations)) {
      t.same(security, isOpen(path) ? undefined : [{ bearer: [] }], `${method} ${path}`)
      t.ok(summary)
      t.ok('400' in responses && '401' in responses && '503' in responses)
    }
  }
})
