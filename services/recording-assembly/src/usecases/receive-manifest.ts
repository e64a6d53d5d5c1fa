import type { Manifest } from '@tacet/contracts'
import type { Transaction } from '@tacet/service-kit'
import type { Recordings } from './ports.ts'

export type ReceiveManifest = ReturnType<typeof createReceiveManifest>

/** Takes note of a finished call; the work is left to the jobs. */
export function createReceiveManifest ({ recordings }: { recordings: Recordings }) {
  return async (manifest: Manifest, correlationId: string | null, tx: Transaction): Promise<boolean> =>
    await recordings.add(tx, manifest, correlationId)
}
