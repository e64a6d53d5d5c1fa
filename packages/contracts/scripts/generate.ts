import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { stringify } from 'yaml'
import type { ServiceName } from '../src/index.ts'
import { createAsyncApi } from './asyncapi.ts'

const services: ServiceName[] = ['settings', 'call-control', 'recording-assembly']
const root = new URL('../../../', import.meta.url)
const contractsDir = new URL('docs/contracts/', root)

export const asyncApiText = (): string => stringify(createAsyncApi(), { lineWidth: 0, aliasDuplicateObjects: false })

/** A service describes its API by booting its HTTP app without any dependency. */
async function openApiText (service: ServiceName): Promise<string | null> {
  const source = new URL(`services/${service}/src/openapi.ts`, root)
  if (!existsSync(source)) return null
  const { createOpenApi } = await import(source.href) as { createOpenApi: () => Promise<unknown> }
  return `${JSON.stringify(await createOpenApi(), null, 2)}\n`
}

if (import.meta.main) {
  await mkdir(contractsDir, { recursive: true })
  await writeFile(new URL('asyncapi.yaml', contractsDir), asyncApiText())
  for (const service of services) {
    const text = await openApiText(service)
    if (text !== null) await writeFile(new URL(`${service}.openapi.json`, contractsDir), text)
  }
}
