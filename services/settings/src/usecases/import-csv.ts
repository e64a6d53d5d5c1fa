import { idSchema, inheritEverywhere, isProblem, problem, type ImportReport } from '@tacet/contracts'
import type { Readable } from 'node:stream'
import type { Caller } from '../domain/caller.ts'
import { agentColumns, agentOfRow, columnOf, numberColumns, numberOfRow, type CsvRow, type RowSays } from '../domain/csv-rows.ts'
import { mergePatch } from '../domain/merge-patch.ts'
import { normaliseNumber } from '@tacet/policy'
import { createAgentKind } from './write-agent.ts'
import { createWriter, requireMayName, type Kind } from './write-entity.ts'
import { numberKind } from './write-number.ts'
import type { Dependencies, UnitOfWork } from './ports.ts'
import { refusedBy, requireCompany } from './shared.ts'

export interface ImportRequest {
  caller: Caller
  companyId: string
  csv: Readable
  /** Everything is tried and nothing is kept. */
  isDryRun: boolean
}

type LineError = ImportReport['errors'][number]

interface Importable<Value extends { version: number }, Fields> {
  kind: Kind<Value, Fields>
  columns: string[]
  required: string[]
  read: (row: CsvRow) => RowSays
  /** The id of the one that such a row means, when it names none. */
  identify: (unit: UnitOfWork, companyId: string, patch: RowSays['patch']) => Promise<string | undefined>
}

const errorsAtMost = 100

/**
 * Creates and updates in one transaction: all of the file, or, when any line is wrong, nothing. What a line does not say
 * stays as it is; what is new begins with the defaults.
 */
function createImport<Value extends { version: number }, Fields> (deps: Dependencies, { kind, columns, required, read, identify }: Importable<Value, Fields>) {
  const writer = createWriter(deps, kind)

  async function importRow (unit: UnitOfWork, caller: Caller, companyId: string, row: CsvRow): Promise<'created' | 'updated' | 'unchanged'> {
    const { id: given, patch } = read(row)
    const id = given === undefined ? await identify(unit, companyId, patch) ?? deps.newId() : parseId(given, columns[0] ?? 'id')
    const target = { caller, companyId, id }
    const before = await kind.find(unit, target)
    if (given !== undefined) requireMayName(caller, before, kind.name, { errors: [{ field: columns[0] ?? 'id', message: `no such ${kind.name}; leave it empty for a new one` }] })
    const parsed = kind.schema.safeParse(mergePatch(before === null ? { recording: inheritEverywhere } : kind.fieldsOf(before), patch))
    if (!parsed.success) throw refusedBy(parsed.error)
    const { isNew, isChanged } = await writer.write(unit, target, parsed.data, before)
    return isNew ? 'created' : isChanged ? 'updated' : 'unchanged'
  }

  return async ({ caller, companyId, csv, isDryRun }: ImportRequest): Promise<ImportReport> => {
    const lines = await deps.readCsv(csv, columns, required)
    const attempt = async (unit: UnitOfWork): Promise<ImportReport> => {
      await requireCompany(unit, companyId)
      const report: ImportReport = { isDryRun, rows: lines.length, created: 0, updated: 0, unchanged: 0, errors: [] }
      for (const { line, row } of lines) {
        if (report.errors.length >= errorsAtMost) break
        try {
          report[await importRow(unit, caller, companyId, row)]++
        } catch (error) {
          report.errors.push(...errorsOf(error, line))
        }
      }
      if (report.errors.length > 0 && !isDryRun) throw problem('import-refused', `${report.errors.length} errors; nothing was imported`, { errors: report.errors })
      return report
    }
    return isDryRun ? await deps.store.rehearse(companyId, attempt) : await deps.store.change(companyId, attempt)
  }
}

/** What is wrong with a line; anything that is not about the line is not caught. */
function errorsOf (error: unknown, line: number): LineError[] {
  if (!isProblem(error)) throw error
  const { errors = [{ field: 'body', message: error.message }] } = error.extra
  return errors.map(({ field, message }) => ({ line, code: error.code, field: columnOf(field), message }))
}

function parseId (text: string, column: string): string {
  const id = idSchema.toLowerCase().safeParse(text)
  if (!id.success) throw problem('invalid-request', undefined, { errors: [{ field: column, message: 'not an id' }] })
  return id.data
}

export const createImportNumbers = (deps: Dependencies) => createImport(deps, {
  kind: numberKind,
  columns: numberColumns,
  required: ['number'],
  read: numberOfRow,
  identify: async (unit, companyId, { number }) => {
    const { country } = await requireCompany(unit, companyId)
    const kept = normaliseNumber(String(number).replaceAll(/[\s()./-]/g, ''), country)
    return kept === null ? undefined : (await unit.numbers.findByNumber(companyId, kept))?.numberId
  },
})

/** Without an id, an agent is known by the e-mail address, if it is one agent's only. */
export const createImportAgents = (deps: Dependencies) => createImport(deps, {
  kind: createAgentKind(deps),
  columns: agentColumns,
  required: ['name'],
  read: agentOfRow,
  identify: async (unit, companyId, { email }) => {
    const same = typeof email === 'string' ? await unit.agents.findByEmail(companyId, email) : []
    if (same.length > 1) throw problem('already-exists', 'several agents have this address: name the agentId', { errors: [{ field: 'email', message: 'several agents have it: name the agentId' }] })
    return same[0]?.agentId
  },
})
