import type { Stack } from '@tacet/contracts'
import { topics } from '@tacet/contracts'
import colors from 'picocolors'

/** What runs where, and what to try next; the commands work as they are pasted. */
export function showGuide (stack: Stack, write: (text: string) => void): void {
  const { settings, callControl, assembly, kafka, ari, sip, trunk, agents, numbers, companyId } = stack
  const address = (path: string): string => `$(node -p 'require("./.local/stack.json").${path}')`
  const title = (text: string): void => write(`\n  ${colors.bold(text)}`)
  const row = (name: string, text: string): void => write(`    ${name.padEnd(18)} ${text}`)
  const command = (text: string): void => write(`    ${colors.cyan(text)}`)

  title('Running until Ctrl-C')
  row('call-control', `${callControl?.url}/v1/calls`)
  row('recordings', `${assembly?.url}/v1/recordings`)
  row('settings', `${settings?.url}/v1/companies/${companyId}`)
  row('Kafka', `${kafka.brokers.join(',')}  ${[topics.calls, topics.recordings].map((topic) => kafka.topicPrefix + topic).join(', ')}, …`)
  row('ARI', `${ari.url}/ari`)
  row('addresses, tokens', '.local/stack.json; logs in .local/log')

  title('With two softphones')
  row('server', `${sip.host}, port ${sip.port}, UDP or TCP`)
  row('the customer', `user ${trunk.username}, password: trunk.password in .local/stack.json; call ${numbers[0]?.e164}`)
  row('an agent', `user ${agents.map((agent) => `${agent.sip.username} (${agent.name})`).join(', ')}, password: agents[].sip.password there`)

  title('Or without: in another terminal, in this folder')
  command('npm run call')
  write(colors.dim('    # a call that lasts until Ctrl-C; meanwhile, in a third terminal, as Anna:'))
  command(`token=${address('agents[0].apiToken')}`)
  command(`curl -s -H "authorization: Bearer $token" ${callControl?.url}/v1/calls`)
  command(`call=$(curl -s -H "authorization: Bearer $token" ${callControl?.url}/v1/calls | node -p 'JSON.parse(require("fs").readFileSync(0)).items[0].callId')`)
  command(`curl -s -X POST -H "authorization: Bearer $token" ${callControl?.url}/v1/calls/$call/recording/pause`)
  command(`curl -s -X POST -H "authorization: Bearer $token" ${callControl?.url}/v1/calls/$call/recording/resume`)
  write(colors.dim('    # the same by a key of Anna\'s phone'))
  command(`curl -s ${callControl?.url}/phone/v1/${address('agents[0].deviceToken')}/toggle`)
  write(colors.dim('    # and when it has ended'))
  command(`curl -s -H "authorization: Bearer $token" ${assembly?.url}/v1/recordings/$call/timeline`)
  command(`curl -s -H "authorization: Bearer $token" ${assembly?.url}/v1/recordings/$call/audio -o call.wav`)
  write('')
}
