import { Argument, Option, type Command } from 'commander'
import { Failure } from '../failure.ts'
import type { GetContext } from '../program.ts'
import type { CompanyOption } from './settings.ts'

interface RuleOptions extends CompanyOption { record?: string, inbound?: string, outbound?: string, internal?: string, pause?: string, lockRecording?: boolean, lockPause?: boolean }

export function addRule (program: Command, getContext: GetContext): void {
  const recordings = (flags: string, description: string) => new Option(flags, description).choices(['on', 'off', 'inherit'])
  program.command('rule').description('say who is recorded and who may stop it')
    .addArgument(new Argument('<level>').choices(['company', 'number', 'agent'])).argument('[id]', 'of the number or agent')
    .option('-c, --company <id>', 'the company')
    .addOption(recordings('--record <value>', 'in every direction')).addOption(recordings('--inbound <value>', '')).addOption(recordings('--outbound <value>', '')).addOption(recordings('--internal <value>', ''))
    .addOption(new Option('--pause <value>', 'may agents stop and start it').choices(['allow', 'deny', 'inherit']))
    .option('--lock-recording', 'of a company: what lower levels say does not count').option('--no-lock-recording').option('--lock-pause').option('--no-lock-pause')
    .action(async (level: string, entityId: string | undefined, options: RuleOptions, command: Command) => {
      const context = getContext()
      const patch = patchOf(options, name => command.getOptionValueSource(name) === 'cli' ? options[name] : undefined)
      if (Object.keys(patch).length === 0) throw new Failure('Which rule? Give --record, --inbound, --outbound, --internal or --pause, or of a company a lock.')
      const path = `/v1/companies/${context.company(options.company)}${pathBelow(level, entityId)}`
      context.show(await context.settings.call(path, { method: 'PATCH', body: patch }))
    })
}

/** The company is named by its option; a number or agent by the id. */
function pathBelow (level: string, entityId: string | undefined): string {
  if (level === 'company') {
    if (entityId !== undefined) throw new Failure('Which company is said by --company <id>.')
    return ''
  }
  if (entityId === undefined) throw new Failure(`Which ${level}? Give its id: tacet ${level} list shows them.`)
  return `/${level}s/${encodeURIComponent(entityId)}`
}

function patchOf (options: RuleOptions, given: (name: keyof RuleOptions) => unknown): Record<string, unknown> {
  const whatIsGiven = (pairs: [string, unknown][]) => Object.fromEntries(pairs.filter(([, value]) => value !== undefined))
  const recording = whatIsGiven((['inbound', 'outbound', 'internal'] as const).map(direction => [direction, options[direction] ?? options.record]))
  const locks = whatIsGiven([['recording', given('lockRecording')], ['agentInitiatedPause', given('lockPause')]])
  return whatIsGiven([['recording', nonEmpty(recording)], ['agentInitiatedPause', options.pause], ['locks', nonEmpty(locks)]])
}

const nonEmpty = (object: object): object | undefined => Object.keys(object).length > 0 ? object : undefined
