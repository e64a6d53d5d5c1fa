import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel, Partitioners } from 'kafkajs'
import pg from 'pg'
import t from 'tap'
import { createCloser, createLogger, loadConfig, runMigrations } from '@tacet/service-kit'
import { migrationsFolder, settingsConfig, startSettings } from '@tacet/settings'
import { createTestDatabase, createTestTopics, eventually, readStack } from '@tacet/test-kit'
import { checkTopics } from '../../src/doctor/kafka.ts'
import { checkDatabase } from '../../src/doctor/postgres.ts'
import { createProgram, runProgram } from '../../src/program.ts'

t.setTimeout(180_000)
const stack = readStack()
const logger = createLogger({ name: 'test', level: 'silent' })
const closer = createCloser({ logger, stepTimeoutMs: 20_000 })
t.teardown(() => closer.close())
const folder = await mkdtemp(join(tmpdir(), 'tacet-cli-'))
closer.add('folder', () => rm(folder, { recursive: true }))
const database = await createTestDatabase(stack.postgres)
closer.add('database', database.drop)
const topics = await createTestTopics(stack.kafka.brokers)
closer.add('topics', topics.drop)
await runMigrations({ url: database.urls.settings, schema: 'settings', folder: migrationsFolder, logger })
const operatorToken = randomBytes(24).toString('base64url')
const env = { DATABASE_URL: database.urls.settings, KAFKA_BROKERS: stack.kafka.brokers.join(','), KAFKA_TOPIC_PREFIX: topics.prefix, SETTINGS_OPERATOR_TOKEN: operatorToken }
const { url, adminUrl } = await startSettings({ config: loadConfig(settingsConfig, env), logger, closer })

const companyId = randomUUID()
const cliEnv = {
  TACET_SETTINGS_URL: url,
  TACET_SETTINGS_ADMIN_URL: adminUrl,
  TACET_TOKEN: operatorToken,
  TACET_COMPANY: companyId,
  KAFKA_BROKERS: env.KAFKA_BROKERS,
  KAFKA_TOPIC_PREFIX: topics.prefix,
  TACET_DATABASE_URL_SETTINGS: database.urls.settings,
}

async function tacet (...args: string[]): Promise<{ code: number, text: string }> {
  const written: string[] = []
  const code = await runProgram(createProgram({ env: cliEnv, write: text => written.push(text) }), args, text => written.push(text))
  return { code, text: written.join('') }
}
const json = async (...args: string[]) => JSON.parse((await tacet('--json', ...args)).text)

await fetch(new URL(`/v1/companies/${companyId}`, url), {
  method: 'PUT',
  headers: { authorization: `Bearer ${operatorToken}`, 'content-type': 'application/json' },
  body: JSON.stringify({ name: 'Acme', recording: { inbound: 'on', outbound: 'on', internal: 'on' }, agentInitiatedPause: 'allow' }),
})

t.test('agents and numbers are made, listed, changed, explained and deleted', async t => {
  const agent = await json('agent', 'create', 'name=Anna', 'endpoints=PJSIP/8001')
  await json('number', 'create', 'number=+420 603 123 456', 'label=Sales')
  t.match((await tacet('agent', 'list')).text, /^agentId +name +endpoints.*\n.*Anna +PJSIP\/8001 +agent +inherit/)
  t.match(await json('number', 'list', '--search', 'sal'), [{ number: '+420603123456' }])
  t.match(await json('rule', 'agent', agent.agentId, '--record', 'off', '--inbound', 'inherit', '--pause', 'deny'), {
    recording: { inbound: 'inherit', outbound: 'off', internal: 'off' }, agentInitiatedPause: 'deny',
  })
  const explained = await tacet('explain', '--agent', agent.agentId, '--number', '+420603123456')
  t.match(explained.text, /Recorded: yes. May stop and start it: no.\n.*\npause: deny, decided by the agent; agent says deny, number says inherit, company says allow/)
  await json('rule', 'company', '--lock-pause')
  t.match((await tacet('explain', '--agent', agent.agentId)).text, /pause: allow, decided by the company \(locked\)/)
  t.match(await json('company', 'set', companyId, 'longestPauseMs=60000', 'afterLongestPause=remind'), { longestPauseMs: 60_000 })
  t.same(await json('agent', 'delete', agent.agentId), { deleted: agent.agentId })
  t.same(await json('agent', 'list'), [])
})

t.test('a refusal is said in words, with the fields, and the exit code says it too', async t => {
  const refused = await tacet('agent', 'create', 'name=', 'pasue=allow')
  t.equal(refused.code, 1)
  t.match(refused.text, /400 invalid-request/)
  t.match(refused.text, / {2}name: .*\n {2}pasue: not a known field/)
})

t.test('numbers go out and come in as CSV, with errors by line', async t => {
  const file = join(folder, 'numbers.csv')
  await writeFile(file, 'number,label\n101,Desk\nsales,\n')
  const dry = await tacet('number', 'import', file, '--dry-run')
  t.equal(dry.code, 1)
  t.match((await tacet('number', 'import', file)).text, /line 3, number:/)
  await writeFile(file, 'number,label\n101,Desk\n')
  t.equal((await tacet('number', 'import', file)).code, 0)
  t.match((await tacet('number', 'export')).text, /101,Desk/)
})

t.test('a rule is said of a level there is, of somebody, and says something', async t => {
  const { numberId } = await json('number', 'create', 'number=102')
  t.match(await json('rule', 'number', numberId, '--record', 'off', '--internal', 'inherit', '--pause', 'deny'), { recording: { inbound: 'off', outbound: 'off', internal: 'inherit' }, agentInitiatedPause: 'deny' })
  t.match(await json('number', 'show', numberId), { agentInitiatedPause: 'deny' })
  const refused = async (...args: string[]) => await tacet('rule', ...args)
  t.match(await refused('numbers', numberId, '--pause', 'deny'), { code: 2 }, 'no such level')
  t.match(await refused('number', numberId, '--pause', 'no'), { code: 2 }, 'no such value')
  t.match(await refused('number', '--pause', 'deny'), { code: 1, text: /Which number\? Give its id/ })
  t.match(await refused('number', numberId), { code: 1, text: /Which rule\?/ })
  t.match(await refused('company', randomUUID(), '--pause', 'deny'), { code: 1, text: /--company/ })
})

t.test('companies are made and deleted', async t => {
  const { companyId } = await json('company', 'create', 'name=Short-lived', 'recording.inbound=on', 'recording.outbound=on', 'recording.internal=off', 'agentInitiatedPause=allow')
  t.match((await tacet('company', 'list', '--search', 'short-l')).text, companyId)
  t.same(await json('company', 'delete', companyId), { deleted: companyId })
  t.match(await tacet('company', 'show', companyId), { code: 1, text: /404 not-found/ })
})

t.test('agents go out and come in as CSV', async t => {
  const agent = await json('agent', 'create', 'name=Cleo', 'endpoints=PJSIP/8009', 'roles=supervisor,agent')
  const file = join(folder, 'agents.csv')
  const { text } = await tacet('agent', 'export')
  t.match(text, `${agent.agentId},Cleo,,PJSIP/8009,supervisor agent,`)
  await writeFile(file, text.replace('Cleo', 'Cleopatra'))
  t.match(await json('agent', 'import', file), { updated: 1, created: 0 })
  t.match(await json('agent', 'show', agent.agentId), { name: 'Cleopatra', endpoints: ['PJSIP/8009'], roles: ['supervisor', 'agent'] })
})

t.test('signing keys are listed, and the one in use is not retired', async t => {
  const [key] = await eventually(async () => {
    const keys: { kid: string }[] = await json('signing-key', 'list')
    return keys.length > 0 && keys
  }, { message: 'no key' })
  t.match(await tacet('signing-key', 'retire', key!.kid), { code: 1, text: /409 in-use/ })
  t.match(await tacet('signing-key', 'retire', 'unknown'), { code: 1, text: /404/ })
})

t.test('the audit log is listed and verified', async t => {
  await eventually(async () => (await json('audit', 'list', '--action', 'agent.delete')).length === 1, { message: 'not chained', timeoutMs: 20_000 })
  t.match((await tacet('audit', 'list', '--limit', '2')).text, /^seq +at +action/)
  t.match(await json('audit', 'verify', '--company', companyId), { isIntact: true })
  t.equal((await tacet('audit', 'verify')).code, 0)
  const { text } = await tacet('audit', 'export', '--action', 'agent.delete')
  t.match(text, /^seq,at,.*\n\d+,.*,agent\.delete,done,/)

  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  t.teardown(() => client.end())
  await client.query("alter table settings_audit.audit_log disable trigger user; update settings_audit.audit_log set entry = replace(entry, 'agent.delete', 'agent.update') where action = 'agent.delete'")
  const tampered = await tacet('audit', 'verify')
  t.equal(tampered.code, 1)
  t.match(tampered.text, new RegExp(`${companyId} .*false .*hash`))
})

t.test('the doctor says what is well, what is not known, and what is wrong', async t => {
  const findings: { check: string, state: string }[] = await json('doctor')
  const states = Object.fromEntries(findings.map(({ check, state }) => [check, state]))
  t.match(states, {
    'settings: database': 'ok', 'settings: clock': 'ok', 'call-control': 'unknown', 'database: settings': 'ok', 'database: settings clock': 'ok', 'Kafka: topics': 'ok', Asterisk: 'unknown', recordings: 'unknown',
  })
  cliEnv.TACET_SETTINGS_ADMIN_URL = 'http://127.0.0.1:1'
  const { code, text } = await tacet('doctor')
  t.equal(code, 1)
  t.match(text, /WRONG +settings: does not answer/)
})

t.test('the doctor sees topics that are missing or cut, letters nobody could read, and a Kafka that is away', async t => {
  const brokers = stack.kafka.brokers
  t.match(await checkTopics(brokers, `none-${randomUUID()}.`), [{ check: 'Kafka: topics', state: 'wrong', detail: /missing: .*tacet\.settings\.v1/, mend: /topics.json/ }])
  t.match(await checkTopics(['127.0.0.1:1'], ''), [{ check: 'Kafka', state: 'wrong', mend: /advertises/ }])
  t.match(await checkTopics(undefined, ''), [{ state: 'unknown' }])
  const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING })
  const [admin, producer] = [kafka.admin(), kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })]
  await Promise.all([admin.connect(), producer.connect()])
  t.teardown(() => Promise.all([admin.disconnect(), producer.disconnect()]))
  await producer.send({ topic: `${topics.prefix}settings.dead-letters.v1`, messages: [{ value: 'x' }] })
  await admin.createPartitions({ topicPartitions: [{ topic: `${topics.prefix}tacet.settings.v1`, count: 2 }] })
  t.match((await checkTopics(brokers, topics.prefix)).filter(({ state }) => state !== 'ok'), [
    { check: /tacet\.settings\.v1$/, state: 'wrong', detail: 'has 2 partitions' },
    { check: 'Kafka: settings.dead-letters.v1', state: 'warning', detail: /^1 messages/ },
  ])
})

t.test('the doctor sees a database without tables, with events given up, or not at all', async t => {
  t.match(await checkDatabase({ call_control: database.urls.call_control }), [{ check: 'database: call_control', state: 'wrong', mend: /call-control\/dist\/db\/migrate/ }])
  t.match(await checkDatabase({ settings: 'postgres://settings:wrong@127.0.0.1:1/tacet' }), [{ state: 'wrong', mend: /password/ }])
  t.match(await checkDatabase({}), [{ state: 'unknown', mend: /TACET_DATABASE_URL/ }])
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  t.teardown(() => client.end())
  await client.query('update settings.outbox set parked_at = now(), published_at = null where id = (select min(id) from settings.outbox)')
  t.match((await checkDatabase({ settings: database.urls.settings })).filter(({ state }) => state !== 'ok'), [{ check: 'database: settings events', state: 'warning', detail: /1 could not be published/ }])
  await client.query("create table call_control.outbox as select * from settings.outbox limit 1; alter table call_control.outbox owner to call_control; update call_control.outbox set parked_at = null, published_at = null, occurred_at = now() - interval '5 minutes'")
  t.match((await checkDatabase({ call_control: database.urls.call_control })).filter(({ state }) => state !== 'ok'), [{ check: 'database: call_control events', state: 'warning', detail: /1 wait/, mend: /Kafka/ }])
})
