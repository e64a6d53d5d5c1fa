/** The topics of Tacet; partitions and retention are in `infra/kafka/topics.json`. */
export const topics = {
  calls: 'tacet.calls.v1',
  recordings: 'tacet.recordings.v1',
  settings: 'tacet.settings.v1',
  credentials: 'tacet.credentials.v1',
  audit: 'tacet.audit.v1',
} as const

export type ServiceName = 'settings' | 'call-control' | 'recording-assembly'

/** Where a service puts the messages it can't read, as it received them. */
export const deadLetterTopic = (service: ServiceName): string => `${service}.dead-letters.v1`
