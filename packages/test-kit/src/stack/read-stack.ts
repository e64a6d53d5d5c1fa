import { readFileSync } from 'node:fs'
import { stackSchema } from '@tacet/contracts'
import type { Stack } from '@tacet/contracts'
import { z } from 'zod'

/** The address book of the running stack, from the file that TACET_STACK names. Throws, saying what to do, when there is none. */
export function readStack (file = process.env.TACET_STACK): Stack {
  if (!file) throw new Error('TACET_STACK is not set: this test needs the real stack. Run it with `npm test -- <file>`, or set TACET_STACK=.local/stack.json while `npm start` runs.')
  const parsed = stackSchema.safeParse(readJson(file))
  if (!parsed.success) throw new Error(`${file} (TACET_STACK) is no address book of a stack:\n${z.prettifyError(parsed.error)}`)
  return parsed.data
}

function readJson (file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new Error(`${file} (TACET_STACK) can't be read`, { cause })
  }
}
