import type { FakeRecorderDriver, RecorderDriver } from '@tacet/ari'
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

/** Reconciles as the watch does after every connect. Returns the recorders that were nobody's. */
export async function reconcile (lab: Lab, picture: PbxSnapshot): Promise<string[]> {
  const strays: string[] = []
  const reconciler = createReconciler({
    follower: lab.follower,
    store: lab.store,
    answerBook: lab.answers,
    driver: lab.driver,
    clock: lab.time.now,
    newId: lab.newId,
    discardTimeoutMs: 2000,
    onStray: id => strays.push(id),
    snapshot: async () => picture,
  })
  await reconciler.run()
  keepPolicySilence(lab.follower.sessions(), lab.time.now())
  await lab.time.settle()
  return strays
}

/** The next instance, on the same PBX and database. */
export const succeed = (before: { time: FakeTime, driver: FakeRecorderDriver, database: MemoryDatabase }, settings: Settings = {}): Lab =>
  createLab({ ...settings, time: before.time, driver: before.driver, store: createMemoryCallStore({ database: before.database, epoch: 2 }) })

/**
 * A process that is killed at its n-th step: nothing it asks for afterwards happens, and it hears of nothing any more.
 * The step itself happens or not, as `isDone` says.
 */
export function createKilledAt (step: number, isDone: boolean, { driver, store }: { driver: FakeRecorderDriver, store: MemoryCallStore }) {
  let steps = 0
  const never = <T>() => new Promise<T>(() => {})
  const guarded = <A extends unknown[], T>(work: (...args: A) => Promise<T>) => async (...args: A): Promise<T> => {
    steps += 1
    if (steps < step) return await work(...args).then(async result => steps < step ? result : await never<T>(), async error => steps < step ? await Promise.reject(error) : await never<T>())
    if (steps === step && isDone) void work(...args).catch(() => {})
    return await never<T>()
  }
  const killedDriver: RecorderDriver = { ...driver, start: guarded(driver.start), stop: guarded(driver.stop), discard: guarded(driver.discard) }
  const killedStore: MemoryCallStore = Object.assign(store, { commit: guarded(store.commit), noteIntent: guarded(store.noteIntent) })
  return { driver: Object.assign(killedDriver, { faults: driver.faults, calls: driver.calls, hangUpLeg: driver.hangUpLeg, vanish: driver.vanish }), store: killedStore, isDead: () => steps >= step }
}
