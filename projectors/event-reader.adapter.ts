import { deadLetterOfRecord } from '../contracts/dead-letter.ts';
import { FINGERPRINTS } from '../contracts/codec.ts';
import type { EventTypes, RecordName } from '../contracts/generated/events.ts';
import { fieldTableOf, longAt } from '../contracts/plain-fields.ts';
import { DERIVED_TOPICS, type DerivedEvent, type TopicName } from '../contracts/topics.ts';
import type { Foreign } from '../contracts/foreign-record.ts';
import { framedIn, type Framed } from '../platform/kafka/framed-record.ts';
import type { LogRecord } from '../platform/kafka/log-record.ts';
import type { Registry } from '../platform/kafka/registry.ts';
import type { ReadRecord } from './sequence-check.ts';
import type { ProjectedEvent, ProjectorOf, Source } from './projector.ts';
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
  projector: Pick<ProjectorOf<never>, 'name' | 'skips' | 'window' | 'fieldRows'>,
  partitions: number,
  fill?: WindowReader,
): EventReader {
  const skips: ReadonlySet<RecordName> = new Set(projector.skips ?? []);
  const placed: ReadonlySet<string> = new Set(Object.keys(projector.fieldRows ?? {}));

  const dead = (record: LogRecord, why: Foreign): ReadRecord => {
    const letter = deadLetterOfRecord(projector.name, record, record.value ?? EMPTY, why);
    return { kind: 'dead', offset: record.offset, letter };
  };

  const withWindow = (read: ReadRecord): ReadRecord | Promise<ReadRecord> => {
    if (projector.window === undefined || fill === undefined || read.kind !== 'event') return read;
    const { source } = read;
    const window = projector.window(source);
    if (window === undefined) return read;
    return fill(source.partition, window).then(() => {
      return { kind: 'event', source: Object.assign(source, { window }), sequence: read.sequence };
    });
  };

  const decode = (record: LogRecord, framed: Framed | Foreign): ReadRecord => {
    if ('reason' in framed) return dead(record, framed);
    if (skips.has(framed.name)) return { kind: 'skipped', offset: record.offset };
    const plain = placed.has(framed.name) ? placeIn(framed) : undefined;
    const event = plain === undefined ? framed.read() : undefined;
    if (plain === undefined && event === undefined) return dead(record, framed.unreadable);
    const source = new ReadEvent(framed, record, partitions, event, plain?.body) as ProjectedEvent;
    if (!SEQUENCED.has(record.topic)) return { kind: 'event', source, sequence: undefined };
    const { sequence, tape } = plain ?? (event as DerivedEvent);
    if (sequence < 0) return dead(record, { reason: 'MALFORMED', detail: 'its sequence is negative' });
    if (tape.partition !== record.partition) {
      const detail = `its cause is in partition ${tape.partition} of the tape`;
      return dead(record, { reason: 'WRONG_PARTITION', detail });
    }
    return { kind: 'event', source, sequence };
  };

  return (record) => {
    const framed = framedIn(registry, record);
    return framed instanceof Promise
      ? framed.then((found) => withWindow(decode(record, found)))
      : withWindow(decode(record, framed));
  };
}

/** An event as far as a copying sink needs it. */
interface Placed {
  readonly body: Buffer;
  readonly sequence: number;
  readonly tape: { readonly partition: number };
}

/** Undefined where the event has to be decoded: another version wrote it, or its bytes are not plain. */
function placeIn(framed: Framed): Placed | undefined {
  const { name, body } = framed;
  if (framed.fingerprint !== FINGERPRINTS[name]) return undefined;
  const table = fieldTableOf(name);
  if (!table.locate(body)) return undefined;
  const numberAt = (path: string): number => longAt(body, table.begin[table.fields.get(path)?.slot ?? 0] ?? 0);
  return { body, sequence: numberAt('sequence'), tape: { partition: numberAt('tape.partition') } };
}

/** An event at its position in the log, decoded when its fields are first asked for. */
class ReadEvent implements Source {
  readonly type: RecordName;
  readonly topic: TopicName;
  readonly partition: number;
  readonly offset: number;
  readonly partitions: number;
  readonly plainBody?: Buffer;
  readonly bodyHash: () => Buffer;
  readonly #framed: Framed;
  #event: EventTypes[RecordName] | undefined;

  constructor(
    framed: Framed,
    { topic, partition, offset }: LogRecord,
    partitions: number,
    event: EventTypes[RecordName] | undefined,
    plainBody: Buffer | undefined,
  ) {
    this.type = framed.name;
    this.topic = topic as TopicName;
    this.partition = partition;
    this.offset = offset;
    this.partitions = partitions;
    if (plainBody !== undefined) this.plainBody = plainBody;
    this.bodyHash = () => framed.hash;
    this.#framed = framed;
    this.#event = event;
  }

  get event(): EventTypes[RecordName] {
    this.#event ??= this.#framed.read();
    if (this.#event === undefined) throw new RangeError('plain bytes can be read');
    return this.#event;
  }
}
