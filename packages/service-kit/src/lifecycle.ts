import closeWithGrace from 'close-with-grace'
import { ConfigError, loadConfig, redacted, type ConfigOf, type ConfigShape } from './config.ts'
import { deadline } from './deadline.ts'
import { createLogger, type Logger } from './logging.ts'

export interface Closer {
  /** Registers how to release something just opened. After `close()` began, it is released at once. */
  add (name: string, close: () => unknown): void
  /** Releases everything, last opened first; goes on after a failure, and rejects with all failures at the end. */
  close (): Promise<void>
}

export interface CloserOptions {
  logger?: Logger
  /** How long any one resource may take. */
  stepTimeoutMs?: number
}

export function createCloser ({ logger, stepTimeoutMs = 8_000 }: CloserOptions = {}): Closer {
  const open: { name: string, close: () => unknown }[] = []
  const failures: unknown[] = []
  let closing: Promise<void> | undefined

  async function closeOne ({ name, close }: { name: string, close: () => unknown }): Promise<void> {
    try {
      await deadline(Promise.resolve().then(close), stepTimeoutMs, () => new Error(`closing ${name} took more than ${stepTimeoutMs} ms`))
      logger?.debug({ resource: name }, 'resource closed')
    } catch (err) {
      failures.push(err)
      logger?.error({ err, resource: name }, 'resource not closed cleanly')
    }
  }

  async function closeAll (): Promise<void> {
    for (let resource = open.pop(); resource !== undefined; resource = open.pop()) await closeOne(resource)
    reportFailures()
  }

  function reportFailures (): void {
    if (failures.length > 0) throw new AggregateError(failures, 'some resources were not closed cleanly')
  }

  return {
    add (name, close) {
      if (closing === undefined) open.push({ name, close })
      else closing = Promise.allSettled([closing, closeOne({ name, close })]).then(() => reportFailures())
    },
    close () {
      closing ??= closeAll()
      return closing
    },
  }
}

export interface ServiceContext<Config> {
  config: Config
  logger: Logger
  closer: Closer
}

type ShapeWithLogLevel = ConfigShape & { logLevel: ConfigShape[string] }

export interface RunServiceOptions<Shape extends ShapeWithLogLevel> {
  name: string
  config: Shape
  /** The composition root. What it opens, it registers with the closer. */
  start: (context: ServiceContext<ConfigOf<Shape>>) => Promise<unknown>
  shutdownBudgetMs?: number
  env?: Record<string, string | undefined>
}

/**
 * The process edge of a service. Exits 0 after a signal, 1 when the configuration is wrong, the start fails,
 * something was thrown that nobody caught, or the shutdown took longer than its budget.
 */
export async function runService<const Shape extends ShapeWithLogLevel> (options: RunServiceOptions<Shape>): Promise<void> {
  const { name, start, shutdownBudgetMs = 15_000, env = process.env } = options
  const config = loadConfigOrExit(options.config, name, env)
  const logger = createLogger({ name, level: String(config.logLevel) })
  const closer = createCloser({ logger })

  closeWithGrace({
    delay: shutdownBudgetMs,
    logger: false,
    skip: ['beforeExit', 'SIGHUP'],
    onTimeout: () => logger.fatal({ shutdownBudgetMs }, 'service did not stop in time'),
    onSecondError: err => logger.fatal({ err }, 'second error while stopping'),
  }, async ({ err, signal }) => {
    if (err !== undefined) logger.fatal({ err }, 'uncaught error')
    logger.info({ signal }, 'service stopping')
    await closer.close()
    logger.info('service stopped')
  })

  try {
    logger.info({ config: redacted(options.config, config) }, 'service starting')
    await start({ config, logger, closer })
    logger.info('service started')
  } catch (err) {
    // A wrong configuration is the operator's to mend: the stack would only hide the sentence.
    if (err instanceof ConfigError) logger.fatal({ reason: err.message }, 'service failed to start')
    else logger.fatal({ err }, 'service failed to start')
    await deadline(closer.close(), shutdownBudgetMs, () => new Error('shutdown budget spent')).catch(() => {})
    process.exit(1)
  }
}

function loadConfigOrExit<Shape extends ConfigShape> (shape: Shape, name: string, env: Record<string, string | undefined>): ConfigOf<Shape> {
  try {
    return loadConfig(shape, env)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`${name}: ${error.message}\n`)
    process.exit(1)
  }
}
