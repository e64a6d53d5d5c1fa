import { Readable } from 'node:stream'
import { importQuerySchema, importReportSchema, problem } from '@tacet/contracts'
import type { HttpApp } from '@tacet/service-kit'
import { z } from 'zod'
import { agentCells, agentColumns, numberCells, numberColumns, type CsvRow } from '../../domain/csv-rows.ts'
import type { Page } from '../../usecases/ports.ts'
import { requireCompany } from '../../usecases/shared.ts'
import type { AppDependencies } from '../app.ts'
import { callerOf, requireAccess } from '../authentication.ts'
import { sendCsv } from '../csv.ts'
import { companyParams, described, errors } from '../schemas.ts'

/** Numbers and agents as CSV, in and out, with the same columns. */
export function csvRoutes (v1: HttpApp, dependencies: AppDependencies): void {
  // In a scope of their own, which understands nothing but CSV.
  v1.register(async (scope: HttpApp) => registerCsvRoutes(scope, dependencies))
}

function registerCsvRoutes (app: HttpApp, { useCases, store }: AppDependencies): void {
  app.removeAllContentTypeParsers()
  // The file is read as it comes, by whoever imports it.
  app.addContentTypeParser('text/csv', (_request, payload, done) => done(null, payload))

  csvOf('numbers', numberColumns, useCases.importNumbers, (companyId, page) => store.numbers.list(companyId, page).then(({ items, nextCursor }) => ({ items: items.map(numberCells), nextCursor })))
  csvOf('agents', agentColumns, useCases.importAgents, (companyId, page) => store.agents.list(companyId, page).then(({ items, nextCursor }) => ({ items: items.map(agentCells), nextCursor })))

  function csvOf (
    noun: 'numbers' | 'agents', columns: string[], importCsv: AppDependencies['useCases']['importNumbers'],
    list: (companyId: string, page: { limit: number, cursor: string | undefined }) => Promise<Page<CsvRow>>
  ): void {
    app.get(`/companies/:companyId/${noun}/export`, {
      schema: { ...described(`The ${noun} of a company as CSV`, noun), params: companyParams, produces: ['text/csv'], response: { 200: z.string().describe('CSV'), ...errors('not-found') } },
      serializerCompiler: () => data => data as string,
    }, async (request, reply) => {
      const { companyId } = request.params
      requireAccess(callerOf(request), companyId, 'read')
      await requireCompany(store, companyId)
      return await sendCsv(reply, `${noun}.csv`, columns, rowsOf(cursor => list(companyId, { limit: 500, cursor })))
    })

    app.post(`/companies/:companyId/${noun}/import`, {
      schema: {
        ...described(`Create and update ${noun} from CSV (text/csv): all of it, or nothing; \`dryRun=true\` only tries`, noun),
        params: companyParams,
        querystring: importQuerySchema,
        consumes: ['text/csv'],
        body: z.unknown().meta({ type: 'string', description: `A first line of these columns in any order, all but ${noun === 'numbers' ? '`number`' : '`name`'} optional: ${columns.join(', ')}. In UTF-8, separated by commas or by semicolons, as the first line is. A column that is not there, or an empty cell, leaves what it would set as it is.` }),
        response: { 200: importReportSchema, ...errors('not-found', 'import-refused', 'payload-too-large', 'unsupported-media-type') },
      },
    }, async request => {
      const { companyId } = request.params
      const caller = callerOf(request)
      requireAccess(caller, companyId, 'write')
      if (!(request.body instanceof Readable)) throw problem('unsupported-media-type', 'send text/csv')
      return await importCsv({ caller, companyId, csv: request.body, isDryRun: request.query.dryRun === 'true' })
    })
  }
}

async function * rowsOf (read: (cursor: string | undefined) => Promise<Page<CsvRow>>): AsyncGenerator<CsvRow> {
  for (let cursor: string | undefined; ;) {
    const { items, nextCursor } = await read(cursor)
    yield * items
    if (nextCursor === null) return
    cursor = nextCursor
  }
}
