import { join } from 'node:path'
import { readStack } from '@tacet/test-kit'
import colors from 'picocolors'
import { Failure, messageOf } from '../system/failure.ts'
import { repositoryDir } from '../system/paths.ts'
import { openFollower } from './follow.ts'
import { withConversation } from './parties.ts'
import { chat } from './script.ts'
import { showCall } from './show.ts'
import { speak } from './voices.ts'

const longestMs = 15 * 60_000

/** `npm run call`: a customer and Anna talk on the running stack until Ctrl-C, so that there is a call to try things on. */
async function keepACall (signal: AbortSignal): Promise<void> {
  const write = (text: string): void => { process.stdout.write(`${text}\n`) }
  const stack = readRunningStack()
  const [utterances, follower] = await Promise.all([speak(chat, signal), openFollower(stack)])
  const show = showCall(stack, write)
  write(`\n  ${colors.bold('A customer calls Anna')}, and they talk until Ctrl-C. Stop and start the recording from another terminal.\n`)
  const onDialled = (sipCallId: string): void => follower.follow(sipCallId, show.event)
  try {
    await withConversation(stack, { utterances, signal, onDialled, onLine: show.line }, async ({ customer, say }) => {
      while (customer.state === 'answered') await say(chat)
    }).catch((error: unknown) => { if (!signal.aborted) throw error })
    await follower.until('recording.assembled', 15_000)
  } finally {
    await follower.close()
  }
}

function readRunningStack () {
  try {
    return readStack(join(repositoryDir, '.local/stack.json'))
  } catch {
    throw new Failure('Nothing is running here. Type `npm start` in another terminal first.')
  }
}

const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort())
await keepACall(AbortSignal.any([stopping.signal, AbortSignal.timeout(longestMs)])).catch((error: unknown) => {
  process.stderr.write(`\n${colors.red('✗')} ${messageOf(error)}\n`)
  process.exitCode = 1
})
