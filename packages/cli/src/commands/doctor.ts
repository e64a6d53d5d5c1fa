import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { checkDialplanFiles } from '../doctor/dialplan-files.ts'
import type { Finding } from '../doctor/finding.ts'
import { checkFolder } from '../doctor/folders.ts'
import { checkTopics } from '../doctor/kafka.ts'
import { checkPbx, type AriAccess } from '../doctor/pbx.ts'
import { checkDatabase } from '../doctor/postgres.ts'
import { checkService } from '../doctor/services.ts'
import type { GetContext } from '../program.ts'

const marks: Record<Finding['state'], string> = { ok: 'ok', warning: 'look', wrong: 'WRONG', unknown: '?' }

export function addDoctor (program: Command, getContext: GetContext): void {
  program.command('doctor').description('what is wrong, and how to mend it').option('--asterisk-config <folder>', 'also look there for other recorders, e.g. /etc/asterisk')
    .action(async ({ asteriskConfig }: { asteriskConfig?: string }) => {
      const context = getContext()
      const findings = await examine(context, asteriskConfig)
      if (program.opts<{ json?: boolean }>().json) context.show(findings)
      else context.io.write(describe(findings))
      if (findings.some(({ state }) => state === 'wrong')) process.exitCode = 1
    })
}

async function examine ({ addresses: { stack }, io: { env } }: Context, asteriskConfig: string | undefined): Promise<Finding[]> {
  const roles = stack?.postgres.roles
  const brokers = env['KAFKA_BROKERS']?.split(',').map(broker => broker.trim()) ?? stack?.kafka.brokers
  const findings = await Promise.all([
    checkService({ name: 'settings', adminUrl: env['TACET_SETTINGS_ADMIN_URL'] ?? stack?.settings?.adminUrl, variable: 'TACET_SETTINGS_ADMIN_URL' }),
    checkService({ name: 'call-control', adminUrl: env['TACET_CALL_CONTROL_ADMIN_URL'] ?? stack?.callControl?.adminUrl, variable: 'TACET_CALL_CONTROL_ADMIN_URL' }),
    checkService({ name: 'recording-assembly', adminUrl: env['TACET_ASSEMBLY_ADMIN_URL'] ?? stack?.assembly?.adminUrl, variable: 'TACET_ASSEMBLY_ADMIN_URL' }),
    checkDatabase(withoutUndefined({
      settings: env['TACET_DATABASE_URL_SETTINGS'] ?? roles?.settings,
      call_control: env['TACET_DATABASE_URL_CALL_CONTROL'] ?? roles?.call_control,
      recording_assembly: env['TACET_DATABASE_URL_RECORDING_ASSEMBLY'] ?? roles?.recording_assembly,
    })),
    checkTopics(brokers, env['KAFKA_TOPIC_PREFIX'] ?? stack?.kafka.topicPrefix ?? ''),
    checkPbx(ariOf(env) ?? stack?.ari),
  ])
  return [
    ...findings.flat(),
    ...checkDialplanFiles(asteriskConfig),
    checkFolder('spool', env['SPOOL_DIR'] ?? stack?.spoolDir, 'read', 'fine when segments are fetched over ARI; else set SPOOL_DIR'),
    checkFolder('recordings', env['RECORDINGS_DIR'] ?? stack?.recordingsDir, 'write', 'set RECORDINGS_DIR, where recording-assembly runs'),
  ]
}

function ariOf (env: Record<string, string | undefined>): AriAccess | undefined {
  const { ARI_URL: url, ARI_USERNAME: username, ARI_PASSWORD: password, ARI_APP: app = 'tacet' } = env
  return url === undefined || username === undefined || password === undefined ? undefined : { url, username, password, app }
}

const withoutUndefined = (urls: Record<string, string | undefined>) => Object.fromEntries(Object.entries(urls).filter((pair): pair is [string, string] => pair[1] !== undefined))

function describe (findings: Finding[]): string {
  const lines = findings.map(({ check, state, detail, mend }) => `${marks[state].padEnd(6)} ${check}: ${detail}\n${mend === undefined ? '' : `       → ${mend}\n`}`)
  const count = (state: Finding['state']) => findings.filter(finding => finding.state === state).length
  const summary = count('wrong') + count('warning') === 0 ? 'Nothing wrong was found' : `${count('wrong')} wrong, ${count('warning')} to look at`
  return `${lines.join('')}\n${summary}${count('unknown') === 0 ? '' : `; ${count('unknown')} could not be looked at`}.\n`
}
