import type { Stack } from '@tacet/contracts'
import type { Progress } from '../progress.ts'
import { Failure } from '../system/failure.ts'

/**
 * Plays the demo call on a running stack and shows it as it goes.
 * Leaves recording.wav, timeline.json and report.json in `dir`; a Failure when the promise did not hold.
 */
export async function playDemoCall (_stack: Stack, _options: { dir: string, progress: Progress, signal: AbortSignal }): Promise<void> {
  throw new Failure('The demo call is still to be written.')
}
