import { deadLetterOfRecord } from '../contracts/dead-letter.ts';
import type { RecordName } from '../contracts/generated/events.ts';
import { DERIVED_TOPICS, type DerivedEvent, type TopicName } from '../contracts/topics.ts';
import type { Foreign } from '../contracts/foreign-record.ts';
import { framedIn, type Framed } from '../platform/kafka/framed-record.ts';
import type { LogRecord } from '../platform/kafka/log-record.ts';
import type { Registry } from '../platform/kafka/registry.ts';
import type { ReadRecord } from './sequence-check.ts';
import type { ProjectedEvent, ProjectorOf } from './projector.ts';
import type { WindowReader } from './tape-windows.adapter.ts';

const EMPTY = Buffer.alloc(0);

const SEQUENCED: ReadonlySet<string> = new Set(DERIVED_TOPICS);

/** Decodes a record; a promise only when its schema must be fetched first, or when the projector needs a window of the tape. */
export type EventReader = (record: LogRecord) => ReadRecord | Promise<ReadRecord>;

/**
 * A reader of a projector's topics. What cannot be used becomes a dead letter, the same at each replay; an outage of the
 * registry rejects with TapeproofError UNREACHABLE, one that contradicts the log with REGISTRY_CHANGED, so that no record is
 * refused for it.
 *
 * @param partitions number of partitions of the tape.
 * @param fill reads the windows that the projector asks for.
 */
export function createEventReader(
  registry: Pick<Registry, 'schemaOf'>,
  projector: Pick<ProjectorOf<never>, 'name' | 'skips' | 'window'>,
  partitions: number,
  fill?: WindowReader,
): EventReader {
  const skips: ReadonlySet<RecordName> = new Set(projector.skips ?? []);

  const dead = (record: LogRecord, why: Foreign): ReadRecord => {
    const letter = deadLetterOfRecord(projector.name, record, record.value ?? EMPTY, why);
    return { kind: 'dead', offset: record.offset, letter };
  };

  const withWindow = (read: ReadRecord): ReadRecord | Promise<ReadRecord> => {
    if (projector.window === undefined || fill === undefined || read.kind !== 'event') return read;
    const { source } = read;
    const window = projector.window(source);
    if (window === undefined) return read;
    return fill(source.partition, window).then(() => ({ kind: 'event', source: { ...source, window } }));
  };

  const decode = (record: LogRecord, framed: Framed | Foreign): ReadRecord => {
    if ('reason' in framed) return dead(record, framed);
    const { name } = framed;
    if (skips.has(name)) return { kind: 'skipped', offset: record.offset };
    const event = framed.read();
    if (event === undefined) return dead(record, framed.unreadable);
    const topic = record.topic as TopicName;
    const { partition, offset } = record;
    if (SEQUENCED.has(topic)) {
      const { sequence, tape } = event as DerivedEvent;
      if (sequence < 0) return dead(record, { reason: 'MALFORMED', detail: 'its sequence is negative' });
      if (tape.partition !== partition) {
        const detail = `its cause is in partition ${tape.partition} of the tape`;
        return dead(record, { reason: 'WRONG_PARTITION', detail });
      }
    }
    const bodyHash = (): Buffer => framed.hash;
    const source = { type: name, event, topic, partition, offset, partitions, bodyHash } as ProjectedEvent;
    return { kind: 'event', source };
  };

  return (record) => {
    const framed = framedIn(registry, record);
    return framed instanceof Promise
      ? framed.then((found) => withWindow(decode(record, found)))
      : withWindow(decode(record, framed));
  };
}
