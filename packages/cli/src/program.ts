import { Command, CommanderError } from 'commander'
import { addAuditCommands } from './commands/audit.ts'
import { addCallCommands } from './commands/calls.ts'
import { addDoctor } from './commands/doctor.ts'
import { addJobCommands } from './commands/jobs.ts'
import { addSettingsCommands } from './commands/settings.ts'
import { addSigningKeyCommands } from './commands/signing-keys.ts'
import { createContext, type Context, type Io } from './context.ts'
import { Failure } from './failure.ts'

/** How a command gets at the services; made when it runs, so that --json may stand anywhere. */
export type GetContext = () => Context

export function createProgram (io: Io): Command {
  const program = new Command('tacet')
    .description('Who is recorded, who may stop it, and what is being recorded now.')
    .option('--json', 'JSON for scripts instead of tables')
    .addHelpText('after', '\nAddresses and key: TACET_SETTINGS_URL, TACET_CALL_CONTROL_URL, TACET_ASSEMBLY_URL, TACET_TOKEN, TACET_COMPANY;\nor TACET_STACK, the address book of a running stack (.local/stack.json is found by itself).')
    .configureOutput({ writeOut: text => io.write(text) })
    .exitOverride()
  const getContext: GetContext = () => createContext(io, program.opts<{ json?: boolean }>())
  addSettingsCommands(program, getContext)
  addCallCommands(program, getContext)
  addJobCommands(program, getContext)
  addAuditCommands(program, getContext)
  addSigningKeyCommands(program, getContext)
  addDoctor(program, getContext)
  return program
}

/** Runs a command; 0 when all is well, 1 when it is not, 2 when the command line is not understood. */
export async function runProgram (program: Command, args: string[], writeError: (text: string) => unknown): Promise<number> {
  process.exitCode = 0
  try {
    await program.parseAsync(args, { from: 'user' })
    return Number(process.exitCode)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (!(error instanceof Failure)) throw error
    writeError(`${error.message}\n`)
    return 1
  } finally {
    process.exitCode = undefined
  }
}
