import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBody, encodeBody, RECORD_NAMES } from './codec.ts';
import { Decimal } from './decimal.ts';
import { anyEvent } from './fixtures/any-event.ts';
import type { RecordName } from './generated/events.ts';
import { FieldTable, fieldTableOf, longAt, type PlainField } from './plain-fields.ts';

/** A located value as the decoder gives it. */
function valueOf(table: FieldTable, field: PlainField, body: Buffer, row = 0): unknown {
  const begin = table.begin[row + field.slot] ?? -1;
  const end = table.end[row + field.slot] ?? 0;
  if (begin < 0) return null;
  if (field.kind === 'text') return body.toString('utf8', begin, end);
  if (field.kind === 'bytes') return body.subarray(begin, end);
  if (field.kind === 'decimal') return Decimal.fromBytes(body, begin, end);
  if (field.kind === 'double') return body.readDoubleLE(begin);
  if (field.kind === 'boolean') return body[begin] === 1;
  if (field.kind === 'symbol') return field.symbols[longAt(body, begin)];
  const { elements } = field;
  if (elements === undefined) return longAt(body, begin);
  const rows = Array.from({ length: elements.count }, (_, index) => index * elements.stride);
  const of = (name: string, at: number): unknown => {
    const found = elements.fields.get(name);
    return found === undefined ? undefined : valueOf(elements, found, body, at);
  };
  if (elements.fields.has('key')) return Object.fromEntries(rows.map((at) => [of('key', at), of('value', at)]));
  if (elements.fields.has('value')) return rows.map((at) => of('value', at));
  return rows.map((at) => Object.fromEntries([...elements.fields.keys()].map((name) => [name, of(name, at)])));
}

function decodedAt(event: unknown, path: string): unknown {
  return path.split('.').reduce((value, name) => (value as Record<string, unknown> | null)?.[name] ?? null, event);
}

function damaged(body: Buffer, { keep, at, byte, tail }: Damage): Buffer {
  const whole = Buffer.concat([body, tail]);
  whole[Math.floor(at * (whole.length - 1))] = byte;
  return whole.subarray(0, Math.ceil(keep * whole.length));
}

interface Damage {
  readonly keep: number;
  readonly at: number;
  readonly byte: number;
  readonly tail: Uint8Array;
}

const damage: fc.Arbitrary<Damage> = fc.record({
  keep: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  byte: fc.integer({ min: 0, max: 255 }),
  tail: fc.uint8Array({ maxLength: 2 }),
});

function agrees(name: RecordName, body: Buffer): boolean {
  const table = fieldTableOf(name);
  if (!table.locate(body)) return false;
  // It must not throw: what is located is never a dead letter.
  const event = decodeBody(name, body);
  for (const [path, field] of table.fields) expect(valueOf(table, field, body)).toEqual(decodedAt(event, path));
  return true;
}

describe('FieldTable', () => {
  it.each(RECORD_NAMES)('finds the fields of %s where the decoder reads them', (name) => {
    let located = 0;
    fc.assert(
      fc.property(anyEvent(name), (event) => {
        if (agrees(name, encodeBody(name, event as never))) located += 1;
      }),
      { numRuns: 300 },
    );
    expect(located).toBeGreaterThan(10);
  });

  it.each(RECORD_NAMES)('finds nothing in bytes that are not a %s', (name) => {
    fc.assert(
      fc.property(anyEvent(name), damage, (event, change) => {
        agrees(name, damaged(encodeBody(name, event as never), change));
      }),
      { numRuns: 500 },
    );
  });

  const one = (type: unknown, hex: string): boolean => {
    const schema = { type: 'record', fields: [{ name: 'it', type }] } as ConstructorParameters<typeof FieldTable>[0];
    return new FieldTable(schema).locate(Buffer.from(hex, 'hex'));
  };

  it.each([
    ['a number below 2^53', 'long', 'feffffffffffff0f', true],
    ['a number beyond', 'long', '8080808080808010', false],
    ['a number in nine bytes', 'long', '808080808080808001', false],
    ['infinity', 'double', '000000000000f07f', false],
    ['the largest double', 'double', 'ffffffffffffef7f', true],
    ['a negative length', 'string', '01', false],
    ['text that goes beyond the end', 'string', '0461', false],
    ['a second block of a list', { type: 'array', items: 'boolean' }, '0201020100', false],
    ['a block with its length', { type: 'array', items: 'boolean' }, '01020100', false],
    ['64 elements', { type: 'array', items: 'boolean' }, `8001${'01'.repeat(64)}00`, true],
    ['65 elements', { type: 'array', items: 'boolean' }, `8201${'01'.repeat(65)}00`, false],
    ['another union', ['null', 'boolean'], '0401', false],
    ['neither true nor false', 'boolean', '02', false],
    ['a symbol that is not in the schema', { type: 'enum', symbols: ['A'] }, '02', false],
    ['a negative decimal', { type: 'bytes', logicalType: 'decimal' }, '02ff', false],
    ['a byte too much', 'boolean', '0100', false],
  ])('is careful with %s', (_, type, hex, isPlain) => {
    expect(one(type, hex)).toBe(isPlain);
  });
});
