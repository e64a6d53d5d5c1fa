import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import type { Context } from '../context.ts'
import { cacheDir } from '../system/paths.ts'
import { run } from '../system/process.ts'

const dependencyPlugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1'

/** The folder with the jars of a pom.xml, fetched once into the cache. */
export async function fetchJars (name: string, pom: string, { signal, say }: Pick<Context, 'signal' | 'say'>): Promise<string> {
  const libDir = join(cacheDir, `${name}-${createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12)}`)
  if (existsSync(libDir)) return libDir
  say('fetching its jars from Maven Central')
  mkdirSync(cacheDir, { recursive: true })
  const draft = `${libDir}.new`
  // Maven and a second start share the folder, so one at a time.
  await run('flock', [`${libDir}.lock`, 'mvn', '--batch-mode', '-f', pom, `${dependencyPlugin}:copy-dependencies`,
    '-DincludeScope=runtime', `-DoutputDirectory=${draft}`, '-Dstyle.color=never'], {
    signal,
    onLine: (line) => {
      const jar = /Download(?:ing|ed) from \S+: \S*\/([^/\s]+\.jar)/.exec(line)?.[1]
      if (jar) say(`fetching ${jar}`)
    },
  })
  if (!existsSync(libDir)) renameSync(draft, libDir)
  return libDir
}
