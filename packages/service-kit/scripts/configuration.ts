import { writeFile } from 'node:fs/promises'
import { describeConfig } from '../src/index.ts'
import type { ConfigShape } from '../src/index.ts'

const services = [
  { name: 'settings', shape: 'settingsConfig' },
  { name: 'call-control', shape: 'callControlConfig' },
  { name: 'recording-assembly', shape: 'assemblyConfig' },
] as const

const root = new URL('../../../', import.meta.url)
export const configurationFile = new URL('docs/configuration.md', root)

const introduction = `# Configuration

Generated from the services' own schemas by \`npm run generate\`; a test fails when it is out of date.

Each service is configured by environment variables alone. They are read and checked once, at the start: a service that
finds one wrong names it and ends. An empty value counts as absent. Each service logs in to PostgreSQL as its own role and
sees its own schema only; \`infra/postgres/init.sql\` makes the roles and schemas. Before a service runs, its \`src/db/migrate.ts\` must have run.
`

const ofTheStack = `## npm start and npm test

They choose free ports and run everything themselves. These change that:

| variable | what it does |
|---|---|
| \`DATABASE_URL\` | use this PostgreSQL (as its superuser) instead of our own; the services' roles, which are the whole server's, get this instance's passwords |
| \`KAFKA_BROKERS\`, \`KAFKA_TOPIC_PREFIX\` | use these brokers instead of our own |
| \`ARI_URL\`, \`ARI_USERNAME\`, \`ARI_PASSWORD\` | use this Asterisk, 22.10.1 or newer, which must have the demo's dialplan and accounts (\`asterisk-conf\`) |
| \`TRUNK_PASSWORD\`, \`SIP_PASSWORD_1001\`, \`…_1002\`, \`…_1003\` | the passwords of those accounts: required beside \`ARI_URL\`, made once by ourselves otherwise |
| \`TACET_SPOOL_DIR\` | the folder \`recording\` in the spool of that Asterisk, if it can be read from here; else segments come over ARI |
| \`ARI_APP\` | the Stasis application (\`tacet\`); our own Asterisk is told, another needs the global variable \`TACET_APP\` |
| \`TACET_SIP_HOST\`, \`TACET_SIP_PORT\` | where phones reach the PBX. Our own Asterisk listens there (127.0.0.1, 15060); with this machine's own address, phones elsewhere reach it. Of another Asterisk: the host of \`ARI_URL\`, 5060 |
| \`TACET_RTP_PORTS\` | the RTP ports of our own Asterisk (20000-20999) |
| \`TACET_ARI_PORT\`, \`TACET_POSTGRES_PORT\`, \`TACET_KAFKA_PORT\`, \`TACET_KAFKA_CONTROLLER_PORT\` | the ports of the parts; when a named one is taken, that is an error |
| \`TACET_SETTINGS_HTTP_PORT\`, \`TACET_CALL_CONTROL_HTTP_PORT\`, \`TACET_ASSEMBLY_HTTP_PORT\`, and the same with \`ADMIN\` | the ports of the services |
| \`TACET_DEBIAN_MIRROR\` | where Debian packages come from |
| \`XDG_CACHE_HOME\` | downloads are kept in \`tacet\` below it (\`~/.cache\`) |
`

/** `docs/configuration.md`. */
export async function configurationText (): Promise<string> {
  const sections = []
  for (const { name, shape } of services) {
    const source = await import(new URL(`services/${name}/src/config.ts`, root).href) as Record<string, ConfigShape>
    const described = source[shape]
    if (!described) throw new Error(`${name} has no ${shape}`)
    sections.push(`## ${name}\n\n${describeConfig(described)}\n`)
  }
  return [introduction, ...sections, ofTheStack].join('\n')
}

if (import.meta.main) await writeFile(configurationFile, await configurationText())
