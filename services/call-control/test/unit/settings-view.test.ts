import t from 'tap'
import { createSettingsView } from '../../src/adapters/settings-view.ts'
import { agent, anna, ben, company, companyId, phoneNumber } from '../support/rules.ts'

/** A replica that can be told what changed. */
function createReplica () {
  const values: Record<string, unknown[]> = { 'company.changed': [company()], 'number.changed': [], 'agent.changed': [] }
  const listeners: (() => void)[] = []
  const replica = {
    list: (type: string) => values[type],
    get: (type: string, id: string) => values[type]?.find(value => Object.values(value as object).includes(id)),
    onChange: (listener: () => void) => listeners.push(listener),
  } as unknown as Parameters<typeof createSettingsView>[0]
  return { replica, set (type: string, list: unknown[]) { values[type] = list; for (const listener of listeners) listener() } }
}

t.test('endpoints belong to who has them now', async t => {
  const { replica, set } = createReplica()
  const { findOwner } = createSettingsView(replica)
  t.equal(findOwner('PJSIP/1001'), undefined)
  set('agent.changed', [agent(anna)])
  t.same(findOwner('PJSIP/1001'), { agentId: anna, companyId })
  set('agent.changed', [agent(anna, { endpoints: [] }), agent(ben, { endpoints: ['PJSIP/1001'] })])
  t.equal(findOwner('PJSIP/1001')?.agentId, ben)
})

t.test('rules are frozen for company, number and agent, and unknown ones are undefined', async t => {
  const { replica, set } = createReplica()
  const { settings } = createSettingsView(replica)
  set('number.changed', [phoneNumber('+442071838750', 'off')])
  set('agent.changed', [agent(anna)])
  t.match(settings.rulesFor(companyId, '+442071838750'), { company: { version: 1 }, number: { recording: { inbound: 'off' } } })
  t.match(settings.rulesFor(companyId, '00442071838750')?.number, { number: '+442071838750' }, 'as a trunk may spell it')
  t.equal(settings.rulesFor(companyId, '02071838750')?.number, null)
  set('company.changed', [company({ country: 'GB' })])
  t.match(settings.rulesFor(companyId, '02071838750')?.number, { number: '+442071838750' }, 'in the company\'s own country')
  t.equal(settings.rulesFor(companyId, '+4499')?.number, null)
  t.equal(settings.rulesFor(companyId, null)?.number, null)
  t.equal(settings.rulesFor('c0000000-0000-4000-8000-00000000ffff', null), undefined)
  t.match(settings.agentRules(anna), { agentId: anna, version: 3 })
  t.equal(settings.agentRules(ben), undefined)
  t.same([companyId, 'c0000000-0000-4000-8000-00000000ffff'].map(settings.companyName), ['Acme', undefined])
  t.same([anna, ben].map(settings.agentName), ['Somebody', undefined])
})
