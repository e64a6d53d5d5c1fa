import type { Agent, Company, Credential, PhoneNumber } from '@tacet/contracts'
import type { Announcement } from '../domain/changes.ts'
import type { EndpointOwner } from '../domain/endpoints.ts'

export interface CompanyRepository {
  find (companyId: string): Promise<Company | null>
  list (): Promise<Company[]>
  save (company: Company): Promise<void>
}

/** What belongs to a company is only ever found with its company. */
export interface OwnedRepository<Entity> {
  find (companyId: string, id: string): Promise<Entity | null>
  list (companyId: string): Promise<Entity[]>
  save (entity: Entity): Promise<void>
}

export interface NumberRepository extends OwnedRepository<PhoneNumber> {
  findByNumber (companyId: string, number: string): Promise<PhoneNumber | null>
  remove (numberId: string): Promise<void>
}

export interface AgentRepository extends OwnedRepository<Agent> {
  findCompanyId (agentId: string): Promise<string | null>
  findOwners (endpoints: readonly string[]): Promise<EndpointOwner[]>
  remove (agentId: string): Promise<void>
}

export interface CredentialRepository extends OwnedRepository<Credential> {
  findByHash (hash: string): Promise<Credential | null>
}

export interface Repositories {
  companies: CompanyRepository
  numbers: NumberRepository
  agents: AgentRepository
  credentials: CredentialRepository
}

/** One transaction. */
export interface UnitOfWork extends Repositories {
  /**
   * Takes the next version of an entity; they grow for ever, also after a delete.
   * Refuses with `already-exists` an id that is or was something else, or another company's.
   */
  nextVersion (kind: 'company' | 'number' | 'agent', companyId: string, entityId: string): Promise<number>
  announce (announcements: Announcement[]): Promise<void>
}

export interface Store extends Repositories {
  /** Commits what `work` writes and announces, or nothing of it. Changes of one company take turns. */
  change<T> (companyId: string, work: (unit: UnitOfWork) => Promise<T>): Promise<T>
}

export interface Tokens {
  create (kind: Credential['kind']): { token: string, hash: string }
  hash (token: string): string
}

export interface Dependencies {
  store: Store
  tokens: Tokens
  now: () => Date
  newId: () => string
}
