import { bodyOf, FRAME_BYTES, hashWritten, schemaIdOf } from '../../contracts/codec.ts';
import { foreignSchema, NOT_FRAMED, SCHEMA_UNKNOWN, type Foreign } from '../../contracts/foreign-record.ts';
import type { EventTypes, RecordName } from '../../contracts/generated/events.ts';
import type { LogRecord } from './log-record.ts';
import type { RegisteredSchema, Registry } from './registry.ts';

type OwnSchema = RegisteredSchema & { readonly name: RecordName };

/** A record that belongs in its topic, not decoded yet: many readers need only its type. */
export class Framed {
  readonly #schema: OwnSchema;
  readonly #value: Buffer;

  constructor(schema: OwnSchema, value: Buffer) {
    this.#schema = schema;
    this.#value = value;
  }

  get name(): RecordName {
    return this.#schema.name;
  }

  /** SHA-256 (hex) of the schema it was written with. */
  get fingerprint(): string {
    return this.#schema.fingerprint;
  }

  /** Avro; shares the record's memory. Cut out of the value only when its bytes are requested. */
  get body(): Buffer {
    return bodyOf(this.#value);
  }

  /** The hash (32 bytes) that equality rests on: SHA-256 of writer fingerprint ‖ body. */
  get hash(): Buffer {
    return hashWritten(this.fingerprint, this.body);
  }

  /** The event; undefined if its bytes do not match its schema: {@link unreadable} gives the reason. */
  read(): EventTypes[RecordName] | undefined {
    try {
      return this.#schema.read(this.#value, FRAME_BYTES);
    } catch {
      return undefined;
    }
  }

  /** Like {@link read}; undefined also for an event of another type. */
  as<Name extends RecordName>(name: Name): EventTypes[Name] | undefined {
    return this.name === name ? (this.read() as EventTypes[Name] | undefined) : undefined;
  }

  get unreadable(): Foreign {
    return { reason: 'UNDECODABLE', detail: `its bytes are not a ${this.name}` };
  }
}

/**
 * A record that belongs in its topic, or why it does not: a tombstone, bytes without a frame, a schema that is unknown
 * or belongs elsewhere. Every reader of a topic begins here.
 *
 * @returns a promise only when the registry must be asked first: for each record of a batch it would take most of the time.
 * @throws TapeproofError UNREACHABLE on an outage of the registry, REGISTRY_CHANGED if it contradicts the log
 *   (trusted-registry.ts), so that neither causes a refused record.
 */
export function framedIn(
  registry: Pick<Registry, 'schemaOf'>,
  { topic, value }: Pick<LogRecord, 'topic' | 'value'>,
): Framed | Foreign | Promise<Framed | Foreign> {
  const id = schemaIdOf(value);
  if (id === undefined || value === null) return NOT_FRAMED;
  const schema = registry.schemaOf(id);
  return schema instanceof Promise
    ? schema.then((answer) => framedBy(answer, topic, value))
    : framedBy(schema, topic, value);
}

function framedBy(schema: RegisteredSchema | undefined, topic: string, value: Buffer): Framed | Foreign {
  if (schema === undefined) return SCHEMA_UNKNOWN;
  return foreignSchema(topic, schema.name) ?? new Framed(schema as OwnSchema, value);
}

/** The event of a record of one type; undefined for any other record. @throws TapeproofError like {@link framedIn} */
export async function eventIn<Name extends RecordName>(
  registry: Pick<Registry, 'schemaOf'>,
  record: Pick<LogRecord, 'topic' | 'value'>,
  name: Name,
): Promise<EventTypes[Name] | undefined> {
  const framed = await framedIn(registry, record);
  return 'reason' in framed ? undefined : framed.as(name);
}
