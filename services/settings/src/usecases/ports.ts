import type { Agent, agentQuerySchema, AuditEntry, Company, companyQuerySchema, Credential, credentialQuerySchema, endpointQuerySchema, KeySet, numberQuerySchema, PhoneNumber, PublicKey } from '@tacet/contracts'
import type { Readable } from 'node:stream'
import type { z } from 'zod'
import type { Tampering } from '../domain/audit-chain.ts'
import type { Announcement } from '../domain/changes.ts'
import type { CsvRow } from '../domain/csv-rows.ts'
import type { Endpoint } from '../domain/endpoints.ts'

export interface Page<Entity> {
  items: Entity[]
  nextCursor: string | null
}

export type CompanyQuery = z.output<typeof companyQuerySchema>
export type NumberQuery = z.output<typeof numberQuerySchema>
export type AgentQuery = z.output<typeof agentQuerySchema>
export type CredentialQuery = z.output<typeof credentialQuerySchema>
export type EndpointQuery = z.output<typeof endpointQuerySchema>

/** A credential with what only this service knows of it. */
export type StoredCredential = Credential & { scopes: NonNullable<Credential['scopes']>, prefix: string }

export interface CompanyRepository {
  find (companyId: string): Promise<Company | null>
  list (query: CompanyQuery): Promise<Page<Company>>
  ids (): Promise<string[]>
  save (company: Company): Promise<void>
  remove (companyId: string): Promise<void>
}

/** What belongs to a company is only ever found with its company. */
export interface OwnedRepository<Entity, Query> {
  find (companyId: string, id: string): Promise<Entity | null>
  list (companyId: string, query: Query): Promise<Page<Entity>>
  all (companyId: string): Promise<Entity[]>
  save (entity: Entity): Promise<void>
  remove (id: string): Promise<void>
}

export interface NumberRepository extends OwnedRepository<PhoneNumber, NumberQuery> {
  findByNumber (companyId: string, number: string): Promise<PhoneNumber | null>
}

export interface AgentRepository extends OwnedRepository<Agent, AgentQuery> {
  findByEmail (companyId: string, email: string): Promise<Agent[]>
  findCompanyId (agentId: string): Promise<string | null>
}

export interface CredentialRepository extends OwnedRepository<StoredCredential, CredentialQuery> {
  /** Those that are not revoked. */
  ofAgent (companyId: string, agentId: string): Promise<StoredCredential[]>
  findByHash (hash: string): Promise<StoredCredential | null>
  findById (credentialId: string): Promise<StoredCredential | null>
}

export interface EndpointRepository {
  find (endpoint: string): Promise<Endpoint | null>
  list (query: EndpointQuery): Promise<Page<Endpoint>>
  /** Those of these names that are assigned, each kept from others until the transaction ends. */
  lock (endpoints: readonly string[]): Promise<Endpoint[]>
  /** From the company `before`, null: from nobody. Refuses with `in-use` what somebody got meanwhile. */
  assign (endpoint: string, companyId: string, before: string | null): Promise<void>
  remove (endpoint: string): Promise<void>
  removeOf (companyId: string): Promise<void>
  /** Gives the agent exactly these, assigning to the company what nobody had. Refuses with `already-exists` what another company got meanwhile. */
  give (agent: { agentId: string, companyId: string }, endpoints: readonly string[]): Promise<void>
}

/** A key set with what only this service knows of it. */
export type StoredKeySet = KeySet & { jwksUrl: string | null, fetchedAt: string, lastError: string | null }

export interface KeySetRepository {
  find (keySetId: string): Promise<StoredKeySet | null>
  findOfCompany (companyId: string): Promise<StoredKeySet | null>
  findByIssuer (issuer: string): Promise<StoredKeySet[]>
  allOfCompanies (): Promise<StoredKeySet[]>
  save (keySet: StoredKeySet): Promise<void>
  remove (keySetId: string): Promise<void>
}

export interface Repositories {
  companies: CompanyRepository
  numbers: NumberRepository
  agents: AgentRepository
  endpoints: EndpointRepository
  credentials: CredentialRepository
  keySets: KeySetRepository
}

/** One transaction. */
export interface UnitOfWork extends Repositories {
  /**
   * Takes the next version of an entity; they grow for ever, also after a delete.
   * Refuses with `already-exists` an id that is or was something else, or another company's.
   */
  nextVersion (kind: 'company' | 'number' | 'agent' | 'key-set', companyId: string, entityId: string): Promise<number>
  announce (announcements: Announcement[]): Promise<void>
}

export interface Store extends Repositories {
  /** Commits what `work` writes and announces, or nothing of it. Changes of one company take turns. */
  change<T> (companyId: string, work: (unit: UnitOfWork) => Promise<T>): Promise<T>
  /** Publishes without changing anything. */
  announce (announcements: Announcement[]): Promise<void>
  /** As `change`, then undone. */
  rehearse<T> (companyId: string, work: (unit: UnitOfWork) => Promise<T>): Promise<T>
}

export interface Tokens {
  create (kind: Credential['kind']): { token: string, hash: string, prefix: string }
  hash (token: string): string
}

export interface TokenSigner {
  publicKey: PublicKey
  sign (token: { subject: string, issuer: string, audience: string, issuedAt: Date, expiresAt: Date, tokenId: string }): Promise<string>
}

export interface Dependencies {
  store: Store
  tokens: Tokens
  signer: TokenSigner
  /** The public keys at a JWKS address; rejects with a sentence fit for whoever named the address. */
  fetchKeys: (url: string) => Promise<PublicKey[]>
  readCsv: (csv: Readable, columns: readonly string[], required: readonly string[]) => Promise<{ line: number, row: CsvRow }[]>
  now: () => Date
  newId: () => string
}

export interface AuditFilter {
  /** null: all. */
  chains: string[] | null
  /** How the action begins. */
  action?: string | undefined
  outcome?: AuditEntry['outcome'] | undefined
  agentId?: string | undefined
  credentialId?: string | undefined
  callId?: string | undefined
  from?: string | undefined
  to?: string | undefined
}

export type ChainedEntry = AuditEntry & { seq: number, hash: string }

export interface ChainReport {
  chain: string
  entries: number
  isIntact: boolean
  /** The first place where the chain is not what was written; `auditId` is null where nothing is. */
  firstTampered: { seq: number, auditId: string | null, kind: Tampering } | null
}

export interface AuditLog {
  /** Newest first. */
  list (filter: AuditFilter, limit: number, cursor: string | undefined): Promise<Page<ChainedEntry>>
  /** All of them, oldest first. */
  stream (filter: AuditFilter): AsyncIterable<ChainedEntry>
  /** null: all chains. */
  verify (chains: string[] | null): Promise<ChainReport[]>
}
