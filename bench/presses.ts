import type { CommandAnswer } from '@tacet/contracts'
import { eventually } from '@tacet/test-kit'
import type { Client } from './client.ts'
import { time } from './figures.ts'

export interface Presses {
  /** How long each pause took, in milliseconds. */
  tookMs: number[]
  /** Answers that could not wait for the database. */
  undurable: number
  /** Pauses that were not answered with 200, and the last of those answers. */
  failed: number
  lastFailure: string | undefined
  pause: (callId: string) => Promise<void>
  /** Not part of any figure: tried again where the machine is too busy for it. */
  resume: (callId: string) => Promise<void>
}

export function createPresses (client: Client): Presses {
  const send = async (callId: string, action: string) => await client.post(`/v1/calls/${callId}/recording/${action}`) as CommandAnswer
  const presses: Presses = {
    tookMs: [],
    undurable: 0,
    failed: 0,
    lastFailure: undefined,
    async pause (callId) {
      presses.tookMs.push(await time(async () => {
        try {
          if (!(await send(callId, 'pause')).durable) presses.undurable += 1
        } catch (error) {
          presses.failed += 1
          presses.lastFailure = String(error)
        }
      }))
    },
    async resume (callId) {
      await eventually(async () => await send(callId, 'resume'), { timeoutMs: 30_000, intervalMs: 200, message: `${callId} does not resume` })
    },
  }
  return presses
}

/** Answers that a figure must not contain: quick because they promise less, or none at all. */
export const hasTrouble = ({ undurable, failed }: Pick<Presses, 'undurable' | 'failed'>): boolean => undurable > 0 || failed > 0

export const noteTrouble = ({ undurable, failed }: Pick<Presses, 'undurable' | 'failed'>): string =>
  (undurable === 0 ? '' : `; ${undurable} answers with durable: false`) + (failed === 0 ? '' : `; ${failed} FAILED`)
