import fc, { type Arbitrary } from 'fast-check'
import { junk, valueOf, type JsonSchema, type ValueSources } from './values.ts'

interface Parameter { name: string, in: string, required?: boolean, schema?: JsonSchema }

interface Operation {
  parameters?: Parameter[]
  requestBody?: { content: Record<string, { schema?: JsonSchema }> }
  responses?: Record<string, unknown>
}

export interface OpenApiDocument {
  paths: Record<string, Record<string, Operation>>
  components?: { schemas?: Record<string, JsonSchema> }
}

export interface FuzzRequest {
  /** As in the document: `GET /v1/calls/{callId}`. */
  operation: string
  method: string
  /** With its query. */
  path: string
  headers: Record<string, string>
  body?: string
}

export interface Surroundings {
  /** Undefined: none at all. */
  tokens: readonly (string | undefined)[]
  known: Record<string, readonly string[]>
}

const methods = new Set(['get', 'put', 'post', 'patch', 'delete'])
export const operationsOf = ({ paths }: OpenApiDocument) => Object.entries(paths).flatMap(([path, operations]) =>
  Object.entries(operations).filter(([method]) => methods.has(method)).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, method: method.toUpperCase(), path, operation })))

/** Requests for every operation of the document alike, most of them sensible in most of their parts. */
export function requestsFor (document: OpenApiDocument, { tokens, known }: Surroundings): Arbitrary<FuzzRequest> {
  const resolve = (ref: string): JsonSchema => document.components?.schemas?.[ref.split('/').at(-1) ?? ''] ?? {}
  const sources: ValueSources = { resolve, known }
  return fc.oneof(...operationsOf(document).map(({ name, method, path, operation: { parameters = [], requestBody } }) => {
    const partsIn = (place: string): Arbitrary<Record<string, unknown>> => {
      const there = parameters.filter(parameter => parameter.in === place)
      const isRequired = (parameter: Parameter) => parameter.required === true || place === 'path'
      const record = (chosen: Parameter[]) => fc.record(Object.fromEntries(chosen.map(({ name, schema = {} }) => [name, valueOf(schema, sources, name)])))
      const optional = there.filter(parameter => !isRequired(parameter))
      return fc.subarray(optional, { maxLength: Math.min(2, optional.length) }).chain(chosen => record([...there.filter(isRequired), ...chosen]))
    }
    return fc.record({
      params: partsIn('path'),
      query: fc.oneof({ weight: 12, arbitrary: partsIn('query') }, { weight: 1, arbitrary: fc.dictionary(fc.string({ maxLength: 8 }), junk, { maxKeys: 3 }) }),
      headers: partsIn('header'),
      token: fc.constantFrom(...tokens),
      content: contentFor(method, requestBody, sources),
    }).map(({ params, query, headers, token, content }): FuzzRequest => ({
      operation: name,
      method,
      path: `${path.replaceAll(/\{(\w+)\}/g, (_, param) => encode(params[param]))}${queryOf(query)}`,
      headers: {
        ...Object.fromEntries(Object.entries(headers).map(([header, value]) => [header, headerText(value)])),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(content === undefined ? {} : { 'content-type': content.type }),
      },
      ...(content === undefined ? {} : { body: content.body }),
    }))
  }))
}

interface Content { type: string, body: string }

function contentFor (method: string, requestBody: Operation['requestBody'], sources: ValueSources): Arbitrary<Content | undefined> {
  if (method === 'GET') return fc.constant(undefined)
  const wanted = Object.entries(requestBody?.content ?? {}).map(([type, { schema = {} }]) =>
    type === 'text/csv' ? csv(sources).map(body => ({ type, body })) : valueOf(schema, sources).map(value => ({ type, body: /json/.test(type) ? JSON.stringify(value) : String(value) })))
  return fc.oneof(
    { weight: wanted.length === 0 ? 0 : 40, arbitrary: wanted.length === 0 ? fc.constant(undefined) : fc.oneof(...wanted) },
    { weight: wanted.length === 0 ? 40 : 1, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: junk.map(value => ({ type: 'application/json', body: JSON.stringify(value) })) },
    { weight: 1, arbitrary: fc.constantFrom('', '{', '{"a":', '[1,', 'null', '"', '\u0000', `"${'x'.repeat(70_000)}"`, `${'['.repeat(5_000)}${']'.repeat(5_000)}`).map(body => ({ type: 'application/json', body })) },
    { weight: 1, arbitrary: fc.constantFrom('text/plain', 'text/xml', 'application/octet-stream', 'multipart/form-data; boundary=x', 'nonsense', 'application/json; charset=utf-16').map(type => ({ type, body: '{}' })) },
    { weight: 1, arbitrary: csv(sources).map(body => ({ type: 'text/csv', body })) }
  )
}

/** Headers that a list of ours has, and lines of anything. */
function csv ({ known }: ValueSources): Arbitrary<string> {
  const cell = fc.oneof(fc.constantFrom('', 'on', 'off', 'inherit', 'deny', '"', '"a""b"', ...Object.values(known).flat()), fc.string({ maxLength: 12 }))
  const header = fc.constantFrom('number,label', 'numberId,number,label,recordingInbound,agentInitiatedPause', 'agentId,name,email,endpoints', 'name,email', 'nonsense', '')
  return fc.tuple(header, fc.array(fc.array(cell, { minLength: 1, maxLength: 5 }), { maxLength: 5 })).map(([first, rows]) => [first, ...rows.map(row => row.join(','))].join('\n'))
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value) ?? '').toWellFormed()
/** An empty segment, `.` or `..` would make it another path. */
const encode = (value: unknown): string => encodeURIComponent(textOf(value)).replace(/^\.{0,2}$/, '%20')
const headerText = (value: unknown): string => textOf(value).replaceAll(/[^\x20-\x7e]/g, '?').trim()

function queryOf (query: Record<string, unknown>): string {
  const pairs = Object.entries(query).map(([name, value]) => `${encodeURIComponent(name.toWellFormed())}=${encodeURIComponent(textOf(value))}`)
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}
