import type { Command } from 'commander'
import type { GetContext } from '../program.ts'

interface AuditOptions { company?: string, action?: string, outcome?: string, agent?: string, call?: string, from?: string, to?: string, limit?: string }

function queryOf ({ company, action, outcome, agent, call, from, to, limit }: AuditOptions): string {
  const given = { companyId: company, action, outcome, agentId: agent, callId: call, from, to, limit }
  return String(new URLSearchParams(Object.entries(given).filter((pair): pair is [string, string] => pair[1] !== undefined)))
}

const filtered = (command: Command): Command => command.option('-c, --company <id>').option('--action <beginning>', 'e.g. recording. or agent.update')
  .option('--outcome <outcome>', 'done, refused or failed').option('-a, --agent <id>').option('--call <id>').option('--from <time>').option('--to <time>')

export function addAuditCommands (program: Command, getContext: GetContext): void {
  const audit = program.command('audit').description('who did what, and what was refused')
  filtered(audit.command('list').description('the last entries')).option('-l, --limit <count>', 'how many', '50').action(async (options: AuditOptions) => {
    const context = getContext()
    const { items } = await context.settings.call(`/v1/audit?${queryOf(options)}`) as { items: unknown[] }
    context.show(items, ['seq', 'at', 'action', 'outcome', 'code', 'actor.kind', 'actor.agentId', 'actor.address', 'actor.device.label', 'callId'])
  })
  filtered(audit.command('export').description('all of them, as CSV')).action(async (options: AuditOptions) => {
    const context = getContext()
    context.io.write(String(await context.settings.call(`/v1/audit/export?${queryOf(options)}`)))
  })
  audit.command('verify').description('whether the log is as it was written').option('-c, --company <id>').action(async ({ company }: { company?: string }) => {
    const context = getContext()
    const result = await context.settings.call(`/v1/audit/verify?${queryOf(company === undefined ? {} : { company })}`) as { isIntact: boolean, chains: unknown[] }
    context.show(program.opts<{ json?: boolean }>().json ? result : result.chains, ['chain', 'entries', 'isIntact', 'firstTampered.seq', 'firstTampered.kind', 'firstTampered.auditId'])
    if (!result.isIntact) process.exitCode = 1
  })
}
