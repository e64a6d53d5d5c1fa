import { existsSync, readFileSync } from 'node:fs'
import { stackSchema, type Stack } from '@tacet/contracts'
import { Failure } from './failure.ts'

/** Where everything is. Only what a command needs has to be known. */
export interface Addresses {
  settings: string | undefined
  callControl: string | undefined
  assembly: string | undefined
  token: string | undefined
  companyId: string | undefined
  stack: Stack | undefined
}

type Env = Record<string, string | undefined>

/** From the environment, else from the address book of a stack: `TACET_STACK`, or the file where one may be. */
export function readAddresses (env: Env, usualFile: string | undefined): Addresses {
  const stack = readStack(env['TACET_STACK'] ?? usualFile, env['TACET_STACK'] !== undefined)
  return {
    settings: env['TACET_SETTINGS_URL'] ?? stack?.settings?.url,
    callControl: env['TACET_CALL_CONTROL_URL'] ?? stack?.callControl?.url,
    assembly: env['TACET_ASSEMBLY_URL'] ?? stack?.assembly?.url,
    token: env['TACET_TOKEN'] ?? stack?.adminToken,
    companyId: env['TACET_COMPANY'] ?? stack?.companyId,
    stack,
  }
}

function readStack (file: string | undefined, isNamed: boolean): Stack | undefined {
  if (file === undefined || !existsSync(file)) {
    if (isNamed) throw new Failure(`TACET_STACK names ${file}, which is not there`)
    return undefined
  }
  const stack = stackSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')))
  if (!stack.success) throw new Failure(`${file} is no address book of a stack`)
  return stack.data
}
