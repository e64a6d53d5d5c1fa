import { test } from 'tap'
import { scopeOf } from '../../src/domain/access.ts'

const companyId = '01990000-0000-7000-8000-000000000001'
const agentId = '01990000-0000-7000-8000-000000001001'

test('the operator may see everything', t => {
  t.same(scopeOf({ companyId: null, agentId: null, roles: [] }), { kind: 'all' })
  t.end()
})

test('whoever looks after a company may see all of it', t => {
  for (const role of ['owner', 'admin', 'supervisor', 'service'] as const) t.same(scopeOf({ companyId, agentId, roles: [role] }), { kind: 'company', companyId }, role)
  t.end()
})

test('an agent may see the calls they were in, and a token without a role nothing', t => {
  t.same(scopeOf({ companyId, agentId, roles: ['agent'] }), { kind: 'agent', companyId, agentId })
  t.same(scopeOf({ companyId, agentId: null, roles: ['agent'] }), { kind: 'none' })
  t.same(scopeOf({ companyId, agentId, roles: [] }), { kind: 'none' })
  t.end()
})
