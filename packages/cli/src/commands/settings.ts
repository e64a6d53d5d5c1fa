import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { fieldsOf } from '../patch.ts'
import type { GetContext } from '../program.ts'
import { addRule } from './rule.ts'

const ruleColumns = ['recording.inbound', 'recording.outbound', 'recording.internal', 'agentInitiatedPause']
const columnsOf = {
  company: ['companyId', 'name', ...ruleColumns, 'transfers', 'version'],
  number: ['numberId', 'number', 'label', ...ruleColumns],
  agent: ['agentId', 'name', 'endpoints', 'roles', ...ruleColumns],
}
type Noun = keyof typeof columnsOf

export interface CompanyOption { company?: string }
const id = encodeURIComponent

export function addSettingsCommands (program: Command, getContext: GetContext): void {
  addEntity(program, getContext, 'company')
  addCsv(addEntity(program, getContext, 'number'), getContext, 'numbers')
  addCsv(addEntity(program, getContext, 'agent'), getContext, 'agents')
  addRule(program, getContext)
  addExplain(program, getContext)
}

function addEntity (program: Command, getContext: GetContext, noun: Noun): Command {
  const group = program.command(noun).description(noun === 'company' ? 'companies and their rules' : `${noun}s of a company`)
  const pathOf = (company: string | undefined, entityId = ''): string => noun === 'company'
    ? `/v1/companies/${id(entityId)}`
    : `/v1/companies/${getContext().company(company)}/${noun}s/${id(entityId)}`
  const withCompany = (command: Command): Command => noun === 'company' ? command : command.option('-c, --company <id>', 'the company')
  const listPath = (company: string | undefined, search: string | undefined) => pathOf(company).replace(/\/$/, '') + (search === undefined ? '' : `?q=${id(search)}`)

  withCompany(group.command('list').description('list them').option('-s, --search <text>', 'only those that hold this text'))
    .action(async ({ company, search }: CompanyOption & { search?: string }) => {
      const context = getContext()
      context.show(await context.settings.list(listPath(company, search)), columnsOf[noun])
    })
  withCompany(group.command('show').argument('<id>')).action(async (entityId: string, { company }: CompanyOption) => {
    const context = getContext()
    context.show(await context.settings.call(pathOf(company, entityId)))
  })
  withCompany(group.command('create').argument('<name=value...>', 'e.g. name=Anna recording.inbound=off')).action(async (assignments: string[], { company }: CompanyOption) => {
    const context = getContext()
    context.show(await context.settings.call(pathOf(company).replace(/\/$/, ''), { method: 'POST', body: fieldsOf(assignments) }))
  })
  withCompany(group.command('set').argument('<id>').argument('<name=value...>', 'null puts the default back')).action(async (entityId: string, assignments: string[], { company }: CompanyOption) => {
    const context = getContext()
    context.show(await context.settings.call(pathOf(company, entityId), { method: 'PATCH', body: fieldsOf(assignments) }))
  })
  withCompany(group.command('delete').argument('<id>')).action(async (entityId: string, { company }: CompanyOption) => {
    const context = getContext()
    await context.settings.call(pathOf(company, entityId), { method: 'DELETE' })
    context.show({ deleted: entityId })
  })
  return group
}

function addCsv (group: Command, getContext: GetContext, nouns: 'numbers' | 'agents'): void {
  group.command('export').description('as CSV').option('-c, --company <id>', 'the company').action(async ({ company }: CompanyOption) => {
    const context = getContext()
    context.io.write(String(await context.settings.call(`/v1/companies/${context.company(company)}/${nouns}/export`)))
  })
  group.command('import').description('from CSV: all of the file, or nothing').argument('<file>').option('-c, --company <id>', 'the company').option('--dry-run', 'only try')
    .action(async (file: string, { company, dryRun = false }: CompanyOption & { dryRun?: boolean }) => {
      const context = getContext()
      const path = `/v1/companies/${context.company(company)}/${nouns}/import?dryRun=${dryRun}`
      const report = await context.settings.call(path, { method: 'POST', body: readFileSync(file, 'utf8'), headers: { 'content-type': 'text/csv' } }) as { errors: unknown[] }
      context.show(report)
      if (report.errors.length > 0) process.exitCode = 1
    })
}

interface Step { level: string, value: string, isLocked: boolean }
interface Decision { value: string, decidedBy: string, isLocked: boolean, chain: Step[] }
interface Explanation { recording: Decision, agentInitiatedPause: Decision, effective: { isRecorded: boolean, mayPause: boolean }, peer: Pick<Explanation, 'recording' | 'agentInitiatedPause'> | null }

function addExplain (program: Command, getContext: GetContext): void {
  program.command('explain').description('which rules a call would have, and why').requiredOption('-a, --agent <id>').option('-n, --number <number>', 'the number, or its id')
    .option('-d, --direction <direction>', 'inbound, outbound or internal', 'inbound').option('-p, --peer <id>', 'the other agent of an internal call')
    .action(async ({ agent, number, direction, peer }: { agent: string, number?: string, direction: string, peer?: string }) => {
      const context = getContext()
      const query = new URLSearchParams({ agent, direction, ...(number === undefined ? {} : { number }), ...(peer === undefined ? {} : { peerAgent: peer }) })
      const explanation = await context.settings.call(`/v1/policy/explain?${query}`) as Explanation
      if (program.opts<{ json?: boolean }>().json) return context.show(explanation)
      context.show(describe(explanation))
    })
}

function describe ({ recording, agentInitiatedPause, effective, peer }: Explanation): string {
  const line = (what: string, { value, decidedBy, isLocked, chain }: Decision) =>
    `${what}: ${value}, decided by the ${decidedBy}${isLocked ? ' (locked)' : ''}; ${chain.map(step => `${step.level} says ${step.value}`).join(', ')}\n`
  return [
    `Recorded: ${effective.isRecorded ? 'yes' : 'no'}. May stop and start it: ${effective.mayPause ? 'yes' : 'no'}.\n`,
    line('recording', recording), line('pause', agentInitiatedPause),
    ...(peer === null ? [] : [line('recording of the other agent', peer.recording), line('pause of the other agent', peer.agentInitiatedPause)]),
  ].join('')
}
