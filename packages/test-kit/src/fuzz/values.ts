import fc, { type Arbitrary } from 'fast-check'

/** The parts of JSON Schema that our documents use. */
export interface JsonSchema {
  $ref?: string
  type?: string
  enum?: unknown[]
  const?: unknown
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
  allOf?: JsonSchema[]
  properties?: Record<string, JsonSchema>
  required?: string[]
  additionalProperties?: boolean | JsonSchema
  items?: JsonSchema
  minItems?: number
  maxItems?: number
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  pattern?: string
  format?: string
}

export interface ValueSources {
  resolve: (ref: string) => JsonSchema
  /** Values that mean something to the service, by the name of the parameter or property. */
  known: Record<string, readonly string[]>
}

/** Text of which somebody may think that nobody sends it. */
const nastyText = fc.constantFrom('', ' ', '\u0000', 'a\u0000b', '\ud800', 'x\udfff', '\u202e', '\r\n', '../../etc/passwd', '%00', '\' or 1=1 --', '=1+1', '__proto__', '\u{1f4a5}')

/** What no schema asks for: wrong types, broken text, huge and tiny things. */
export const junk: Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, 0, -1, 0.5, 1e308, Number.MAX_SAFE_INTEGER, [], {}, [[]], [null], { constructor: 1 }),
  nastyText,
  fc.constantFrom('💥', 'é', 'x').chain(letter => fc.integer({ min: 1, max: 600 }).map(length => letter.repeat(length))),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.jsonValue({ maxDepth: 3 }) as Arbitrary<unknown>
)

const formats: Record<string, Arbitrary<string>> = {
  uuid: fc.uuid(),
  guid: fc.uuid(),
  'date-time': fc.date({ noInvalidDate: true, min: new Date('1970-01-01'), max: new Date('2100-01-01') }).map(date => date.toISOString()),
  email: fc.emailAddress(),
  uri: fc.webUrl(),
}

/** Mostly what the schema asks for, at each place now and then something else. */
export function valueOf (schema: JsonSchema, sources: ValueSources, name = '', depth = 0): Arbitrary<unknown> {
  const wanted = fittingOf(schema, sources, name, depth)
  const known = sources.known[name]
  return fc.oneof(
    { weight: 40, arbitrary: wanted },
    { weight: known === undefined ? 0 : 200, arbitrary: fc.constantFrom(...known ?? ['']) },
    { weight: 1, arbitrary: junk }
  )
}

function fittingOf (schema: JsonSchema, sources: ValueSources, name: string, depth: number): Arbitrary<unknown> {
  if (schema.$ref !== undefined) return fittingOf(sources.resolve(schema.$ref), sources, name, depth)
  if ('const' in schema) return fc.constant(schema.const)
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  const choices = schema.anyOf ?? schema.oneOf
  if (choices !== undefined) return fc.oneof(...choices.map(choice => fittingOf(choice, sources, name, depth)))
  if (schema.allOf !== undefined) return fittingOf(Object.assign({}, ...schema.allOf) as JsonSchema, sources, name, depth)
  switch (schema.type) {
    case 'object': return objectOf(schema, sources, depth)
    case 'array': return fc.array(valueOf(schema.items ?? {}, sources, name, depth + 1), { minLength: schema.minItems ?? 0, maxLength: Math.min(schema.maxItems ?? 4, (schema.minItems ?? 0) + 4) })
    case 'string': return textOf(schema)
    case 'integer': return integerOf(schema)
    case 'number': return fc.oneof(integerOf(schema), fc.double({ noNaN: true, noDefaultInfinity: true }))
    case 'boolean': return fc.boolean()
    case 'null': return fc.constant(null)
    default: return fc.jsonValue({ maxDepth: 2 }) as Arbitrary<unknown>
  }
}

function objectOf ({ properties = {}, required = [], additionalProperties }: JsonSchema, sources: ValueSources, depth: number): Arbitrary<unknown> {
  const named = Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, valueOf(schema, sources, name, depth + 1)]))
  const whole = fc.record(named, { requiredKeys: required.filter(name => name in named) })
  const others = fc.dictionary(fc.string({ unit: 'binary', maxLength: 12 }), typeof additionalProperties === 'object' ? valueOf(additionalProperties, sources, '', depth + 1) : junk, { maxKeys: 3 })
  const isOpen = typeof additionalProperties === 'object' || additionalProperties === true
  return fc.oneof(
    { weight: 20, arbitrary: isOpen ? fc.tuple(whole, others).map(([one, other]) => ({ ...other, ...one })) : whole },
    { weight: 1, arbitrary: fc.record(named, { requiredKeys: [] }) },
    { weight: 1, arbitrary: fc.tuple(whole, others).map(([one, other]) => ({ ...one, ...other })) }
  )
}

/** Turns a pattern round. Those that name classes of Unicode would take seconds: any text will do. */
function matching (pattern: string | undefined): Arbitrary<string> | undefined {
  if (pattern === undefined || /\\p\{/i.test(pattern)) return undefined
  return fc.stringMatching(new RegExp(pattern, 'u'), { maxLength: 200 })
}

function textOf ({ format = '', pattern, minLength = 0, maxLength = minLength + 40 }: JsonSchema): Arbitrary<string> {
  const byFormat = formats[format]
  if (byFormat !== undefined) return byFormat
  const plain = matching(pattern) ?? fc.string({ unit: 'grapheme', minLength, maxLength: Math.min(maxLength, minLength + 40) })
  return fc.oneof({ weight: 9, arbitrary: plain }, { weight: 1, arbitrary: nastyText })
}

function integerOf ({ minimum = -1_000, maximum = 1_000_000 }: JsonSchema): Arbitrary<number> {
  const min = Math.max(Math.ceil(minimum), Number.MIN_SAFE_INTEGER)
  const max = Math.min(Math.floor(maximum), Number.MAX_SAFE_INTEGER)
  return fc.oneof(fc.integer({ min: Math.max(min, -(2 ** 31)), max: Math.min(max, 2 ** 31 - 1) }), fc.constantFrom(min, max, min - 1, max + 1))
}
