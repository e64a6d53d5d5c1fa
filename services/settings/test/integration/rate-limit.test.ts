import t from 'tap'
import { eventually } from '@tacet/test-kit'
import { createCompany, startTestSettings } from '../helpers/settings.ts'

t.test('each key has a budget of its own, its JWTs included; whoever only tries keys out has one for all of them', async t => {
  const budget = 20
  const settings = await startTestSettings(t, { RATE_LIMIT_PER_MINUTE: String(budget) })
  const { http, operator } = settings
  const [one, other] = [await createCompany(settings), await createCompany(settings)]
  const ask = async (token: string) => (await http('/v1/companies', { token })).status
  // The first request with a key is counted as its address's, and so are those that come before it is answered.
  t.equal(await ask(one.token), 200)
  const answers = await Promise.all(Array.from({ length: budget + 5 }, () => ask(one.token)))
  t.ok(answers.filter(status => status === 200).length <= budget)
  const refused = await one.client('/v1/companies')
  t.match([refused.status, refused.problem().code], [429, 'rate-limited'])
  t.ok(Number(refused.headers.get('retry-after')) > 0)
  t.equal(await ask(other.token), 200, 'another key at the same address')
  t.equal((await operator('/v1/companies')).status, 200)

  const { body: { token: jwt } } = await http('/v1/tokens', { method: 'POST', token: other.token })
  // Until it is known, each attempt is counted as its address's.
  await eventually(async () => await ask(jwt) === 200, { intervalMs: 1_000, timeoutMs: 15_000, message: 'the JWT is not known' })
  await Promise.all(Array.from({ length: budget }, () => ask(jwt)))
  t.same([await ask(jwt), await ask(other.token)], [429, 429], 'a key and its JWTs have one budget')

  const guesses = []
  for (let guess = 0; guess < budget + 1; guess += 1) guesses.push(await ask(`tct_guess${guess}`))
  t.same([guesses[0], guesses.at(-1)], [401, 429])
  t.equal((await operator('/v1/companies')).status, 200, 'known keys go on')
})
