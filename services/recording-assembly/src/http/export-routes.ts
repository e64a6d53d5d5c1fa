import { peaksQuerySchema, peaksSchema, vconSchema } from '@tacet/contracts'
import type { HttpApp } from '@tacet/service-kit'
import type { ExportVcon } from '../usecases/export-vcon.ts'
import type { ReadPeaks } from '../usecases/read-peaks.ts'
import { scopeOfRequest } from './requests.ts'
import { described, errors, recordingParams } from './schemas.ts'

/** What other programs make something of. */
export function exportRoutes (app: HttpApp, { readPeaks, exportVcon, publicUrl }: { readPeaks: ReadPeaks, exportVcon: ExportVcon, publicUrl?: string | undefined }): void {
  app.get('/recordings/:recordingId/peaks', {
    schema: {
      ...described('The waveform, as audiowaveform has it, with markers of the gaps'),
      params: recordingParams,
      querystring: peaksQuerySchema,
      response: { 200: peaksSchema, ...errors('recording-not-found', 'recording-deleted', 'not-ready', 'measuring-failed') },
    },
  }, async request => await readPeaks(request.params.recordingId, scopeOfRequest(request), request.query))

  app.get('/recordings/:recordingId/vcon', {
    schema: {
      ...described('The call as a vCon, with the audio by reference and the timeline attached'),
      params: recordingParams,
      response: { 200: vconSchema, ...errors('recording-not-found', 'recording-deleted', 'not-ready', 'measuring-failed') },
    },
  }, async request => await exportVcon(request.params.recordingId, scopeOfRequest(request), publicUrl ?? `${request.protocol}://${request.host}`))
}
