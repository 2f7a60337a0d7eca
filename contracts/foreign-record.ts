import type { DeadLetterReason, RecordName } from './generated/events.ts';
import { DERIVED_TOPICS, TOPICS, type DerivedTopic } from './topics.ts';

const RECORDS_OF: ReadonlyMap<string, ReadonlySet<RecordName>> = new Map(
  TOPICS.map(({ name, records }) => [name, new Set(records)]),
);
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
  if (RECORDS_OF.get(topic)?.has(name) === true) return undefined;
  return { reason: 'MALFORMED', detail: `a ${name} has no place in ${topic}` };
}

/** True for a topic that only engines write to. */
export function isDerived(topic: string): topic is DerivedTopic {
  return DERIVED.has(topic);
}
