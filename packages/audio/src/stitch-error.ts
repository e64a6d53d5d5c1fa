export type StitchErrorCode = 'no-segments' | 'formats-differ' | 'too-large' | 'segment-unreadable' | 'output-differs'

export class StitchError extends Error {
  readonly code: StitchErrorCode
  readonly segmentPath: string | undefined

  constructor (code: StitchErrorCode, message: string, options: { segmentPath?: string, cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.name = 'StitchError'
    this.code = code
    this.segmentPath = options.segmentPath
  }
}
