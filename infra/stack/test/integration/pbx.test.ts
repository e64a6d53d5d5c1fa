import t from 'tap'
import type { Test } from 'tap'
import { createPhone, eventually, readStack } from '@tacet/test-kit'
import type { Call } from '@tacet/test-kit'

const { ari, sip, trunk, agents, numbers } = readStack()
const [anna, ben, chloe] = agents as [typeof agents[0], typeof agents[0], typeof agents[0]]
const [direct, support, local] = numbers.map(({ e164 }) => e164) as [string, string, string]
const customerNumber = '+447700900123'

async function phoneOf (t: Test, account: { username: string, password: string }) {
  const phone = await createPhone({ sip, account })
  t.teardown(() => phone.close())
  await phone.register()
  return phone
}

async function ask (path: string): Promise<any> {
  const authorization = `Basic ${Buffer.from(`${ari.username}:${ari.password}`).toString('base64')}`
  return await (await fetch(`${ari.url}/ari${path}`, { headers: { authorization } })).json()
}

const channelNames = async (): Promise<string[]> => (await ask('/channels')).map(({ name }: { name: string }) => name)

const hears = (call: Call) => {
  const before = call.received.length
  return eventually(() => call.received.length >= before + 10, { message: 'audio' })
}

t.test('nothing that makes audio bypass Asterisk is loaded', async (t) => {
  const modules: Array<{ name: string }> = await ask('/asterisk/modules')
  t.ok(modules.some(({ name }) => name === 'app_mixmonitor.so'))
  t.notOk(modules.some(({ name }) => name === 'bridge_native_rtp.so'))
})

t.test('support answers with a menu, then rings both agents; one takes it', async (t) => {
  const [outside, bens, chloes] = [await phoneOf(t, trunk), await phoneOf(t, ben.sip), await phoneOf(t, chloe.sip)]
  const customer = await outside.call(support, { callerId: { number: customerNumber } })
  await customer.answered()
  const [atBen, atChloe] = await Promise.all([bens.waitForCall(), chloes.waitForCall()])
  t.equal(atBen.remote.user, customerNumber)
  await atChloe.answer()
  await atBen.ended()
  await hears(atChloe)
  await atChloe.hangup()
  await customer.ended()
})

t.test('a call by way of a Local channel is left without one', async (t) => {
  const [outside, annas] = [await phoneOf(t, trunk), await phoneOf(t, anna.sip)]
  const customer = await outside.call(local, { callerId: { number: customerNumber } })
  const atAnna = await annas.waitForCall()
  t.ok((await channelNames()).some((name) => name.startsWith('Local/')))
  await atAnna.answer()
  await hears(customer)
  await eventually(async () => !(await channelNames()).some((name) => name.startsWith('Local/')), { message: 'optimisation' })
  await hears(atAnna)
})

t.test("an agent's call to the outside shows the company's number", async (t) => {
  const [outside, annas] = [await phoneOf(t, trunk), await phoneOf(t, anna.sip)]
  for (const number of ['+447700900999', '02071838000']) {
    const call = await annas.call(number)
    const atCustomer = await outside.waitForCall()
    t.equal(atCustomer.dialled, number)
    t.equal(atCustomer.remote.user, direct)
    await atCustomer.answer()
    await hears(call)
    await call.hangup()
    await atCustomer.ended()
  }
})

t.test('colleagues call each other by extension', async (t) => {
  const [annas, bens] = [await phoneOf(t, anna.sip), await phoneOf(t, ben.sip)]
  const call = await annas.call(ben.extension)
  const atBen = await bens.waitForCall()
  t.equal(atBen.remote.user, anna.extension)
  await atBen.answer()
  await hears(call)
})

for (const code of ['*8', `*8${anna.extension}`]) {
  t.test(`${code} picks up what rings at a colleague`, async (t) => {
    const [outside, annas, bens] = [await phoneOf(t, trunk), await phoneOf(t, anna.sip), await phoneOf(t, ben.sip)]
    const customer = await outside.call(direct, { callerId: { number: customerNumber } })
    const atAnna = await annas.waitForCall()
    await customer.ringing()
    const atBen = await bens.call(code)
    await atBen.answered()
    await customer.answered()
    await atAnna.ended()
    await hears(atBen)
    await hears(customer)
  })
}

t.test('a customer is transferred blindly to a colleague and to the outside', async (t) => {
  const [outside, annas, bens] = [await phoneOf(t, trunk), await phoneOf(t, anna.sip), await phoneOf(t, ben.sip)]
  const customer = await outside.call(direct, { callerId: { number: customerNumber } })
  const atAnna = await annas.waitForCall()
  await atAnna.answer()
  await customer.answered()
  const toBen = atAnna.blindTransfer(ben.extension)
  const atBen = await bens.waitForCall()
  await atBen.answer()
  await toBen
  await hears(atBen)
  const toOutside = atBen.blindTransfer('+447700900555')
  const third = await outside.waitForCall()
  t.equal(third.dialled, '+447700900555')
  await third.answer()
  await toOutside
  await hears(third)
  await hears(customer)
})
