import { createLogger, openDatabase } from '@tacet/service-kit'
import { clockOf } from './services.ts'
import { messageOf, ok, unknown, warning, wrong, type Finding } from './finding.ts'

const schemas = ['settings', 'call_control', 'recording_assembly'] as const

/** Each service's role: whether it gets in, finds its tables, and has events that could not be published. */
export async function checkDatabase (urls: Partial<Record<typeof schemas[number], string>>): Promise<Finding[]> {
  const known = schemas.filter(schema => urls[schema] !== undefined)
  if (known.length === 0) return [unknown('database', 'its address is not known', 'set TACET_DATABASE_URL_SETTINGS, _CALL_CONTROL and _RECORDING_ASSEMBLY to the services\' DATABASE_URL')]
  return (await Promise.all(known.map(schema => checkSchema(schema, urls[schema] ?? '')))).flat()
}

async function checkSchema (schema: string, url: string): Promise<Finding[]> {
  const check = `database: ${schema}`
  const database = openDatabase({ url, name: 'tacet-doctor', logger: createLogger({ name: 'doctor', level: 'silent' }), maxConnections: 1 })
  try {
    const client = await database.connect()
    try {
      const { rows: [clock] } = await client.query<{ now: Date }>('select clock_timestamp() as now')
      const { rows: [exists] } = await client.query<{ outbox: string | null }>('select to_regclass($1) as outbox', [`${schema}.outbox`])
      if (exists?.outbox === null) return [wrong(check, 'its tables are missing', `run the migration of the service: node services/${schema.replace('_', '-')}/dist/db/migrate.js`)]
      const { rows: [outbox] } = await client.query<{ parked: string, waiting: string }>(
        `select count(*) filter (where parked_at is not null) as parked, count(*) filter (where published_at is null and parked_at is null and occurred_at < now() - interval '1 minute') as waiting from ${schema}.outbox`)
      const { parked = '0', waiting = '0' } = outbox ?? {}
      return [
        ok(check, 'reached, its tables are there'),
        parked === '0' ? ok(`${check} events`, 'none given up') : warning(`${check} events`, `${parked} could not be published and were given up`, `look at last_error in ${schema}.outbox`),
        ...(waiting === '0' ? [] : [warning(`${check} events`, `${waiting} wait for more than a minute`, 'look whether Kafka runs and the service too')]),
        clockOf(`${check} clock`, clock?.now.toUTCString() ?? null),
      ]
    } finally {
      await client.end()
    }
  } catch (error) {
    return [wrong(check, `not reached (${messageOf(error)})`, 'look whether PostgreSQL runs, and at user and password')]
  } finally {
    await database.close()
  }
}
