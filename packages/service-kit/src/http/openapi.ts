import { jsonSchemaTransformObject } from 'fastify-type-provider-zod'

type TransformInput = Parameters<typeof jsonSchemaTransformObject>[0]
type OpenApiDocument = ReturnType<typeof jsonSchemaTransformObject>

const refPattern = /"#\/components\/schemas\/([^"]+)"/g
const refsIn = (value: unknown): string[] => Array.from(JSON.stringify(value).matchAll(refPattern), ([, name]) => name as string)

/** Every schema with an id becomes a component, also those of other services: only the used ones are kept. */
export function describeUsedSchemas (input: TransformInput): OpenApiDocument {
  const document = jsonSchemaTransformObject(input) as { components?: { schemas?: Record<string, unknown> } }
  const schemas = document.components?.schemas ?? {}
  const { components, ...rest } = document
  const used = new Set(refsIn(rest))
  for (const name of used) refsIn(schemas[name] ?? null).forEach(ref => used.add(ref))
  return { ...document, components: { ...components, schemas: Object.fromEntries(Object.entries(schemas).filter(([name]) => used.has(name))) } } as OpenApiDocument
}
