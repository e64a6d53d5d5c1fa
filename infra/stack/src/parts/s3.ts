import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Stack } from '@tacet/contracts'
import type { Context } from '../context.ts'
import { repositoryDir } from '../system/paths.ts'
import { choosePort } from '../system/ports.ts'
import { untilItWorks } from '../system/wait.ts'
import { fetchJars } from './jars.ts'

/** An S3 server (S3Proxy on a folder), for the tests. It has no server-side encryption, and says so. */
export async function startS3 (context: Context): Promise<NonNullable<Stack['s3']>> {
  const { dataDir, signal, say, secret } = context
  const libDir = await fetchJars('s3', join(repositoryDir, 'infra/s3/pom.xml'), context)
  const port = await choosePort({ name: 'the S3 server', variable: 'TACET_S3_PORT', preferred: 19000 })
  const home = join(dataDir, 's3')
  const folder = join(home, 'data')
  mkdirSync(folder, { recursive: true })
  const s3 = { endpoint: `http://127.0.0.1:${port}`, accessKeyId: 'tacet', secretAccessKey: secret('s3Secret') }
  const properties = join(home, 's3proxy.properties')
  writeFileSync(properties, [
    `s3proxy.endpoint=${s3.endpoint}`, 's3proxy.authorization=aws-v2-or-v4', `s3proxy.identity=${s3.accessKeyId}`, `s3proxy.credential=${s3.secretAccessKey}`,
    'jclouds.provider=filesystem-nio2', `jclouds.filesystem.basedir=${folder}`, '',
  ].join('\n'), { mode: 0o600 })
  say('starting')
  // It logs every step at the level of debugging unless told otherwise.
  const logback = join(home, 'logback.xml')
  writeFileSync(logback, '<configuration><appender name="out" class="ch.qos.logback.core.ConsoleAppender"><encoder><pattern>%d %level %logger %msg%n</pattern></encoder></appender><root level="warn"><appender-ref ref="out"/></root></configuration>')
  context.launch({ name: 's3', command: 'java', args: ['-Xmx160m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', `-Dlogback.configurationFile=${logback}`, '-cp', join(libDir, '*'), 'org.gaul.s3proxy.Main', '--properties', properties], cwd: home })
  await untilItWorks(async () => { await fetch(s3.endpoint, { signal: AbortSignal.timeout(2_000) }) }, { what: 'the S3 server is', timeoutMs: 60_000, signal, everyMs: 100 })
  return s3
}
