import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { Dirent } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { encodeWav } from '@tacet/audio'
import { topics, type Credential, type Manifest } from '@tacet/contracts'
import { createCloser, createKafka, createLogger, loadConfig, openDatabase, runMigrations, toKafkaMessage, type Database, type Logger } from '@tacet/service-kit'
import { createHttpClient, createTestDatabase, createTestTopics, eventually, kafkaProbe, readStack, type HttpClient, type KafkaProbe } from '@tacet/test-kit'
import { assemblyConfig, migrationsFolder, startRecordingAssembly, type AssemblyConfig } from '../../src/index.ts'

export const logger: Logger = createLogger({ name: 'test', level: process.env['TEST_LOG_LEVEL'] ?? 'silent' })

export interface Surroundings {
  env: Record<string, string>
  config: AssemblyConfig
  database: Database
  spoolDir: string
  recordingsDir: string
  publish (topic: string, type: string, subject: string, data: unknown, id?: string): Promise<void>
  /** Any bytes, as they are. */
  publishRaw (topic: string, message: { key: string, value: string, headers: Record<string, string> }): Promise<void>
  /** Everything in the topics of recordings, audit and dead letters. */
  probe: KafkaProbe
  /** A token of these rights, known to the service as soon as it has read the topic. */
  addCredential (credential: Partial<Credential>): Promise<string>
  putSegment (manifest: Manifest, number: number, samples: Int16Array | Buffer): Promise<void>
  /** All files below the recordings, and all folders of work, by relative path. */
  filesOfRecordings (): Promise<string[]>
  filesOfSpool (): Promise<string[]>
}

/** So short that a test need not wait long until another may take the job of who died; a busy machine may lose it, too. */
export const shortLease = { ASSEMBLY_LEASE_MS: '600' }

/** A database, topics and folders of this test's own. */
export async function surroundings (t: Test, ownEnv: Record<string, string> = {}): Promise<Surroundings> {
  const closer = createCloser({ logger, stepTimeoutMs: 20_000 })
  t.teardown(() => closer.close())
  const { postgres, kafka: { brokers } } = readStack()

  const folder = await mkdtemp(join(tmpdir(), 'tacet-assembly-'))
  closer.add('folder', () => rm(folder, { recursive: true, force: true }))
  const spoolDir = join(folder, 'spool')
  const recordingsDir = join(folder, 'recordings')
  await mkdir(join(spoolDir, 'recording/tacet'), { recursive: true })
  await mkdir(recordingsDir)

  const testDatabase = await createTestDatabase(postgres)
  closer.add('test database', () => testDatabase.drop())
  const url = testDatabase.urls.recording_assembly
  await runMigrations({ url, schema: 'recording_assembly', folder: migrationsFolder, logger })
  const database = openDatabase({ url, name: 'test', logger })
  closer.add('database', () => database.close())

  const testTopics = await createTestTopics(brokers)
  closer.add('topics', () => testTopics.drop())
  const kafka = createKafka({ brokers, clientId: 'test', topicPrefix: testTopics.prefix, logger })
  const producer = kafka.createProducer()
  await producer.connect()
  closer.add('producer', () => producer.disconnect())
  const probe = await kafkaProbe({ brokers, topics: [topics.recordings, topics.audit, 'recording-assembly.dead-letters.v1'].map(topic => testTopics.prefix + topic), from: 'beginning' })
  closer.add('probe', () => probe.close())

  const env = {
    DATABASE_URL: url,
    KAFKA_BROKERS: brokers.join(','),
    KAFKA_TOPIC_PREFIX: testTopics.prefix,
    RECORDINGS_DIR: recordingsDir,
    SPOOL_DIR: spoolDir,
    RATE_LIMIT_PER_MINUTE: '100000',
    LINK_SECRETS: 'the-new-secret-of-the-links-of-this-test,the-old-secret-of-the-links-of-this-test',
    ASSEMBLY_LEASE_MS: '15000',
    ASSEMBLY_MEASURE_AFTER_MS: '0',
    LOG_LEVEL: 'silent',
    ...ownEnv,
  }

  const publishRaw: Surroundings['publishRaw'] = async (topic, message) => {
    await producer.send({ topic: kafka.prefixed(topic), messages: [message] })
  }
  const publish: Surroundings['publish'] = async (topic, type, subject, data, id = randomUUID()) => {
    const message = toKafkaMessage({ id, type, source: 'urn:tacet:test', subject, time: new Date().toISOString(), data })
    await producer.send({ topic: kafka.prefixed(topic), messages: [message] })
  }
  /** While it walks, the service may erase a folder that it has just seen. */
  const entriesIn = async (root: string, attemptsLeft = 10): Promise<Dirent[]> => {
    try {
      return await readdir(root, { recursive: true, withFileTypes: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || attemptsLeft === 0) throw error
      return await entriesIn(root, attemptsLeft - 1)
    }
  }
  const filesIn = async (root: string): Promise<string[]> => {
    const entries = await entriesIn(root)
    return entries.filter(entry => entry.isFile() || entry.parentPath.includes('/.work')).map(entry => join(entry.parentPath, entry.name).slice(root.length + 1)).sort()
  }

  return {
    env,
    config: loadConfig(assemblyConfig, env),
    database,
    spoolDir,
    recordingsDir,
    publish,
    publishRaw,
    probe,
    async addCredential (credential) {
      const token = randomBytes(16).toString('hex')
      const credentialId = randomUUID()
      await publish(topics.credentials, 'credential.changed', credentialId, {
        credentialId, companyId: null, agentId: null, kind: 'api-token', label: '', roles: [], hash: sha256(token), expiresAt: null, revokedAt: null, version: 1, ...credential,
      })
      return token
    },
    async putSegment (manifest, number, samples) {
      const segment = manifest.segments.find(segment => segment.number === number)
      const file = segment?.tracks[0]
      if (file === undefined) throw new Error(`no segment ${number}`)
      const bytes = Buffer.isBuffer(samples) ? samples : encodeWav({ sampleRateHz: file.sampleRateHz, channels: 1, bitsPerSample: 16 }, samples)
      await writeFile(join(spoolDir, 'recording', `${file.name}.${file.format}`), bytes)
    },
    filesOfRecordings: () => filesIn(recordingsDir),
    filesOfSpool: () => filesIn(join(spoolDir, 'recording')),
  }
}

export interface RunningService { call: HttpClient, url: string, adminUrl: string, stop (): Promise<void> }

export async function startService (t: Test, config: AssemblyConfig, log = logger): Promise<RunningService> {
  const closer = createCloser({ logger })
  t.teardown(() => closer.close())
  const { url, adminUrl } = await startRecordingAssembly({ config, logger: log, closer })
  await eventually(async () => (await createHttpClient(adminUrl)('/ready')).status === 200, { timeoutMs: 30_000, message: 'the service did not become ready' })
  return { call: createHttpClient(url), url, adminUrl, stop: () => closer.close() }
}

/** What call-control says when a pause has closed a segment. */
export async function publishClosed (to: Surroundings, { callId, recordingId, companyId, segments }: Manifest, number: number): Promise<void> {
  const segment = segments.find(segment => segment.number === number)
  await to.publish(topics.calls, 'segment.closed', callId, { callId, companyId, recordingId, seq: number, at: segment?.closedAt, segment })
}

/** A logger, and what was written with it. */
export function readableLogger () {
  const lines: Record<string, unknown>[] = []
  return { lines, logger: createLogger({ name: 'test', level: 'info', destination: { write: line => { lines.push(JSON.parse(line)) } } }) }
}

/** What call-control says at the end of a recording. */
export const endedOf = (manifest: Manifest) => ({
  callId: manifest.callId,
  companyId: manifest.companyId,
  seq: 9,
  at: manifest.endedAt,
  recordingId: manifest.recordingId,
  state: 'ended',
  reasons: [],
  endReason: manifest.endReason,
  manifest,
})

export const publishEnded = (to: Surroundings, manifest: Manifest, id?: string): Promise<void> =>
  to.publish(topics.calls, 'recording.ended', manifest.callId, endedOf(manifest), id)

/** Samples that repeat only after 65,521, so that each tells its place. */
export const countingSamples = (count: number, first = 0): Int16Array => Int16Array.from({ length: count }, (_, i) => (first + i) % 65521 - 32760)

export const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex')

/** As the recording has samples that were joined at these places: 5 ms at each side are faded. */
export function joinedAt (samples: Int16Array, ...joins: number[]): Int16Array {
  const gainAt = (distance: number) => distance < 40 ? Math.sin((distance + 0.5) / 40 * Math.PI / 2) ** 2 : 1
  return samples.map((sample, i) => joins.reduce((faded, join) => Math.round(faded * gainAt(i < join ? join - 1 - i : i - join)), sample))
}
