import { test } from 'tap'
import type { Role, Scope } from '@tacet/contracts'
import { mayManage, scopeOf } from '../../src/domain/access.ts'

const companyId = '01990000-0000-7000-8000-000000000001'
const agentId = '01990000-0000-7000-8000-000000001001'

test('the operator may see everything', t => {
  t.same(scopeOf({ companyId: null, agentId: null, roles: [] }), { kind: 'all' })
  t.end()
})

test('whoever looks after a company may see all of it', t => {
  for (const role of ['owner', 'admin', 'supervisor'] as const) t.same(scopeOf({ companyId, agentId, roles: [role] }), { kind: 'company', companyId }, role)
  t.end()
})

test('an agent may see the calls they were in, and a token without a role nothing', t => {
  t.same(scopeOf({ companyId, agentId, roles: ['agent'] }), { kind: 'agent', companyId, agentId })
  t.same(scopeOf({ companyId, agentId: null, roles: ['agent'] }), { kind: 'none' })
  t.same(scopeOf({ companyId, agentId, roles: [] }), { kind: 'none' })
  t.end()
})

test('a service may see what its scopes name, whatever else it is called', t => {
  const service = { companyId, agentId: null, roles: ['service'] as const }
  t.same(scopeOf(service), { kind: 'none' })
  t.same(scopeOf({ ...service, scopes: ['calls:read', 'settings:write'] }), { kind: 'none' })
  for (const scope of ['recordings:read', 'recordings:manage'] as const) t.same(scopeOf({ ...service, scopes: [scope] }), { kind: 'company', companyId }, scope)
  t.end()
})

test('only owners, admins, and services with that scope may delete, hold and cut', t => {
  const may = (roles: Role[], scopes: Scope[] = []) => mayManage({ companyId, agentId, roles, scopes })
  t.same([may(['owner']), may(['admin']), may(['service'], ['recordings:manage']), mayManage({ companyId: null, agentId: null, roles: ['owner'] })], [true, true, true, true])
  t.same([may(['supervisor']), may(['agent']), may(['service'], ['recordings:read']), may(['supervisor'], ['recordings:manage']), may([])], [false, false, false, false, false])
  t.end()
})
