import { Failure } from './failure.ts'

/** `recording.inbound=off name=Anna email=null` as an object. A value that is JSON is that, any other is text. */
export function fieldsOf (assignments: string[]): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  for (const assignment of assignments) {
    const [, path, text] = /^([A-Za-z][A-Za-z.]*)=(.*)$/s.exec(assignment) ?? []
    if (path === undefined || text === undefined) throw new Failure(`${assignment} is not name=value`)
    const names = path.split('.')
    const last = names.pop() ?? ''
    let object = fields
    for (const name of names) object = (object[name] ??= {}) as Record<string, unknown>
    object[last] = valueOf(last, text)
  }
  return fields
}

function valueOf (name: string, text: string): unknown {
  if ((name === 'endpoints' || name === 'roles') && !text.startsWith('[')) return text.split(',').map(part => part.trim()).filter(part => part !== '')
  // A telephone number, or a name of digits, stays text.
  if (/(Ms|Days)$/.test(name) && /^\d+$/.test(text)) return Number(text)
  if (!/^(null|true|false|\[.*\]|\{.*\})$/s.test(text)) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
