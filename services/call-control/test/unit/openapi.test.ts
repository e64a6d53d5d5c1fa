import { readFile } from 'node:fs/promises'
import t from 'tap'
import { createOpenApi } from '../../src/openapi.ts'

const committed = new URL('../../../../docs/contracts/call-control.openapi.json', import.meta.url)

t.test('the committed OpenAPI document is what the routes generate (else: npm run generate)', async t => {
  t.equal(await readFile(committed, 'utf8'), `${JSON.stringify(await createOpenApi(), null, 2)}\n`)
})

t.test('every operation says what it does and which errors may come; all but the phones\' need a token in the header', async t => {
  const { paths } = await createOpenApi() as { paths: Record<string, Record<string, { summary?: string, security?: unknown, responses: object }>> }
  t.same(Object.keys(paths).sort(), [
    '/phone/v1/{deviceToken}/{key}', '/v1/calls', '/v1/calls/{callId}/recording', '/v1/calls/{callId}/recording/pause',
    '/v1/calls/{callId}/recording/resume', '/v1/calls/{callId}/recording/start', '/v1/calls/{callId}/recording/stop',
  ])
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, { summary, security, responses }] of Object.entries(operations)) {
      t.same(security, path.startsWith('/phone/') ? undefined : [{ bearer: [] }], `${method} ${path}`)
      t.ok(summary)
      t.ok('400' in responses && '401' in responses && '503' in responses)
    }
  }
})
