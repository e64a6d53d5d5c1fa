import { isProblem, type Problem } from '@tacet/contracts'

/** The problem that a command was refused with; throws when it was not. */
export async function problemOf (command: Promise<unknown>): Promise<Problem> {
  try {
    await command
  } catch (error) {
    if (isProblem(error)) return error
    throw error
  }
  throw new Error('the command was not refused')
}

/** Whether a promise has settled by now, without waiting for it. */
export function watchPromise (promise: Promise<unknown>): { readonly isSettled: boolean } {
  const state = { isSettled: false }
  promise.then(() => { state.isSettled = true }, () => { state.isSettled = true })
  return state
}
