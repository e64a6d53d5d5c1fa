import { setTimeout as sleep } from 'node:timers/promises'
import { pause } from '@tacet/service-kit'
import type { FakeTime } from './fake-time.ts'

/** The time of the clock on the wall, for labs with a real part, which does not wait for a fake one. */
export function createRealTime (): FakeTime {
  return {
    now: Date.now,
    wait: pause,
    clock: { now: Date.now, sleep: pause },
    settle: async () => await sleep(20),
    advance: async ms => await sleep(Math.max(1, ms)),
    sleepThrough () { throw new Error('real time does not jump') },
    advanceTo: async epochMs => await sleep(Math.max(1, epochMs - Date.now())),
  }
}
