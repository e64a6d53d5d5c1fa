import type { FakeRecorderDriver } from '@tacet/ari'
import type { Leg, PbxSnapshot } from '../../src/domain/pbx.ts'
import { keepPolicySilence } from '../../src/usecases/keep-policy-silence.ts'
import { createReconciler } from '../../src/usecases/reconcile.ts'
import type { FakeTime } from './fake-time.ts'
import { annaLeg, createLab, trunkLeg, type Lab } from './lab.ts'
import { createMemoryCallStore, type MemoryCallStore, type MemoryDatabase } from './memory-call-store.ts'
import type { Settings } from './rules.ts'

/** The call of the lab, as the PBX shows it. */
export const talking: PbxSnapshot = {
  legs: [trunkLeg(), annaLeg()],
  bridges: [{ bridgeId: 'b1', channelIds: [annaLeg().channelId, trunkLeg().channelId] }],
}
export const nothing: PbxSnapshot = { legs: [], bridges: [] }
export const snapshotOf = (...legs: Leg[]): PbxSnapshot => ({ legs, bridges: [{ bridgeId: 'b1', channelIds: legs.map(({ channelId }) => channelId) }] })

interface Looks { look: (picture: PbxSnapshot) => Promise<string[]> }
const looksOf = new WeakMap<Lab, Looks>()

function createLooks (lab: Lab): Looks {
  const seen = { picture: nothing, strays: [] as string[] }
  const reconciler = createReconciler({
    follower: lab.follower,
    store: lab.store,
    answerBook: lab.answers,
    driver: lab.driver,
    clock: lab.time.now,
    newId: lab.newId,
    discardTimeoutMs: 2000,
    onStray: id => seen.strays.push(id),
    onAdoptionFailure: () => {},
    snapshot: async () => seen.picture,
  })
  return {
    async look (picture) {
      Object.assign(seen, { picture, strays: [] })
      await reconciler.run()
      return seen.strays
    },
  }
}

/** Reconciles as the watch does after every connect. Returns the recorders that were nobody's. */
export async function reconcile (lab: Lab, picture: PbxSnapshot): Promise<string[]> {
  const looks = looksOf.get(lab) ?? createLooks(lab)
  looksOf.set(lab, looks)
  const strays = await looks.look(picture)
  keepPolicySilence(lab.follower.sessions(), lab.time.now())
  await lab.time.settle()
  return strays
}

/** The next instance, on the same PBX and database. */
export const succeed = (before: { time: FakeTime, driver: FakeRecorderDriver, database: MemoryDatabase }, settings: Settings = {}): Lab =>
  createLab({ ...settings, time: before.time, driver: before.driver, store: createMemoryCallStore({ database: before.database, epoch: 2 }) })

export type Death =
  /** At its n-th step, a call of the database or of a recorder, which happens or not. */
  | { at: 'step', step: number, isDone: boolean }
  /** At its n-th commit the database goes away, and a while later the process dies. */
  | { at: 'commit', step: number, afterMs: number }

/** A process that dies: nothing it asks for afterwards happens, and it hears of nothing any more. */
export function createMortal (death: Death, { driver, store, time }: { driver: FakeRecorderDriver, store: MemoryCallStore, time: FakeTime }) {
  let steps = 0
  let isDead = false
  const never = <T>() => new Promise<T>(() => {})

  const guarded = <A extends unknown[], T>(isCommit: boolean, work: (...args: A) => Promise<T>) => async (...args: A): Promise<T> => {
    if (isDead) return await never<T>()
    if (death.at === 'step' || isCommit) steps += 1
    if (death.at === 'step' && steps === death.step) {
      isDead = true
      if (death.isDone) void work(...args).catch(() => {})
      return await never<T>()
    }
    if (death.at === 'commit' && steps === death.step && !store.isDown) {
      store.isDown = true
      void time.wait(death.afterMs).then(() => { isDead = true })
    }
    try {
      const result = await work(...args)
      return isDead ? await never<T>() : result
    } catch (error) {
      if (isDead) return await never<T>()
      throw error
    }
  }

  return {
    driver: Object.assign({ ...driver }, { start: guarded(false, driver.start), stop: guarded(false, driver.stop), discard: guarded(false, driver.discard) }),
    store: Object.assign(store, { commit: guarded(true, store.commit), noteIntent: guarded(false, store.noteIntent) }),
    get isDead () { return isDead },
  }
}
