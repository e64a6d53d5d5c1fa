import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { writeConfiguration } from '../asterisk/configuration.ts'
import { findAsterisk } from '../asterisk/find-asterisk.ts'
import { isNewEnough, oldestVersion, versionIn } from '../asterisk/version.ts'
import type { Context } from '../context.ts'
import { Failure } from '../system/failure.ts'
import { choosePort } from '../system/ports.ts'
import { untilItWorks } from '../system/wait.ts'

export type Pbx = {
  ari: { url: string, username: string, password: string, app: string }
  sip: { host: string, port: number }
  /** Where Asterisk writes recordings, if that can be read from here. */
  spoolDir: string | null
  trunk: { username: string, password: string, endpoint: string }
  agents: Array<{ agentId: string, name: string, endpoint: string, extension: string, sip: { username: string, password: string } }>
  numbers: Array<{ e164: string, label: string }>
}

const infoSchema = z.object({ system: z.object({ version: z.string() }) })

const people = [
  { agentId: '01990000-0000-7000-8000-000000001001', name: 'Anna', extension: '1001' },
  { agentId: '01990000-0000-7000-8000-000000001002', name: 'Ben', extension: '1002' },
  { agentId: '01990000-0000-7000-8000-000000001003', name: 'Chloe', extension: '1003' },
]
const numbers = [
  { e164: '+442071838750', label: "Anna's direct number" },
  { e164: '+442071838751', label: 'Support: a menu, then a queue of Ben and Chloe' },
  { e164: '+442071838752', label: 'Anna, by way of a Local channel' },
]

/** The PBX: the one at ARI_URL, which must have the demo's dialplan and accounts, else an Asterisk of our own. */
export async function startAsterisk (context: Context): Promise<Pbx> {
  const { secret, signal } = context
  const app = process.env.ARI_APP || 'tacet'
  const username = process.env.ARI_USERNAME || 'tacet'
  const foreign = foreignPbx()
  const password = process.env.ARI_PASSWORD || secret('ariPassword')
  const accounts = {
    trunk: { username: 'trunk', password: process.env.TRUNK_PASSWORD || secret('trunkPassword'), endpoint: 'trunk' },
    agents: people.map((person) => ({
      ...person,
      endpoint: `PJSIP/${person.extension}`,
      sip: { username: person.extension, password: process.env[sipPasswordOf(person)] || secret(`sipPassword${person.extension}`) },
    })),
    numbers,
  }
  const { url, sip, spoolDir } = foreign ?? await startOwn(context, { app, username, password, accounts })
  await untilItAnswers({ url, username, password, signal })
  return { ari: { url, username, password, app }, sip, spoolDir, ...accounts }
}

/** As in the environment of the container, so that one file of variables will do for both. */
const sipPasswordOf = ({ extension }: { extension: string }): string => `SIP_PASSWORD_${extension}`

type Place = Pick<Pbx, 'sip' | 'spoolDir'> & { url: string }

/** The PBX that ARI_URL names. Nobody but its owner knows its passwords. */
function foreignPbx (): Place | undefined {
  const url = process.env.ARI_URL?.replace(/\/+$/, '')
  if (!url) return undefined
  const missing = ['ARI_USERNAME', 'ARI_PASSWORD', 'TRUNK_PASSWORD', ...people.map(sipPasswordOf)].filter((name) => !process.env[name])
  if (missing.length > 0) throw new Failure(`ARI_URL names an Asterisk that is not ours, so its accounts must be named too. Missing: ${missing.join(', ')}.`)
  const sip = { host: process.env.TACET_SIP_HOST || new URL(url).hostname, port: Number(process.env.TACET_SIP_PORT || 5060) }
  return { url, sip, spoolDir: process.env.TACET_SPOOL_DIR || null }
}

type Ari = { url: string, username: string, password: string, signal: AbortSignal }

/** A Failure at once when what answers is too old, or does not know us: waiting mends neither. */
async function untilItAnswers ({ url, username, password, signal }: Ari): Promise<void> {
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  const { status, text } = await untilItWorks(async () => {
    const response = await fetch(`${url}/ari/asterisk/info`, { headers: { authorization }, signal: AbortSignal.timeout(2000) })
    if (!response.ok && response.status !== 401) throw new Error(`ARI answered ${response.status}`)
    return { status: response.status, text: await response.text() }
  }, { what: `Asterisk at ${url} is`, timeoutMs: 60_000, signal })
  if (status === 401) throw new Failure(`Asterisk at ${url} refuses the user ${username} (ARI_USERNAME) or the password (ARI_PASSWORD).`)
  const version = versionIn(infoSchema.parse(JSON.parse(text)).system.version)
  if (!isNewEnough(version)) throw new Failure(`Asterisk at ${url} is ${version}; Tacet needs ${oldestVersion} or newer.`)
}

type Own = { app: string, username: string, password: string, accounts: Pick<Pbx, 'trunk' | 'agents'> }

async function startOwn (context: Context, { app, username, password, accounts }: Own): Promise<Place> {
  const { dataDir, say } = context
  const asterisk = await findAsterisk(context)
  const ariHost = '127.0.0.1'
  const ariPort = await choosePort({ name: 'ARI', variable: 'TACET_ARI_PORT', preferred: 18088 })
  const sipHost = process.env.TACET_SIP_HOST || '127.0.0.1'
  const sipPort = await choosePort({ name: 'SIP', variable: 'TACET_SIP_PORT', preferred: 15060, host: sipHost, udp: true })
  const { rtpStart, rtpEnd } = rtpPorts()

  const home = join(dataDir, 'asterisk')
  const dirs = {
    etcDir: join(home, 'etc'),
    varDir: join(home, 'var'),
    spoolDir: join(home, 'spool'),
    runDir: join(home, 'run'),
    logDir: join(dataDir, 'log'),
  }
  for (const dir of Object.values(dirs)) mkdirSync(dir, { recursive: true })
  mkdirSync(join(dirs.spoolDir, 'recording/tacet'), { recursive: true })

  const agents = accounts.agents.map(({ name, extension, sip }) => ({ name, extension, endpoint: extension, ...sip }))
  writeConfiguration(dirs.etcDir, {
    ...dirs,
    moduleDir: asterisk.moduleDir,
    shareDir: asterisk.shareDir,
    ariHost,
    ariPort,
    ariUsername: username,
    ariPassword: password,
    ariApp: app,
    sipHost,
    sipPort,
    rtpStart,
    rtpEnd,
    trunkUsername: accounts.trunk.username,
    trunkPassword: accounts.trunk.password,
  }, { agents, queueMembers: agents.slice(1) })

  say('starting')
  context.launch({
    name: 'asterisk',
    command: 'nice', // audio waits for nobody; where that is not allowed, nice runs it all the same
    args: ['-n', '-10', asterisk.command, ...asterisk.args, '-C', join(dirs.etcDir, 'asterisk.conf'), '-f', '-n'],
    cwd: home,
  })
  return { url: `http://${ariHost}:${ariPort}`, sip: { host: sipHost, port: sipPort }, spoolDir: join(dirs.spoolDir, 'recording') }
}

function rtpPorts (): { rtpStart: number, rtpEnd: number } {
  const [rtpStart = 0, rtpEnd = 0] = (process.env.TACET_RTP_PORTS || '20000-20999').split('-').map(Number)
  if (!(rtpStart >= 1024 && rtpEnd > rtpStart && rtpEnd <= 65535)) throw new Failure('TACET_RTP_PORTS must be a range such as 20000-20999.')
  return { rtpStart, rtpEnd }
}
