import { peaksQuerySchema, peaksSchema } from '@tacet/contracts'
import type { HttpApp } from '@tacet/service-kit'
import type { ReadPeaks } from '../usecases/read-peaks.ts'
import { scopeOfRequest } from './requests.ts'
import { described, errors, recordingParams } from './schemas.ts'

/** What other programs make something of. */
export function exportRoutes (app: HttpApp, { readPeaks }: { readPeaks: ReadPeaks }): void {
  app.get('/recordings/:recordingId/peaks', {
    schema: {
      ...described('The waveform, as audiowaveform has it, with markers of the gaps'),
      params: recordingParams,
      querystring: peaksQuerySchema,
      response: { 200: peaksSchema, ...errors('recording-not-found', 'recording-deleted', 'not-ready') },
    },
  }, async request => await readPeaks(request.params.recordingId, scopeOfRequest(request), request.query))
}
