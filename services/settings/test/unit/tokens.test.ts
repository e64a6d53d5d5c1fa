import t from 'tap'
import { hashToken, loadConfig, redacted } from '@tacet/service-kit'
import { tokens } from '../../src/adapters/tokens.ts'
import { settingsConfig } from '../../src/config.ts'

t.test('tokens hold at least 128 random bits, say their kind and fit into an address', async t => {
  for (const [kind, prefix] of [['api-token', 'tct_'], ['device-token', 'td_']] as const) {
    const { token, hash } = tokens.create(kind)
    t.ok(token.startsWith(prefix))
    t.ok(Buffer.from(token.slice(prefix.length), 'base64url').length * 8 >= 128)
    t.equal(encodeURIComponent(token), token)
    t.equal(hash, hashToken(token), 'the hash that the other services compute')
    t.not(tokens.create(kind).token, token)
  }
})

t.test('the operator\'s token must be strong, and is never printed', async t => {
  const env = (token: string | undefined) => ({ DATABASE_URL: 'postgres://settings@db/tacet', KAFKA_BROKERS: 'kafka:9092', SETTINGS_OPERATOR_TOKEN: token })
  for (const weak of [undefined, '', 'secret', 'has a space in it, but is long']) t.throws(() => loadConfig(settingsConfig, env(weak)), /SETTINGS_OPERATOR_TOKEN/, String(weak))
  const strong = 'v0Jm9Q2rT6yB8nK4xW1sZg'
  t.notMatch(JSON.stringify(redacted(settingsConfig, loadConfig(settingsConfig, env(strong)))), strong)
})
