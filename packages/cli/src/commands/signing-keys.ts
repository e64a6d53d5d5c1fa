import type { Command } from 'commander'
import type { GetContext } from '../program.ts'

interface SigningKey { kid: string, usableUntil?: string }

export function addSigningKeyCommands (program: Command, getContext: GetContext): void {
  const keys = program.command('signing-key').description('the keys that sign JWTs: the current one, and those before that are still believed')
  keys.command('list').action(async () => {
    const context = getContext()
    const { keys } = await context.settings.call('/v1/jwks.json') as { keys: SigningKey[] }
    context.show(keys, ['kid', 'usableUntil'])
  })
  keys.command('retire').description('believe nothing more that a former key signed').argument('<kid>').action(async (kid: string) => {
    const context = getContext()
    await context.settings.call(`/v1/signing-keys/${encodeURIComponent(kid)}`, { method: 'DELETE' })
    context.show({ retired: kid })
  })
}
