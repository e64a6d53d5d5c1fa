import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { createCloser, loadConfig } from '@tacet/service-kit'
import { settingsConfig, startSettings } from '@tacet/settings'
import { createHttpClient, createTestDatabase, eventually, freePort, readStack } from '@tacet/test-kit'
import { companyFields, logger, operatorToken, startTestSettings } from '../helpers/settings.ts'

const source = (path: string) => fileURLToPath(new URL(`../../src/${path}`, import.meta.url))
const run = promisify(execFile)
const node = (path: string) => ['--conditions=@tacet/source', source(path)]

// Processes take their time to start on a busy machine.
t.setTimeout(180_000)

t.test('the process migrates, starts, works, and stops with exit code 0 when told to', async t => {
  const { env } = await startTestSettings(t)
  t.match((await run(process.execPath, node('db/migrate.ts'), { env, timeout: 60_000 })).stdout, /"applied":0/, 'nothing is applied twice')

  const [httpPort, adminPort] = [await freePort(), await freePort()]
  const child = spawn(process.execPath, node('main.ts'), { env: { ...env, HTTP_PORT: String(httpPort), ADMIN_PORT: String(adminPort) } })
  t.teardown(() => child.kill('SIGKILL'))
  const exited = once(child, 'exit')
  const output: string[] = []
  child.stdout.on('data', chunk => output.push(String(chunk)))

  const operator = createHttpClient(`http://127.0.0.1:${httpPort}`, { token: operatorToken })
  const admin = createHttpClient(`http://127.0.0.1:${adminPort}`)
  await eventually(async () => (await admin('/ready')).status === 200, { timeoutMs: 60_000 })
  t.equal((await operator('/v1/companies', { body: companyFields })).status, 201)
  t.match((await admin('/metrics')).body, /tacet_outbox_backlog/)
  t.match((await admin('/live')).body, { status: 'ok', name: 'settings' })

  child.kill('SIGTERM')
  t.same(await exited, [0, null])
  t.notOk(output.join('').includes(operatorToken), 'the log does not have the operator\'s token')
})

t.test('a missing or weak operator token is named, and nothing starts', async t => {
  const env = { DATABASE_URL: 'postgres://settings@127.0.0.1:1/tacet', KAFKA_BROKERS: '127.0.0.1:1' }
  for (const weak of [{}, { SETTINGS_OPERATOR_TOKEN: 'secret' }]) {
    await t.rejects(run(process.execPath, node('main.ts'), { env: { ...env, ...weak }, timeout: 60_000 }), { code: 1, stderr: /SETTINGS_OPERATOR_TOKEN/ })
  }
})

t.test('without its database the service lives, is not ready, and answers 503', async t => {
  const closer = createCloser({ logger })
  t.teardown(() => closer.close())
  const { kafka } = readStack()
  const env = { DATABASE_URL: `postgres://settings@127.0.0.1:${await freePort()}/tacet`, KAFKA_BROKERS: kafka.brokers.join(','), SETTINGS_OPERATOR_TOKEN: operatorToken }
  const { url, adminUrl } = await startSettings({ config: loadConfig(settingsConfig, env), logger, closer })
  const admin = createHttpClient(adminUrl)
  t.equal((await admin('/live')).status, 200)
  t.match(await admin('/ready'), { status: 503, body: { checks: { database: { isOk: false } } } })

  const operator = createHttpClient(url, { token: operatorToken })
  for (const answer of [await operator('/v1/companies'), await operator('/v1/companies', { body: companyFields }), await operator('/v1/companies', { token: 'tct_someone' })]) {
    t.match([answer.status, answer.problem().code], [503, 'storage-unavailable'])
    t.equal(answer.headers.get('retry-after'), '2')
  }
})

t.test('without Kafka changes are kept and published later; nothing is refused', async t => {
  const closer = createCloser({ logger })
  t.teardown(() => closer.close())
  const { env, events } = await startTestSettings(t)
  const database = await createTestDatabase(readStack().postgres)
  closer.add('test database', database.drop)
  const ownEnv = { ...env, DATABASE_URL: database.urls.settings }
  await run(process.execPath, node('db/migrate.ts'), { env: ownEnv, timeout: 60_000 })

  const alone = createCloser({ logger })
  const { url } = await startSettings({ config: loadConfig(settingsConfig, { ...ownEnv, KAFKA_BROKERS: `127.0.0.1:${await freePort()}` }), logger, closer: alone })
  const answer = await createHttpClient(url, { token: operatorToken })('/v1/companies', { body: companyFields })
  t.equal(answer.status, 201)
  await alone.close()

  await startSettings({ config: loadConfig(settingsConfig, ownEnv), logger, closer })
  t.match(await events.waitFor(({ key, type }) => key === answer.body.companyId && type === 'company.changed'), { data: answer.body })
})
