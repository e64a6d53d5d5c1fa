import { Kafka, logLevel, type Admin } from 'kafkajs'
import type { Test } from 'tap'
import { topics } from '@tacet/contracts'
import type { ServiceName } from '@tacet/stack'
import { eventually } from '@tacet/test-kit'
import { auditOf } from '../support/proof.ts'
import type { World } from './play.ts'

const groups: { service: ServiceName, groupId: string, topic: string }[] = [
  { service: 'recording-assembly', groupId: 'recording-assembly', topic: 'tacet.calls.v1' },
  { service: 'settings', groupId: 'settings.audit', topic: 'tacet.audit.v1' },
]

/** Everything that was ever published is published once more, the groups begin again at the beginning, and read it all: nobody takes anything for new. */
export async function replayKafka (world: World, t: Test): Promise<void> {
  const { tacet, ground } = world
  const kafka = new Kafka({ brokers: ground.stack.kafka.brokers, logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  try {
    const before = await auditWhenComplete(admin, world)
    await publishAgain(kafka, world)
    await Promise.all(groups.map(async ({ service }) => await tacet.services[service].kill('SIGTERM')))
    for (const { groupId, topic } of groups) await admin.resetOffsets({ groupId: tacet.topicPrefix + groupId, topic: tacet.topicPrefix + topic, earliest: true })
    await Promise.all(groups.map(async ({ service }) => await tacet.start(service)))
    await eventually(async () => await haveReadAll(admin, world), { timeoutMs: 60_000, intervalMs: 200, message: 'not everything was read again' })
    t.same(await auditNow(world), before, 'the audit log has each entry as before')
    t.match((await tacet.settings('/v1/audit/verify')).body, { isIntact: true })
  } finally {
    await admin.disconnect()
  }
}

/** No service has anything left to publish, and the probe has all that they did. */
async function isEverythingHere (admin: Admin, { tacet: { services, topicPrefix, probe } }: World): Promise<boolean> {
  const metrics = await Promise.all(Object.values(services).map(async ({ adminUrl }) => await (await fetch(`${adminUrl}/metrics`)).text()))
  const ends = await admin.fetchTopicOffsets(topicPrefix + topics.audit)
  return metrics.every(text => /^tacet_outbox_backlog\{[^}]*\} 0$/m.test(text)) &&
    probe.events.filter(({ topic }) => topic === topicPrefix + topics.audit).length === ends.reduce((sum, { high }) => sum + Number(high), 0)
}

async function publishAgain (kafka: Kafka, { tacet }: World): Promise<void> {
  const producer = kafka.producer()
  await producer.connect()
  for (const { topic, key, headers, data } of [...tacet.probe.events]) {
    await producer.send({ topic, messages: [{ key: key ?? null, headers, value: data === null ? null : JSON.stringify(data) }] })
  }
  await producer.disconnect()
}

async function haveReadAll (admin: Admin, { tacet: { topicPrefix } }: World): Promise<boolean> {
  const behind = await Promise.all(groups.map(async ({ groupId, topic }) => {
    const ends = await admin.fetchTopicOffsets(topicPrefix + topic)
    const [committed] = await admin.fetchOffsets({ groupId: topicPrefix + groupId, topics: [topicPrefix + topic] })
    return ends.filter(({ partition, high }) => high !== '0' && committed?.partitions.find(found => found.partition === partition)?.offset !== high)
  }))
  return behind.every(partitions => partitions.length === 0)
}

/** Of every call, in their order, as the settings service serves them, and how long each chain is. */
async function auditNow ({ tacet, history }: World): Promise<Record<string, unknown>> {
  const calls = await Promise.all(history.lines.map(async ({ talk: { callId } }) => {
    const { body } = await tacet.settings(`/v1/audit?callId=${callId}&limit=500`)
    return [callId, body.items.map(({ auditId }: { auditId: string }) => auditId)] as const
  }))
  const { body } = await tacet.settings('/v1/audit/verify')
  return { ...Object.fromEntries(calls), chains: body.chains.map(({ chain, entries }: { chain: string, entries: number }) => [chain, entries]) }
}

async function auditWhenComplete (admin: Admin, world: World): Promise<Record<string, unknown>> {
  return await eventually(async () => {
    if (!await isEverythingHere(admin, world)) return false
    const audit = await auditNow(world)
    const isWhole = world.history.lines.every(({ talk: { callId } }) => (audit[callId] as string[]).length === new Set(auditOf(world.tacet, callId).map(({ auditId }) => auditId)).size)
    return isWhole && audit
  }, { timeoutMs: 20_000, intervalMs: 200, message: 'the audit log does not hold what was published' })
}
