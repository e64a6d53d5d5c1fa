import { pino, type DestinationStream, type Logger, type LoggerOptions } from 'pino'
import pretty from 'pino-pretty'
import { currentCorrelationId } from './context.ts'

export type { Logger } from 'pino'

const secrets = ['authorization', 'Authorization', 'cookie', 'token', 'deviceToken', 'apiToken', 'adminToken', 'password', 'tokenHash', 'secret']
/** People's numbers: the log is no place to look up who called. */
const numbers = ['callerNumber', 'callerId', 'calleeNumber', 'remoteNumber', 'connectedNumber', 'phoneNumber']

const masked = new Set([...secrets, ...numbers])
const isPlain = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype

/** A copy with secrets masked, as deep as anybody logs. pino's own redaction, with wildcards, takes ten times as long as all the rest of a line. */
function mask (fields: Record<string, unknown>, levels = 3): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([field, value]) =>
    [field, masked.has(field) ? '***' : levels > 1 && isPlain(value) ? mask(value, levels - 1) : value]))
}

export interface LoggingOptions {
  name: string
  level: string
  /** Where lines go instead of standard output; JSON then. */
  destination?: DestinationStream
}

/**
 * One JSON line per event, readable text on a terminal. Messages are constants, facts go into fields;
 * secrets and callers' numbers are masked, the correlation id is added by itself.
 */
export function createLogger ({ name, level, destination }: LoggingOptions): Logger {
  const options: LoggerOptions = {
    name,
    level,
    formatters: { log: fields => mask(fields), bindings: fields => mask(fields) },
    mixin: (_fields, _level, logger) => {
      const correlationId = currentCorrelationId()
      // A request's own logger has it already, and pino would print it twice.
      return correlationId === undefined || 'correlationId' in logger.bindings() ? {} : { correlationId }
    },
    serializers: {
      err: pino.stdSerializers.err,
      error: pino.stdSerializers.err,
      // The path may hold a device token: only the route is logged.
      req: (request: { id: string, method: string, routeOptions?: { url?: string } }) => ({ id: request.id, method: request.method, route: request.routeOptions?.url }),
    },
  }
  if (destination !== undefined) return pino(options, destination)
  // A write to a log on a busy disk can take as long as a whole pause. What is left is written when the process exits.
  return process.stdout.isTTY ? pino(options, pretty({ ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l', sync: true })) : pino(options, pino.destination({ sync: false }))
}
