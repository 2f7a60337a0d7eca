import { bodyOf, hashWritten, schemaIdOf } from '../contracts/codec.ts';
import { deadLetterOfRecord } from '../contracts/dead-letter.ts';
import type { DeadLetterReason, RecordName } from '../contracts/generated/events.ts';
import { DERIVED_TOPICS, type DerivedEvent, type TopicName } from '../contracts/topics.ts';
import { foreignSchema, NOT_FRAMED, SCHEMA_UNKNOWN, type Foreign } from '../contracts/foreign-record.ts';
import type { LogRecord } from '../platform/kafka/log-record.ts';
import type { RegisteredSchema, Registry } from '../platform/kafka/registry.ts';
import type { ReadRecord } from './sequence-check.ts';
import type { ProjectedEvent, Projector } from './projector.ts';

const SCHEMAS_KEPT_MAX = 1_000;
const EMPTY = Buffer.alloc(0);

const SEQUENCED: ReadonlySet<string> = new Set(DERIVED_TOPICS);

/** Decodes a record; a promise only when its schema must be fetched first. */
export type EventReader = (record: LogRecord) => ReadRecord | Promise<ReadRecord>;

/**
 * A reader of a projector's topics. Unusable records become dead letters, the same at each replay. An outage of the
 * registry rejects with TapeproofError UNREACHABLE, a registry that contradicts the log with REGISTRY_CHANGED, so that
 * neither causes a refused record.
 *
 * @param partitions number of partitions of the tape.
 */
export function createEventReader(
  registry: Pick<Registry, 'schemaOf'>,
  projector: Pick<Projector, 'name' | 'skips'>,
  partitions: number,
): EventReader {
  const schemas = new Map<number, RegisteredSchema>();
  const skips: ReadonlySet<RecordName> = new Set(projector.skips ?? []);

  const dead = (record: LogRecord, reason: DeadLetterReason, detail: string): ReadRecord =>
    deadRecord(projector.name, record, reason, detail);
  const refused = (record: LogRecord, { reason, detail }: Foreign): ReadRecord => dead(record, reason, detail);

  const decode = (record: LogRecord, value: Buffer, schema: RegisteredSchema): ReadRecord => {
    const topic = record.topic as TopicName;
    const { name } = schema;
    const foreign = foreignSchema(topic, name);
    if (foreign !== undefined || name === undefined) return refused(record, foreign ?? SCHEMA_UNKNOWN);
    if (skips.has(name)) return { kind: 'skipped', offset: record.offset };
    const body = bodyOf(value);
    let event: ProjectedEvent['event'];
    try {
      event = schema.read(body);
    } catch {
      return dead(record, 'UNDECODABLE', `its bytes are not a valid ${name}`);
    }
    const { partition, offset } = record;
    if (SEQUENCED.has(topic)) {
      const { sequence, tape } = event as DerivedEvent;
      if (sequence < 0) return dead(record, 'MALFORMED', 'its sequence is negative');
      if (tape.partition !== partition) {
        return dead(record, 'WRONG_PARTITION', `its cause is in partition ${tape.partition} of the tape`);
      }
    }
    const bodyHash = (): Buffer => hashWritten(schema.fingerprint, body);
    const source = { type: name, event, topic, partition, offset, partitions, bodyHash } as ProjectedEvent;
    return { kind: 'event', source };
  };

  const fetchSchema = async (record: LogRecord, value: Buffer, id: number): Promise<ReadRecord> => {
    const schema = await registry.schemaOf(id);
    if (schema === undefined) return refused(record, SCHEMA_UNKNOWN);
    if (schemas.size >= SCHEMAS_KEPT_MAX) schemas.clear();
    schemas.set(id, schema);
    return decode(record, value, schema);
  };

  return (record) => {
    const { value } = record;
    const id = schemaIdOf(value);
    if (id === undefined || value === null) return refused(record, NOT_FRAMED);
    const schema = schemas.get(id);
    return schema === undefined ? fetchSchema(record, value, id) : decode(record, value, schema);
  };
}

function deadRecord(reader: string, record: LogRecord, reason: DeadLetterReason, detail: string): ReadRecord {
  const letter = deadLetterOfRecord(reader, record, record.value ?? EMPTY, { reason, detail });
  return { kind: 'dead', offset: record.offset, letter };
}
