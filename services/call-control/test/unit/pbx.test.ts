import t from 'tap'
import { compareLinkedIds, createPbx, isParty } from '../../src/domain/pbx.ts'
import { viewCall } from '../../src/domain/call-view.ts'
import { annaLeg, leg, trunkLeg } from '../support/lab.ts'
import { agent, anna, ben, companyId, createSettings, otherCompanyId } from '../support/rules.ts'

const { findOwner } = createSettings()
const trunk = trunkLeg()
const linked = [trunk.linkedId]

function createTalk (...legs: Parameters<ReturnType<typeof createPbx>['see']>[0][]) {
  const pbx = createPbx()
  for (const known of legs) pbx.see(known)
  pbx.bridge('b1', legs.map(({ channelId }) => channelId))
  return pbx
}

t.test('what was dialled is what a leg showed first, also after a look at the PBX', async t => {
  const pbx = createPbx()
  pbx.see(trunk)
  pbx.see(trunkLeg({ dialledNumber: '100' }))
  t.equal(pbx.leg(trunk.channelId)?.dialledNumber, trunk.dialledNumber)
  pbx.replace({ legs: [trunkLeg({ dialledNumber: '200' })], bridges: [] })
  t.equal(pbx.leg(trunk.channelId)?.dialledNumber, trunk.dialledNumber)
})

t.test('a leg that enters another bridge, or goes, is in none of the old ones', async t => {
  const pbx = createTalk(trunk, annaLeg())
  pbx.bridge('b2', [trunk.channelId])
  t.same(pbx.bridgeMates(trunk.channelId), [trunk.channelId])
  pbx.forget(trunk.channelId)
  t.same(pbx.bridgeMates(trunk.channelId), [])
  t.same(pbx.legsOf(linked).map(({ channelId }) => channelId), [annaLeg().channelId])
})

t.test('all legs of a bridge take the oldest linkedid', async t => {
  const late = annaLeg({ linkedId: '1795419400.1' })
  const pbx = createTalk(late, trunk)
  t.same(pbx.mergeLinkedIds('b1'), [trunk.linkedId, '1795419400.1'])
  t.equal(pbx.leg(late.channelId)?.linkedId, trunk.linkedId)
  t.same(pbx.mergeLinkedIds('b1'), [])
})

t.test('linkedids are compared by time and counter, also with a system name', async t => {
  t.ok(compareLinkedIds('1795419347.9', '1795419347.10') < 0)
  t.ok(compareLinkedIds('pbx-1-1795419348.1', 'pbx-1-1795419347.10') > 0)
})

t.test('recorders and Local channels are no parties', async t => {
  t.notOk(isParty(leg({ channelId: 'r', endpoint: 'Snoop/1795419347.6' })))
  t.notOk(isParty(leg({ channelId: 'l', endpoint: 'Local/1001@agents' })))
  t.ok(isParty(trunk))
})

t.test('a call in which no agent takes part is none of ours', async t => {
  const stranger = leg({ channelId: '1795419347.9', endpoint: 'PJSIP/door' })
  t.equal(viewCall(createTalk(trunk, stranger), linked, findOwner), null)
  t.equal(viewCall(createPbx(), linked, findOwner), null)
})

t.test('the operator\'s number wins over the dialled one', async t => {
  t.equal(viewCall(createTalk(trunkLeg({ numberOverride: '+4420999' }), annaLeg()), linked, findOwner)?.number, '+4420999')
})

t.test('an outbound call has the number it presents', async t => {
  const caller = leg({ channelId: '1795419347.6', endpoint: 'PJSIP/1001', callerNumber: '1001', dialledNumber: '+447700900999' })
  const callee = leg({ channelId: '1795419347.7', endpoint: 'PJSIP/trunk', callerNumber: '+447700900999', connectedNumber: '+442071838750' })
  t.match(viewCall(createTalk(caller, callee), linked, findOwner), { direction: 'outbound', number: '+442071838750', customer: '+447700900999', recordedLegId: callee.channelId })
  t.equal(viewCall(createTalk(caller, { ...callee, numberOverride: '+4420111' }), linked, findOwner)?.number, '+4420111')
})

t.test('a call between agents of two companies belongs to the caller\'s, and is outbound', async t => {
  const { findOwner } = createSettings({ agents: [agent(anna), agent(ben, { companyId: otherCompanyId })] })
  const caller = annaLeg({ channelId: '1795419347.6' })
  const callee = leg({ channelId: '1795419347.7', endpoint: 'PJSIP/1002' })
  t.match(viewCall(createTalk(caller, callee), linked, findOwner), { companyId, direction: 'outbound', agents: [{ agentId: anna }], recordedLegId: callee.channelId })
})

t.test('whoever is left alone at a hangup is not recorded', async t => {
  const pbx = createPbx()
  pbx.see(annaLeg())
  t.equal(viewCall(pbx, linked, findOwner, { companyId, direction: 'inbound' })?.recordedLegId, null)
  t.equal(viewCall(pbx, linked, findOwner, { companyId, direction: 'internal' })?.recordedLegId, null)
})

t.test('a wideband leg is seen as such', async t => {
  t.ok(viewCall(createTalk(trunkLeg({ isWideband: true }), annaLeg()), linked, findOwner)?.isWideband)
})
