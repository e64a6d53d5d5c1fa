import { isProblem, problem, type AssemblyEventData, type ProblemCode, type PurgeOrderBody } from '@tacet/contracts'
import { mayManage, scopeOf } from '../domain/access.ts'
import { entryOf, entryOfNothing, orderOf, type Asker, type Deed, type Moment } from '../domain/asker.ts'
import { eraseAll, eraseWithdrawn } from '../domain/jobs.ts'
import type { Order, Recording } from '../domain/recording.ts'
import { findPurge } from '../domain/purge.ts'
import type { AuditLog, Change, RecordingStore, Recordings } from './ports.ts'
import { finishedGeneration, present } from './read-recording.ts'
import { readTimeline } from './timeline-file.ts'

export interface ManageDependencies {
  recordings: Recordings
  audit: AuditLog
  store: RecordingStore
  moment: () => Moment
  newId: () => string
}

export type ManageRecording = ReturnType<typeof createManageRecording>
type Cause = AssemblyEventData<'recording.deleted'>['cause']

type Decided = Change & Pick<Deed, 'isOnlyOrdered'> & { alsoDone?: Deed['detail'] }

/** Refusals that say something about who asks, or about what is kept from being destroyed. */
const audited: ReadonlySet<ProblemCode> = new Set(['forbidden', 'recording-not-found', 'legal-hold', 'already-on-hold'])

/** Holds, cuts and deletions. All of it is in the audit log, what is refused too. Throws problems. */
export function createManageRecording ({ recordings, audit, store, moment, newId }: ManageDependencies) {
  /** `decide` may throw; what it says is done together with the entry in the audit log. Null: it is so already. */
  async function manage (action: string, recordingId: string, asker: Asker, detail: Deed['detail'], decide: (recording: Recording, at: string) => Decided | null): Promise<Recording> {
    const now = moment()
    let seen: Recording | null = null
    try {
      const changed = await recordings.change(recordingId, scopeOf(asker), recording => {
        seen = recording
        if (!mayManage(asker)) throw problem('forbidden')
        const decided = decide(present(recording), now.at)
        if (decided === null) return {}
        const { isOnlyOrdered = false, alsoDone, ...change } = decided
        return { ...change, audit: [entryOf(asker, recording, { action, outcome: 'done', isOnlyOrdered, detail: { ...detail, ...alsoDone } }, now)] }
      })
      if (changed === null) throw problem('recording-not-found')
      return changed
    } catch (error) {
      if (isProblem(error) && audited.has(error.code)) {
        const deed: Deed = { action, outcome: 'refused', code: error.code, detail }
        await audit.append(seen === null ? entryOfNothing(asker, recordingId, deed, now) : entryOf(asker, seen, deed, now))
      }
      throw error
    }
  }

  return {
    /** From now on nobody hears it until a job has made a version without that. */
    async purge (recordingId: string, asker: Asker, { reason, ...wish }: PurgeOrderBody): Promise<Recording> {
      const recording = await recordings.find(recordingId, scopeOf(asker))
      const isReadable = recording !== null && recording.deletedAt === null && mayManage(asker) && recording.purge === null && recording.storedGeneration !== null
      const timeline = isReadable ? await readTimeline(store, { recordingId: recording.recordingId, generation: finishedGeneration(recording) }) : null
      const found = timeline === null ? null : findPurge(timeline, wish)
      return await manage('recording.purge', recordingId, asker, { reason, wish, ...found }, (recording, at) => {
        requireNoHold(recording)
        finishedGeneration(recording)
        if (found === null || timeline?.version !== recording.version) throw problem('not-ready', 'the recording has just changed', { retryAfterSeconds: 1 })
        if ('version' in wish && wish.version !== recording.version) throw problem('precondition-failed', `this is version ${recording.version} of the recording`)
        if (found.ranges.length === 0 && found.segments.length === 0) throw problem('nothing-to-purge')
        const purgeId = newId()
        return {
          set: { purge: { ...orderOf(asker, reason, at), purgeId, version: recording.version, ...found } },
          jobs: [{ kind: 'purge' }],
          isOnlyOrdered: true,
          alsoDone: { purgeId },
        }
      })
    },
    /** What is to be cut out and is not yet, stays. There is one hold: a second would be lifted with the first. */
    async hold (recordingId: string, asker: Asker, reason: string): Promise<Recording> {
      return await manage('recording.hold', recordingId, asker, { reason }, ({ hold: standing, purge, generation }, at) => {
        const hold = orderOf(asker, reason, at)
        if (standing !== null && isSameOrder(standing, hold)) return null
        if (standing !== null) throw problem('already-on-hold', `on hold since ${standing.at}: ${standing.reason}`)
        if (purge === null) return { set: { hold } }
        const { purgeId, ranges, segments } = purge
        return {
          set: { hold, purge: null },
          endJobs: 'purge',
          jobs: [eraseWithdrawn(generation, purgeId)],
          alsoDone: { stoppedPurge: { purgeId, reason: purge.reason, orderedAt: purge.at, ranges, segments } },
        }
      })
    },
    async lift (recordingId: string, asker: Asker, reason: string): Promise<Recording> {
      return await manage('recording.lift-hold', recordingId, asker, { reason }, ({ hold }) => {
        if (hold === null) throw problem('not-on-hold')
        return { set: { hold: null } }
      })
    },
    /** From now on nobody hears it; its bytes are deleted by a job, and only then is it said to be deleted. */
    async remove (recordingId: string, asker: Asker, { reason, cause }: { reason: string, cause: Cause }): Promise<Recording> {
      return await manage('recording.delete', recordingId, asker, { reason, cause }, (recording, at) => {
        requireNoHold(recording)
        return { ...deletionOf(recording, { ...orderOf(asker, reason, at), cause }), isOnlyOrdered: true }
      })
    },
  }
}

const isSameOrder = (one: Order, other: Order): boolean =>
  one.reason === other.reason && one.credentialId === other.credentialId && one.agentId === other.agentId

export function requireNoHold ({ hold }: Recording): void {
  if (hold !== null) throw problem('legal-hold', `a legal hold keeps it since ${hold.at}`)
}

export const deletionOf = ({ generation }: Pick<Recording, 'generation'>, deletion: NonNullable<Recording['deletion']>): Change => ({
  set: { deletion, deletedAt: new Date(deletion.at), purge: null },
  jobs: [eraseAll(generation)],
})
