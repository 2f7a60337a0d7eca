import type { DeadLetterReason, RecordName } from './generated/events.ts';
import { DERIVED_TOPICS, TOPICS, type DerivedTopic } from './topics.ts';

const TOPICS_OF = new Map<RecordName, string[]>();
for (const { name: topic, records } of TOPICS) {
  for (const name of records) TOPICS_OF.set(name, [...(TOPICS_OF.get(name) ?? []), topic]);
}
const DERIVED: ReadonlySet<string> = new Set(DERIVED_TOPICS);

/** Why a record is not one of its topic. */
export interface Foreign {
  readonly reason: DeadLetterReason;
  /** For people: continues "the record cannot be used: ". */
  readonly detail: string;
}

export const NOT_FRAMED: Foreign = {
  reason: 'UNDECODABLE',
  detail: 'it is not framed as the schema registry frames records',
};
export const SCHEMA_UNKNOWN: Foreign = {
  reason: 'UNKNOWN_SCHEMA',
  detail: 'the registry does not know its schema',
};

/** Whether a schema's records belong in a topic: every reader asks here. @returns undefined where they do. */
export function foreignSchema(topic: string, name: RecordName | undefined): Foreign | undefined {
  if (name === undefined) return { reason: 'UNKNOWN_SCHEMA', detail: 'its schema is none of Tapeproof' };
  if (TOPICS_OF.get(name)?.includes(topic) === true) return undefined;
  return { reason: 'MALFORMED', detail: `a ${name} has no place in ${topic}` };
}

/** True for a topic that only engines write to. */
export function isDerived(topic: string): topic is DerivedTopic {
  return DERIVED.has(topic);
}
