import type { Logger } from '@tacet/service-kit'
import { entryOf, policyAsker, orderOf, type Moment } from '../domain/asker.ts'
import type { Recordings } from './ports.ts'
import { deletionOf } from './manage-recording.ts'

const BATCH = 200
/** The rest waits for the next time. */
const MOST_BATCHES = 50

/** Deletes what a company does not want to keep any longer, unless it is on hold. Returns how many there were. */
export function createExpireRecordings ({ recordings, moment, logger }: { recordings: Recordings, moment: () => Moment, logger: Logger }) {
  async function expire (recordingId: string): Promise<boolean> {
    const now = moment()
    let isExpired = false
    await recordings.change(recordingId, { kind: 'all' }, recording => {
      const { retainUntil, hold, deletedAt, status } = recording
      isExpired = deletedAt === null && hold === null && retainUntil !== null && retainUntil <= new Date(now.at) && status !== 'assembling' && status !== 'waiting'
      if (!isExpired) return {}
      const asker = policyAsker(recording.manifest.companyId)
      return {
        ...deletionOf(recording, { ...orderOf(asker, 'retention', now.at), cause: 'retention' }),
        audit: [entryOf(asker, recording, { action: 'recording.delete', outcome: 'done', isOnlyOrdered: true, detail: { cause: 'retention', retainUntil: retainUntil?.toISOString() } }, now)],
      }
    })
    return isExpired
  }

  return async (signal: AbortSignal): Promise<number> => {
    let expired = 0
    for (let batch = 0; batch < MOST_BATCHES; batch++) {
      const ids = await recordings.expired(new Date(moment().at), BATCH)
      for (const recordingId of ids) {
        if (signal.aborted) return expired
        if (await expire(recordingId)) expired++
      }
      if (ids.length < BATCH) break
    }
    if (expired > 0) logger.info({ expired }, 'recordings deleted because their time is over')
    return expired
  }
}
