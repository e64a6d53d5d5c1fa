import { z } from 'zod'
import { clockOf } from './services.ts'
import { messageOf, ok, unknown, warning, wrong, type Finding } from './finding.ts'

export interface AriAccess { url: string, username: string, password: string, app: string }

const infoSchema = z.object({ system: z.object({ version: z.string() }) })
const channelSchema = z.object({ id: z.string(), name: z.string(), dialplan: z.object({ app_name: z.string().default('') }).optional() })
const variableSchema = z.object({ value: z.string() })
const oldest = [22, 10, 1]

/** Asterisk's version and modules, our application, our context, and whoever else records the calls of now. */
export async function checkPbx (ari: AriAccess | undefined): Promise<Finding[]> {
  if (ari === undefined) return [unknown('Asterisk', 'its address is not known', 'set ARI_URL, ARI_USERNAME and ARI_PASSWORD')]
  const get = async (path: string) => await fetch(new URL(`/ari/${path}`, ari.url), {
    headers: { authorization: `Basic ${Buffer.from(`${ari.username}:${ari.password}`).toString('base64')}` }, signal: AbortSignal.timeout(5_000),
  })
  try {
    const info = await get('asterisk/info')
    if (info.status === 401) return [wrong('Asterisk', 'refuses user and password', 'they must be those of a user in ari.conf')]
    const { system: { version } } = infoSchema.parse(await info.json())
    const [application, mixMonitor, channels] = await Promise.all([get(`applications/${encodeURIComponent(ari.app)}`), get('asterisk/modules/app_mixmonitor.so'), get('channels')])
    const live = z.array(channelSchema).parse(await channels.json())
    const variable = async (channelId: string, name: string): Promise<string> => {
      const answer = await get(`channels/${encodeURIComponent(channelId)}/variable?variable=${encodeURIComponent(name)}`)
      return answer.ok ? variableSchema.parse(await answer.json()).value : ''
    }
    return [
      versionOf(version),
      clockOf('Asterisk: clock', info.headers.get('date')),
      mixMonitor.ok ? ok('Asterisk: MixMonitor', 'is loaded') : wrong('Asterisk: MixMonitor', 'is not loaded', 'load app_mixmonitor.so in modules.conf'),
      application.ok ? ok('Asterisk: application', `${ari.app} is registered`) : wrong('Asterisk: application', `nobody has registered ${ari.app}`, 'start call-control, with the same ARI_APP'),
      await contextOf(live[0]?.id, variable),
      await othersOf(live, variable),
    ]
  } catch (error) {
    return [wrong('Asterisk', `ARI does not answer at ${ari.url} (${messageOf(error)})`, 'look whether Asterisk runs, and at http.conf and ari.conf')]
  }
}

function versionOf (version: string): Finding {
  const numbers = version.split(/[^\d]+/).map(Number)
  const difference = oldest.map((least, index) => (numbers[index] ?? 0) - least).find(number => number !== 0) ?? 0
  return difference >= 0 ? ok('Asterisk: version', version) : wrong('Asterisk: version', `${version} is too old`, `at least ${oldest.join('.')} is needed`)
}

/** ARI shows no dialplan; but a channel, any channel, can be asked whether an extension exists. */
async function contextOf (channelId: string | undefined, variable: (channelId: string, name: string) => Promise<string>): Promise<Finding> {
  const check = 'Asterisk: context tacet-recorder'
  if (channelId === undefined) return unknown(check, 'can only be asked for while a call is up', 'run this again during a call, or say: asterisk -rx "dialplan show tacet-recorder"')
  const answers = await Promise.all(['start', 'stop-x', 'h'].map(extension => variable(channelId, `DIALPLAN_EXISTS(tacet-recorder,${extension},1)`)))
  return answers.every(answer => answer === '1') ? ok(check, 'is there') : wrong(check, 'is missing or incomplete', '#include extensions_tacet.conf in extensions.conf, then "dialplan reload"')
}

/** Whoever else runs MixMonitor on a channel would write what we pause. Asterisk leaves the name of the file on the channel. */
async function othersOf (channels: z.output<typeof channelSchema>[], variable: (channelId: string, name: string) => Promise<string>): Promise<Finding> {
  const check = 'Asterisk: other recorders, now'
  const foreign = channels.filter(({ id }) => !id.startsWith('tacet-'))
  const found = await Promise.all(foreign.map(async ({ id, name, dialplan }) => {
    const files = await Promise.all(['MIXMONITOR_FILENAME', 'TOUCH_MIXMONITOR_OUTPUT'].map(variableName => variable(id, variableName)))
    const isRecording = /^(MixMonitor|Monitor|Record)$/i.test(dialplan?.app_name ?? '')
    return files.some(file => file !== '') || isRecording ? `${name} → ${files.find(file => file !== '') ?? dialplan?.app_name ?? ''}` : undefined
  }))
  const others = found.filter(other => other !== undefined)
  if (others.length === 0) return ok(check, foreign.length === 0 ? 'no call is up' : `none on ${foreign.length} channels`)
  return warning(check, others.join('; '), 'these write what a pause keeps out of our files: take MixMonitor out of the dialplan and queues.conf, and one-touch recording out of features.conf')
}
