import avro from 'avsc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBody, encodeBody, RECORD_NAMES } from './codec.ts';
import { Decimal } from './decimal.ts';
import { SCHEMAS, type EventTypes, type RecordName, type Trade } from './generated/events.ts';
import { WRITERS } from './generated/plain-writers.ts';
import { writeInt, writeMap, writePlain } from './plain-writer.ts';
import type { SchemaJson } from './schema-json.ts';

/** A value as our types have it, and as avsc writes it without any type of ours. */
interface Pair {
  readonly ours: unknown;
  readonly avro: unknown;
}

const same = (arbitrary: fc.Arbitrary<unknown>): fc.Arbitrary<Pair> =>
  arbitrary.map((value) => ({ ours: value, avro: value }));
const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ maxLength: 200 }),
  fc.constantFrom('', 'σ(|L|) × −1'),
);
const key = fc.string({ minLength: 1 }).filter((name) => name.charCodeAt(0) > 0x39 && name !== '__proto__');

const PRIMITIVES: Readonly<Record<string, fc.Arbitrary<Pair>>> = {
  null: same(fc.constant(null)),
  boolean: same(fc.boolean()),
  int: same(fc.integer()),
  long: same(
    fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -300, max: 300 }), fc.constantFrom(2 ** 28, 2 ** 27 - 1)),
  ).filter(({ ours }) => Math.abs(ours as number) < Number.MAX_SAFE_INTEGER),
  double: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => ({ ours: value, avro: value + 0 })),
  string: same(text),
  bytes: same(fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))),
};

function unitsBytes(units: bigint): Buffer {
  let length = 1;
  while (BigInt.asIntN(8 * length, units) !== units) length += 1;
  return Buffer.from(
    BigInt.asUintN(8 * length, units)
      .toString(16)
      .padStart(2 * length, '0'),
    'hex',
  );
}

function pairOf(pairs: Readonly<Record<string, Pair>>): Pair {
  const entries = Object.entries(pairs);
  return {
    ours: Object.fromEntries(entries.map(([name, { ours }]) => [name, ours])),
    avro: Object.fromEntries(
      entries.sort(([left], [right]) => (left < right ? -1 : 1)).map(([name, pair]) => [name, pair.avro]),
    ),
  };
}

/** Any value of a schema. */
function anyOf(schema: SchemaJson, named: Map<string, fc.Arbitrary<Pair>>): fc.Arbitrary<Pair> {
  if (Array.isArray(schema)) return fc.oneof(...schema.map((branch) => anyOf(branch, named)));
  if (typeof schema === 'string') return PRIMITIVES[schema] ?? named.get(schema) ?? fc.constant({ ours: 0, avro: 0 });
  const { type, name, logicalType, symbols = [], items = 'null', values = 'null', fields = [] } = schema;
  if (logicalType === 'decimal') {
    return fc
      .oneof(fc.bigInt({ min: 1n - 10n ** 27n, max: 10n ** 27n - 1n }), fc.bigInt({ min: -70_000n, max: 70_000n }))
      .map((units) => ({ ours: Decimal.fromUnits(units), avro: unitsBytes(units) }));
  }
  let result: fc.Arbitrary<Pair>;
  if (type === 'enum') result = same(fc.constantFrom(...symbols));
  else if (type === 'array') {
    result = fc
      .array(anyOf(items, named), { maxLength: 5 })
      .map((pairs) => ({ ours: pairs.map(({ ours }) => ours), avro: pairs.map((pair) => pair.avro) }));
  } else if (type === 'map') result = fc.dictionary(key, anyOf(values, named), { maxKeys: 6 }).map(pairOf);
  else if (type === 'record') {
    const members = fields.map((field) => [field.name, anyOf(field.type, named)]);
    result = fc.record(Object.fromEntries(members) as Record<string, fc.Arbitrary<Pair>>).map(pairOf);
  } else result = anyOf(type, named);
  if (name !== undefined) named.set(name, result);
  return result;
}

const trade: Trade = {
  venue: 'binance',
  instrument: 'BTC-USDT@binance',
  tradeId: '3735683259',
  eventTime: 1_723_161_255_342_000,
  price: Decimal.of('61837.63'),
  size: Decimal.of('0.02'),
  side: 'SELL',
  receivedAt: 1_723_161_254_087_896,
  source: 'file:0011223344556677',
  suspicious: false,
  conditions: [],
};

describe('writePlain', () => {
  it.each(RECORD_NAMES)('writes %s as avsc writes it', (name: RecordName) => {
    const schema = JSON.parse(SCHEMAS[name]) as SchemaJson;
    const reference = avro.Type.forSchema(schema as never, { wrapUnions: false });
    let plain = 0;
    fc.assert(
      fc.property(anyOf(schema, new Map()), ({ ours, avro: value }) => {
        const expected = reference.toBuffer(value).toString('hex');
        const body = writePlain(WRITERS[name] as (value: unknown) => void, ours);
        if (body !== undefined) plain += 1;
        expect(body?.toString('hex') ?? expected).toBe(expected);
        expect(encodeBody(name, ours as EventTypes[RecordName] as never).toString('hex')).toBe(expected);
      }),
      { numRuns: 300 },
    );
    expect(plain).toBeGreaterThan(30);
  });

  it.each([
    ['a number beyond a double', { eventTime: 2 ** 53 }],
    ['not a whole number', { eventTime: 0.5 }],
    ['not text', { venue: 7 }],
    ['not a symbol', { side: 'HOLD' }],
    ['nothing', { source: undefined }],
    ['not a decimal', { price: undefined }],
  ])('leaves %s to avsc, which refuses it', (_, change) => {
    const wrong = { ...trade, ...change } as Trade;
    expect(writePlain(WRITERS.Trade, wrong)).toBeUndefined();
    expect(() => encodeBody('Trade', wrong)).toThrow(/invalid/);
  });

  it('leaves half a surrogate pair and a long body to avsc', () => {
    for (const source of ['\ud800', 'x'.repeat(70_000), 'σ'.repeat(40_000)]) {
      expect(writePlain(WRITERS.Trade, { ...trade, source })).toBeUndefined();
      expect(encodeBody('Trade', { ...trade, source }).length).toBeGreaterThan(source.length);
    }
    const long = { ...trade, tradeId: 'x'.repeat(40_000), source: 'x'.repeat(40_000) };
    expect(decodeBody('Trade', encodeBody('Trade', long))).toEqual(long);
  });

  it('leaves a map with numbers for keys to avsc, which sorts them otherwise', () => {
    const write = (map: Readonly<Record<string, number>>) => {
      writeMap(map, writeInt);
    };
    expect(writePlain(write, { b: 1, a: 2 })?.toString('hex')).toBe('0402610402620200');
    expect(writePlain(write, { 10: 1, 9: 2 })).toBeUndefined();
  });

  it('returns bytes of their own', () => {
    const first = encodeBody('Trade', trade);
    const kept = first.toString('hex');
    encodeBody('Trade', { ...trade, venue: 'kraken' });
    expect(first.toString('hex')).toBe(kept);
  });
});
