import { createHash, hash } from 'node:crypto';
import avro from 'avsc';
import { Decimal } from './decimal.ts';
import { SCHEMAS, type EventTypes, type RecordName } from './generated/events.ts';
import { WRITERS } from './generated/plain-writers.ts';
import { writePlain } from './plain-writer.ts';

/** Schemas arrive as parsed JSON; avsc's own type for them is stricter than what it accepts. */
type AvroSchema = avro.Schema;
type TypeHook = NonNullable<avro.ForSchemaOptions['typeHook']>;

/** Avro decimal ⇄ {@link Decimal}. */
class DecimalType extends avro.types.LogicalType {
  protected override _fromValue(bytes: Buffer): Decimal {
    return Decimal.fromBytes(bytes);
  }
  protected override _toValue(value: unknown): Buffer | undefined {
    return value instanceof Decimal ? value.toBytes() : undefined;
  }
  protected override _resolve(writer: avro.Type): ((bytes: Buffer) => Decimal) | undefined {
    return writer.typeName === 'bytes' || writer.typeName === 'logical:decimal'
      ? (bytes) => Decimal.fromBytes(bytes)
      : undefined;
  }
}

/** One bit pattern per value: −0 is written as 0; NaN and infinities are a programming error. */
class CanonicalDoubleType extends avro.types.LogicalType {
  protected override _fromValue(value: number): number {
    return value;
  }
  protected override _toValue(value: unknown): number | undefined {
    return typeof value === 'number' && Number.isFinite(value) ? value + 0 : undefined;
  }
  protected override _resolve(writer: avro.Type): ((value: number) => number) | undefined {
    return ['double', 'float', 'int', 'long'].includes(writer.typeName) ? (value) => value : undefined;
  }
}

/** One byte sequence per map: keys are written in ascending order of their UTF-16 code units. */
class SortedMapType extends avro.types.LogicalType {
  protected override _fromValue(value: Record<string, unknown>): Record<string, unknown> {
    return value;
  }
  protected override _toValue(value: unknown): Record<string, unknown> | undefined {
    if (typeof value !== 'object' || value === null) return undefined;
    return Object.fromEntries(Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1)));
  }
  protected override _resolve(writer: avro.Type): ((value: unknown) => unknown) | undefined {
    return writer.typeName === 'map' ? (value) => value : undefined;
  }
}

const typeHook: TypeHook = (schema, options) => {
  if (schema === 'double') return new CanonicalDoubleType({ type: 'double', logicalType: 'canonical' }, {});
  if (typeof schema === 'object' && 'type' in schema && schema.type === 'map' && !('logicalType' in schema)) {
    return new SortedMapType({ ...schema, logicalType: 'sorted' }, { ...options, typeHook: withinMap });
  }
  return undefined;
};
const withinMap: TypeHook = (schema, options) =>
  typeof schema === 'object' && 'type' in schema && schema.type === 'map' ? undefined : typeHook(schema, options);

function parse(schema: string): avro.Type {
  return avro.Type.forSchema(JSON.parse(schema) as AvroSchema, {
    logicalTypes: { decimal: DecimalType },
    typeHook,
    omitRecordMethods: true,
  });
}

/** Record names, in alphabetical order. */
export const RECORD_NAMES = Object.keys(SCHEMAS).sort() as readonly RecordName[];

const types = Object.fromEntries(RECORD_NAMES.map((name) => [name, parse(SCHEMAS[name])])) as Record<
  RecordName,
  avro.Type
>;

/** SHA-256 of a schema's Avro parsing canonical form, hex. */
export function fingerprintOf(schema: string): string {
  return avro.Type.forSchema(JSON.parse(schema) as AvroSchema)
    .fingerprint('sha256')
    .toString('hex');
}

/** Fingerprint (hex) of the schema that this build writes each record type with. */
export const FINGERPRINTS = Object.fromEntries(
  RECORD_NAMES.map((name) => [name, fingerprintOf(SCHEMAS[name])]),
) as Readonly<Record<RecordName, string>>;

const fingerprintBytes = Object.fromEntries(
  RECORD_NAMES.map((name) => [name, Buffer.from(FINGERPRINTS[name], 'hex')]),
) as Record<RecordName, Buffer>;

const OWN_FINGERPRINTS: ReadonlyMap<string, Buffer> = new Map(
  RECORD_NAMES.map((name) => [FINGERPRINTS[name], fingerprintBytes[name]]),
);

/** The record's Avro body. Values that violate the schema are a programming error and throw. */
export function encodeBody<Name extends RecordName>(name: Name, value: EventTypes[Name]): Buffer {
  return writePlain(WRITERS[name], value) ?? types[name].toBuffer(value);
}

/**
 * Reads a body that was written with this build's schema.
 *
 * @throws Error when the bytes are not such a record, or bytes are left over.
 */
export function decodeBody<Name extends RecordName>(name: Name, body: Buffer): EventTypes[Name] {
  return types[name].fromBuffer(body) as EventTypes[Name];
}

/** Reads a body, which begins at `start` (0 by default) and ends with the bytes, as one record type. */
export type BodyReader<Name extends RecordName> = (bytes: Buffer, start?: number) => EventTypes[Name];

/**
 * A reader for bodies written with another version of the schema. Build it once per schema: a resolver costs a
 * thousand times as much as a decode.
 *
 * @throws Error when the schemas cannot be resolved.
 */
export function readerFor<Name extends RecordName>(name: Name, writerSchema: string): BodyReader<Name> {
  if (fingerprintOf(writerSchema) === FINGERPRINTS[name])
    return (bytes, start) => decodeBody(name, bytes.subarray(start));
  const writer = avro.Type.forSchema(JSON.parse(writerSchema) as AvroSchema);
  const resolver = types[name].createResolver(writer);
  return (bytes, start) => types[name].fromBuffer(bytes.subarray(start), resolver) as EventTypes[Name];
}

/** The hash (32 bytes) behind equality, Merkle roots and comparisons: SHA-256 of writer fingerprint ‖ body. */
export function hashBody(name: RecordName, body: Buffer): Buffer {
  return hashOf(fingerprintBytes[name], body);
}

/** Like {@link hashBody}, for a body written with any schema, given its fingerprint (hex). */
export function hashWritten(fingerprint: string, body: Buffer): Buffer {
  return hashOf(OWN_FINGERPRINTS.get(fingerprint) ?? Buffer.from(fingerprint, 'hex'), body);
}

const HASHED_BYTES_MAX = 16_384;
/** Reused: joining the two in a buffer of their own would cost as much as hashing them. */
const hashed = Buffer.allocUnsafeSlow(HASHED_BYTES_MAX);

function hashOf(fingerprint: Buffer, body: Buffer): Buffer {
  const length = fingerprint.length + body.length;
  const bytes = length <= HASHED_BYTES_MAX ? hashed.subarray(0, length) : Buffer.allocUnsafe(length);
  fingerprint.copy(bytes);
  body.copy(bytes, fingerprint.length);
  // Through text, at half the cost of a buffer, which would be a separate allocation for each hash.
  return Buffer.from(hash('sha256', bytes, 'binary'), 'binary');
}

/** SHA-256, hex. */
export function sha256Hex(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const MAGIC = 0;
/** Where the body of a framed value begins. */
export const FRAME_BYTES = 5;

/** Confluent wire format: a zero byte, the registry's id (big-endian), the Avro body. */
export function frame(schemaId: number, body: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(FRAME_BYTES + body.length);
  framed.writeUInt8(MAGIC, 0);
  framed.writeInt32BE(schemaId, 1);
  body.copy(framed, FRAME_BYTES);
  return framed;
}

/** The registry's id of a framed value; undefined where it is not framed. */
export function schemaIdOf(value: Buffer | null): number | undefined {
  if (value === null || value.length < FRAME_BYTES || value[0] !== MAGIC) return undefined;
  return value.readInt32BE(1);
}

/** The Avro body of a framed value; the same memory. */
export function bodyOf(value: Buffer): Buffer {
  return value.subarray(FRAME_BYTES);
}
