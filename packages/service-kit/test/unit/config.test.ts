import t from 'tap'
import { z } from 'zod'
import { commaList, commonConfig, ConfigError, describeConfig, flag, loadConfig, port, redacted, secret, variable, wholeNumber } from '@tacet/service-kit'

const shape = {
  databaseUrl: secret('DATABASE_URL', z.url(), 'the database'),
  password: secret('ARI_PASSWORD', z.string(), 'of the PBX'),
  brokers: variable('KAFKA_BROKERS', commaList(), 'brokers'),
  httpPort: variable('HTTP_PORT', port().default(8080), 'port of the API'),
  isStereo: variable('STEREO', flag().default(false), 'two tracks'),
  guardMs: variable('GUARD_MS', wholeNumber(0, 2_000).default(150), 'guard'),
  spoolDir: variable('SPOOL_DIR', z.string().optional(), 'shared folder'),
}
const env = { DATABASE_URL: 'postgres://me:hidden@db:5432/tacet', ARI_PASSWORD: 'hush', KAFKA_BROKERS: 'a:1, b:2,' }

t.test('variables are read, converted and defaulted', async t => {
  t.same(loadConfig(shape, { ...env, STEREO: 'yes', HTTP_PORT: '0' }), {
    databaseUrl: env.DATABASE_URL, password: 'hush', brokers: ['a:1', 'b:2'], httpPort: 0, isStereo: true, guardMs: 150, spoolDir: undefined,
  })
})

t.test('an empty variable counts as absent', async t => {
  const config = loadConfig(shape, { ...env, HTTP_PORT: '', SPOOL_DIR: '  ', STEREO: '' })
  t.match(config, { httpPort: 8080, isStereo: false })
  t.equal(config.spoolDir, undefined)
})

t.test('"false" is false', async t => {
  t.equal(loadConfig(shape, { ...env, STEREO: 'false' }).isStereo, false)
})

t.test('everything wrong is named at once, without its value', async t => {
  const wrong = { ...env, DATABASE_URL: '', HTTP_PORT: '70000', STEREO: 'perhaps', GUARD_MS: '1e3', KAFKA_BROKERS: ',' }
  const load = () => loadConfig(shape, wrong)
  t.throws(load, ConfigError)
  for (const name of ['DATABASE_URL', 'HTTP_PORT', 'STEREO', 'GUARD_MS', 'KAFKA_BROKERS']) t.throws(load, { message: new RegExp(name) })
  try {
    load()
  } catch (error) {
    t.notMatch(String(error), /perhaps|70000|ARI_PASSWORD/)
  }
})

t.test('proxies are named by address, by network or by kind', async t => {
  const { trustProxy } = commonConfig
  const proxies = (value?: string) => loadConfig({ trustProxy }, { TRUST_PROXY: value }).trustProxy
  t.equal(proxies(), undefined)
  t.same(proxies('10.0.0.0/8, ::1,loopback'), ['10.0.0.0/8', '::1', 'loopback'])
  for (const wrong of ['true', '*', 'proxy.example.org', '10.0.0.0/99']) t.throws(() => proxies(wrong), ConfigError)
})

t.test('what is printed holds no secret', async t => {
  const printed = JSON.stringify(redacted(shape, loadConfig(shape, env)))
  t.notMatch(printed, /hidden|hush/)
  t.match(printed, /postgres:\/\/me:\*\*\*@db:5432\/tacet/)
  t.match(printed, /8080/)
})

t.test('the table names each variable with its default', async t => {
  const table = describeConfig(shape)
  t.match(table, '| `HTTP_PORT` | `8080` | port of the API |')
  t.match(table, '| `DATABASE_URL` | required | the database |')
})
