import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** Writes a file that only we may read, whole or not at all. */
export function writePrivately (path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true })
  const draft = `${path}.${process.pid}.tmp`
  writeFileSync(draft, content, { mode: 0o600 })
  renameSync(draft, path)
}

/** Fills in `{{name}}`, and repeats `{{#list}}…{{/list}}` for each entry. A name without a value is an error. */
export function fillIn (template: string, values: Record<string, string | number>, lists: Record<string, Array<Record<string, string | number>>> = {}): string {
  const repeated = template.replaceAll(/\{\{#(\w+)\}\}\n?([^]*?)\{\{\/\1\}\}\n?/g, (_, name: string, body: string) => {
    const entries = lists[name]
    if (!entries) throw new Error(`No list {{#${name}}}`)
    return entries.map((entry) => fillIn(body, { ...values, ...entry })).join('')
  })
  return repeated.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name]
    if (value === undefined) throw new Error(`No value for {{${name}}}`)
    return String(value)
  })
}

const makePassword = (): string => randomBytes(24).toString('base64url').replaceAll(/[-_]/g, 'x')

/** A secret that is made once and then kept in the file: a password, unless told how to make it. */
export function keepSecrets (path: string): (name: string, make?: () => string) => string {
  const secrets: Record<string, string> = {}
  try {
    Object.assign(secrets, JSON.parse(readFileSync(path, 'utf8')))
  } catch {} // the first time
  return (name, make = makePassword) => {
    if (!secrets[name]) {
      secrets[name] = make()
      writePrivately(path, JSON.stringify(secrets, null, 2))
    }
    return secrets[name]
  }
}
