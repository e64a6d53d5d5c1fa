import { isDeepStrictEqual } from 'node:util'
import { problem, type Problem } from '@tacet/contracts'
import type { z } from 'zod'
import { isOperator, type Caller } from '../domain/caller.ts'
import { announce, type Entity } from '../domain/changes.ts'
import { mergePatch } from '../domain/merge-patch.ts'
import type { Precondition } from '../domain/precondition.ts'
import type { Dependencies, UnitOfWork } from './ports.ts'
import { causeOf, found, refusedBy, requirePrecondition } from './shared.ts'

/** One of the things a company has, or the company itself. */
export interface Target {
  caller: Caller
  companyId: string
  id: string
}

export interface Conditional extends Target {
  precondition: Precondition
}

export interface Written<Value> {
  entity: Value
  isNew: boolean
  isChanged: boolean
}

/** What differs between companies, numbers and agents when they are written. */
export interface Kind<Value extends { version: number }, Fields> {
  name: 'company' | 'number' | 'agent'
  schema: z.ZodType<Fields>
  find (unit: UnitOfWork, target: Target): Promise<Value | null>
  /** The part that a request may give. */
  fieldsOf (value: Value): object
  /** Refuses what the company, its other entities or the PBX do not allow. */
  compose (unit: UnitOfWork, target: Target, fields: Fields, before: Value | null): Promise<Omit<Value, 'version'>>
  save (unit: UnitOfWork, value: Value, target: Target, before: Value | null): Promise<void>
  remove (unit: UnitOfWork, value: Value, target: Target): Promise<void>
}

/**
 * Only the operator, who sees every company, names a new id. To others an id that is taken elsewhere must look like one
 * that never was; so both are not found.
 */
export function requireMayName (caller: Caller, before: object | null, what: string, extra: Problem['extra'] = {}): void {
  if (before === null && !isOperator(caller)) throw problem('not-found', `no such ${what}`, extra)
}

export type Writer<Value extends { version: number }, Fields> = ReturnType<typeof createWriter<Value, Fields>>

/** Creates, replaces, patches and deletes: each is one transaction with its events. What changes nothing announces nothing. */
export function createWriter<Value extends { version: number }, Fields> (deps: Dependencies, kind: Kind<Value, Fields>) {
  const entityOf = (value: Value | null) => value && { kind: kind.name, value } as unknown as Entity

  async function write (unit: UnitOfWork, target: Target, fields: Fields, before: Value | null): Promise<Written<Value>> {
    const composed = await kind.compose(unit, target, fields, before)
    if (before !== null && isDeepStrictEqual(before, { ...composed, version: before.version })) return { entity: before, isNew: false, isChanged: false }
    const entity = { ...composed, version: await unit.nextVersion(kind.name, target.companyId, target.id) } as Value
    await kind.save(unit, entity, target, before)
    await unit.announce(announce(causeOf(target.caller, deps), before === null ? 'create' : 'update', entityOf(before), entityOf(entity)))
    return { entity, isNew: before === null, isChanged: true }
  }

  async function remove (unit: UnitOfWork, target: Target, before: Value): Promise<void> {
    await kind.remove(unit, before, target)
    await unit.nextVersion(kind.name, target.companyId, target.id)
    await unit.announce(announce(causeOf(target.caller, deps), 'delete', entityOf(before), null))
  }

  return {
    write,
    remove,
    /** Under an id that we draw. */
    create: async (target: Omit<Target, 'id'>, fields: Fields): Promise<Written<Value>> => await deps.store.change(target.companyId, async unit =>
      await write(unit, { ...target, id: deps.newId() }, fields, null)),
    put: async (target: Conditional, fields: Fields): Promise<Written<Value>> => await deps.store.change(target.companyId, async unit => {
      const before = await kind.find(unit, target)
      requirePrecondition(target.precondition, before)
      requireMayName(target.caller, before, kind.name)
      return await write(unit, target, fields, before)
    }),
    /** `patch` is a JSON Merge Patch of the fields. */
    patch: async (target: Conditional, patch: unknown): Promise<Written<Value>> => await deps.store.change(target.companyId, async unit => {
      const before = found(await kind.find(unit, target), kind.name)
      requirePrecondition(target.precondition, before)
      const merged = kind.schema.safeParse(mergePatch(kind.fieldsOf(before), patch))
      if (!merged.success) throw refusedBy(merged.error)
      return await write(unit, target, merged.data, before)
    }),
    delete: async (target: Conditional): Promise<void> => await deps.store.change(target.companyId, async unit => {
      const before = found(await kind.find(unit, target), kind.name)
      requirePrecondition(target.precondition, before)
      await remove(unit, target, before)
    }),
  }
}
