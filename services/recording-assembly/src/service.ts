import { mkdir } from 'node:fs/promises'
import { deadLetterTopic, topics } from '@tacet/contracts'
import { v7 as uuidv7 } from 'uuid'
import { createAdminApp, createAuthenticator, createKafka, createMetrics, createReached, createRelay, createReplica, createUpkeep, openDatabase, type Closer, type Logger } from '@tacet/service-kit'
import { createAssemblyWorker, createPorts } from './assembly.ts'
import type { AssemblyConfig } from './config.ts'
import { crashPoints, createMarks } from './crash-points.ts'
import { outbox, replica } from './db/schema.ts'
import { createAssemblyApp } from './http/app.ts'
import { consumeCallEvents } from './intake/call-events.ts'
import { createAuditLog } from './adapters/audit.ts'
import { createJobDesk } from './adapters/postgres-job-desk.ts'
import { createClearWork } from './usecases/clear-work.ts'
import { createExpireRecordings } from './usecases/expire-recordings.ts'
import { createFormatFiles } from './usecases/format-files.ts'
import { createListen } from './usecases/listen.ts'
import { createManageJobs } from './usecases/manage-jobs.ts'
import { createManageRecording } from './usecases/manage-recording.ts'
import { createExportVcon } from './usecases/export-vcon.ts'
import { createReadPeaks } from './usecases/read-peaks.ts'
import { createRewrapKeys } from './usecases/rewrap-keys.ts'
import { createReadRecording } from './usecases/read-recording.ts'
import { createReceiveSegment } from './usecases/receive-segment.ts'
import { createReceiveManifest } from './usecases/receive-manifest.ts'

/** No attempt takes a day. */
const STALE_WORK_MS = 24 * 3_600_000

const name = 'recording-assembly'
const version = '1.0.0'

export interface AssemblyContext {
  config: AssemblyConfig
  logger: Logger
  closer: Closer
}

/** Starts the service and resolves when it listens; database, Kafka and PBX may still be away. */
export async function startRecordingAssembly ({ config, logger, closer }: AssemblyContext): Promise<{ url: string, adminUrl: string }> {
  const metrics = createMetrics({ name })
  await mkdir(config.recordingsDir, { recursive: true })

  const database = openDatabase({ url: config.databaseUrl, name, logger })
  closer.add('database', () => database.close())

  const kafka = createKafka({ brokers: config.kafkaBrokers, clientId: name, topicPrefix: config.kafkaTopicPrefix, logger })
  const marks = createMarks(createReached(config, crashPoints))
  const relay = createRelay({ database, table: outbox, kafka, source: 'urn:tacet:recording-assembly', logger, metrics, onSent: marks.sent })
  const credentials = createReplica({ topic: topics.credentials, name, kafka, database, table: replica, deadLetterTopic: deadLetterTopic(name), logger, metrics })

  const ports = marks.ports(createPorts({ config, database, onEvents: () => relay.wake(), onJob: () => worker.wake() }))
  closer.add('segment source', () => ports.source.close())
  const worker = createAssemblyWorker(ports, { config, logger, metrics, marks })
  const { recordings, source, store, keys, workDirs, copies, files, encoder } = ports
  closer.add('store', () => store.close())
  const onReceived = (): void => {
    marks.taken()
    worker.wake()
  }
  const consumer = consumeCallEvents({
    kafka, database, logger, metrics, receiveManifest: createReceiveManifest({ recordings }), receiveSegment: createReceiveSegment({ copies }), onReceived,
  })

  const admin = createAdminApp({
    name,
    version,
    logger,
    metrics,
    checks: {
      database: () => database.check(),
      credentials: () => credentials.check(),
      callEvents: () => consumer.check(),
      outbox: () => relay.check(),
      worker: () => worker.check(),
      store: () => store.check(),
      // Without it there are still WAVs.
      encoder: async () => {
        const { isOk, ...why } = await encoder.check()
        return { isOk: true, isThere: isOk, ...why }
      },
      // Finished recordings are served without the PBX.
      segments: async () => await source.check().catch(error => ({ isOk: true, isReachable: false, error: String(error) })),
    },
  })
  closer.add('admin', () => admin.close())
  const adminUrl = await admin.listen({ host: config.httpHost, port: config.adminPort })

  relay.start()
  closer.add('relay', () => relay.stop())
  await credentials.start()
  closer.add('credentials', () => credentials.stop())
  worker.start()
  closer.add('worker', () => worker.stop())
  consumer.start()
  closer.add('consumer', () => consumer.stop())

  const moment = () => ({ at: new Date().toISOString(), auditId: uuidv7() })
  const audit = createAuditLog({ database, onEvents: () => relay.wake() })
  const upkeep = createUpkeep({
    logger,
    tasks: {
      retention: createExpireRecordings({ recordings, moment, logger }),
      keys: createRewrapKeys({ keys, logger }),
      sittings: () => recordings.forgetSittings(),
      work: createClearWork({ workDirs, recordings, logger }),
      folders: () => workDirs.sweep(STALE_WORK_MS),
      copies: () => copies.forget(STALE_WORK_MS),
    },
  })
  upkeep.start()
  closer.add('upkeep', () => upkeep.stop())

  const app = await createAssemblyApp({
    readRecording: createReadRecording({ recordings, store }),
    listen: createListen({ recordings, store, formats: createFormatFiles({ files, encoder, now: Date.now }), linkSecrets: config.linkSecrets, moment }),
    manageRecording: createManageRecording({ recordings, audit, store, moment, newId: uuidv7 }),
    manageJobs: createManageJobs({ desk: createJobDesk({ database, onEvents: () => relay.wake(), onJob: () => worker.wake() }), audit, moment }),
    exportVcon: createExportVcon({ recordings, store, files, now: Date.now }),
    readPeaks: createReadPeaks({ recordings, store, files, now: Date.now }),
    authenticator: createAuthenticator(credentials),
    appendAudit: entry => audit.append(entry),
    logger,
    metrics,
    rateLimitPerMinute: config.rateLimitPerMinute,
    trustProxy: config.trustProxy,
    publicUrl: config.publicUrl,
  })
  closer.add('http', () => app.close())
  const url = await app.listen({ host: config.httpHost, port: config.httpPort })

  const { isOk: canEncode, detail } = await encoder.check()
  if (!canEncode) logger.warn({ ffmpeg: config.ffmpeg, detail }, 'ffmpeg is missing: recordings can only be had as WAV')
  logger.info({ url, adminUrl, segments: config.spoolDir === undefined ? 'ari' : 'folder' }, 'recording-assembly listening')
  return { url, adminUrl }
}
