import fc from 'fast-check'
import t from 'tap'
import type { Agent, Company, PhoneNumber } from '@tacet/contracts'
import { resolveCall } from '@tacet/policy'
import { createEntries, type Replica, type ReplicaEntry } from '@tacet/service-kit'
import { createSettingsView } from '../../src/adapters/settings-view.ts'
import { agent, anna, ben, company, companyId, phoneNumber } from '../support/rules.ts'

const dialled = '+442071838750'

/** A copy of the settings without its topic. */
function copyOf (updates: ReplicaEntry[]) {
  const entries = createEntries()
  const list = (type: string) => Array.from(entries.all()).filter(entry => entry.type === type).map(({ data }) => data)
  const get = (_type: string, id: string) => entries.get(id)?.data ?? undefined
  const view = createSettingsView({ list, get, onChange: entries.onChange } as unknown as Replica<'tacet.settings.v1'>)
  // Looked at after each, as calls do: what was seen must not stay.
  for (const update of updates) {
    entries.apply(update)
    view.findOwner('PJSIP/1001')
  }
  return view
}

/** What a call of Anna's would get, and whose the endpoints are. */
function effectOf (updates: ReplicaEntry[]) {
  const { settings, findOwner } = copyOf(updates)
  const rules = settings.rulesFor(companyId, dialled)
  const [mine, peer = null] = [anna, ben].map(agentId => settings.agentRules(agentId))
  const decided = rules !== undefined && mine !== undefined ? (['inbound', 'internal'] as const).map(direction => resolveCall({ direction, ...rules, agent: mine, peer })) : null
  return { rules, mine, decided, owners: ['PJSIP/1001', 'PJSIP/1002'].map(findOwner) }
}

const override = fc.constantFrom('inherit', 'on', 'off')
const access = fc.constantFrom('inherit', 'allow', 'deny')
const everywhere = <Value>(value: Value) => ({ inbound: value, outbound: value, internal: value })
const versionsOf = <Data>(type: string, id: string, state: fc.Arbitrary<Data>): fc.Arbitrary<ReplicaEntry[]> =>
  fc.array(state, { minLength: 1, maxLength: 4 }).map(states => states.map((data, index) => ({ type, id, version: index + 1, data: { ...data, version: index + 1 } })))
const number = phoneNumber(dialled)

const anyUpdates = fc.tuple(
  versionsOf<Company>('company.changed', companyId, fc.record({ value: fc.constantFrom('on', 'off'), pause: fc.constantFrom('allow', 'deny'), isLocked: fc.boolean() }).map(({ value, pause, isLocked }) =>
    company({ recording: everywhere(value), agentInitiatedPause: pause, locks: { recording: isLocked, agentInitiatedPause: isLocked } }))),
  versionsOf<PhoneNumber>('number.changed', number.numberId, fc.record({ value: override, pause: access, isOther: fc.boolean() }).map(({ value, pause, isOther }) =>
    phoneNumber(isOther ? '+442071838751' : dialled, value, pause))),
  ...[anna, ben].map((agentId, index) => versionsOf<Agent>('agent.changed', agentId, fc.record({ value: override, pause: access, hasPhone: fc.boolean() }).map(({ value, pause, hasPhone }) =>
    agent(agentId, { recording: everywhere(value), agentInitiatedPause: pause, endpoints: hasPhone ? [`PJSIP/100${index + 1}`] : [] }))))
).map(all => all.flat())

t.test('law: in whatever order the versions of the settings come, and however often, the newest of each decides', async t => {
  const inTwoOrders = anyUpdates.chain(all => fc.tuple(fc.constant(all), fc.shuffledSubarray([...all, ...all], { minLength: 2 * all.length })))
  fc.assert(fc.property(inTwoOrders, ([inOrder, shuffled]) => {
    t.same(effectOf(shuffled), effectOf(inOrder))
  }))
})
