import { readAddresses, type Addresses } from './addresses.ts'
import { createApi, type Api } from './api.ts'
import { Failure } from './failure.ts'
import { details, table } from './table.ts'

export interface Io {
  env: Record<string, string | undefined>
  write: (text: string) => unknown
  /** Where the address book of a running stack is looked for. */
  stackFile?: string
}

export interface Context {
  io: Io
  addresses: Addresses
  settings: Api
  callControl: Api
  assembly: Api
  /** The company given, else the one of the environment. */
  company (given: string | undefined): string
  /** For scripts JSON, for people a table of these columns. */
  show (value: unknown, columns?: string[]): void
}

export function createContext (io: Io, { json = false }: { json?: boolean | undefined }): Context {
  const addresses = readAddresses(io.env, io.stackFile)
  const { settings, callControl, assembly, token, companyId } = addresses
  return {
    io,
    addresses,
    settings: createApi('settings', settings, 'TACET_SETTINGS_URL', token),
    callControl: createApi('call-control', callControl, 'TACET_CALL_CONTROL_URL', token),
    assembly: createApi('recording-assembly', assembly, 'TACET_ASSEMBLY_URL', token),
    company (given) {
      const company = given ?? companyId
      if (company === undefined) throw new Failure('Which company? Give --company <id>, or set TACET_COMPANY.')
      return encodeURIComponent(company)
    },
    show (value, columns) {
      if (json) io.write(`${JSON.stringify(value ?? null, null, 2)}\n`)
      else if (typeof value === 'string') io.write(value)
      else if (Array.isArray(value)) io.write(table(value, columns ?? Object.keys(value[0] ?? {})))
      else if (value !== undefined) io.write(details(value as Record<string, unknown>))
    },
  }
}
