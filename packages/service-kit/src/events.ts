import type { EventAttributes, eventCatalogue } from '@tacet/contracts'
import type { z } from 'zod'

type Catalogue = typeof eventCatalogue
export type TopicName = keyof Catalogue

export type TypeIn<Topic extends TopicName> = keyof Catalogue[Topic] & string
export type DataOf<Topic extends TopicName, Type extends TypeIn<Topic>> = Catalogue[Topic][Type] extends z.ZodType<infer Data> ? Data : never

/** The events of some topics, told apart by `type`. */
export type EventIn<Topic extends TopicName> = {
  [T in Topic]: { [Type in TypeIn<T>]: Omit<EventAttributes, 'type'> & { topic: T, type: Type, data: DataOf<T, Type> } }[TypeIn<T>]
}[Topic]
