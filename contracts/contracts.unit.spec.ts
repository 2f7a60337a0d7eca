import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from './canonical-json.ts';
import { bodyOf, decodeBody, encodeBody, FINGERPRINTS, frame, hashBody, readerFor, schemaIdOf } from './codec.ts';
import { Decimal } from './decimal.ts';
import { FORMER_TAPE_SCHEMAS } from './former-schemas.ts';
import { SCHEMAS, type EngineAnchor, type IndicatorSnapshot, type Trade } from './generated/events.ts';
import { partitionOf } from './partitioner.ts';
import { refusalOf, refusalOfGap, refusalOfWatermark, WATERMARK_INSTRUMENTS_MAX } from './trade-rules.ts';

const units = fc.bigInt({ min: 1n - 10n ** 27n, max: 10n ** 27n - 1n });
const positive = fc.oneof(
  fc.bigInt({ min: 1n, max: 10n ** 27n - 1n }),
  fc.nat({ max: 999_999 }).map((n) => BigInt(n + 1) * 10n ** 10n),
);

export const trade: Trade = {
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

describe('Decimal', () => {
  it('reads and writes Avro bytes as the exact algorithm does', () => {
    fc.assert(
      fc.property(units, (value) => {
        const decimal = Decimal.fromBytes(Decimal.fromUnits(value).toBytes());
        expect(decimal.toUnits()).toBe(value);
        const text = decimal.toString();
        expect(Decimal.of(text).toUnits()).toBe(value);
      }),
    );
  });

  it("writes the shortest two's-complement bytes", () => {
    const edges = fc
      .integer({ min: 0, max: 89 })
      .chain((bit) => fc.constantFrom(-1n, 0n, 1n).map((by) => (1n << BigInt(bit)) + by))
      .chain((value) => fc.constantFrom(value, -value));
    fc.assert(
      fc.property(fc.oneof(units, positive, edges), (value) => {
        const bytes = Decimal.fromUnits(value).toBytes();
        const { length } = bytes;
        expect(BigInt.asIntN(length * 8, BigInt(`0x${bytes.toString('hex')}`))).toBe(value);
        expect(length === 1 || value !== BigInt.asIntN((length - 1) * 8, value)).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });

  it('converts to the nearest double', () => {
    fc.assert(
      fc.property(units, (value) => {
        const magnitude = value < 0n ? -value : value;
        const text = `${value < 0n ? '-' : ''}${magnitude / 10n ** 12n}.${String(magnitude % 10n ** 12n).padStart(12, '0')}`;
        expect(Decimal.fromUnits(value).toNumber()).toBe(Number(text) + 0);
      }),
    );
  });

  it('floors quotients exactly', () => {
    fc.assert(
      fc.property(fc.oneof(positive, units), positive, (dividend, divisor) => {
        const isBelow = dividend < 0n && dividend % divisor !== 0n;
        const floor = dividend / divisor - (isBelow ? 1n : 0n);
        expect(Decimal.fromUnits(dividend).floorDivide(Decimal.fromUnits(divisor))).toBe(Number(floor));
      }),
    );
    // Math.floor(0.29 / 0.01) is 28 in doubles.
    expect(Decimal.of('0.29').floorDivide(Decimal.of('0.01'))).toBe(29);
  });

  it('adds, subtracts, compares and negates exactly', () => {
    fc.assert(
      fc.property(units, units, (left, right) => {
        const [a, b] = [Decimal.fromUnits(left), Decimal.fromUnits(right)];
        expect(a.negated().toUnits()).toBe(-left);
        expect(Math.sign(a.compare(b))).toBe(left < right ? -1 : left > right ? 1 : 0);
        expect(a.isPositive()).toBe(left > 0n);
        for (const [sum, of] of [
          [left + right, () => a.plus(b)],
          [left - right, () => a.minus(b)],
        ] as const) {
          const isHeld = sum > -(10n ** 27n) && sum < 10n ** 27n;
          if (isHeld) expect(of().toUnits()).toBe(sum);
          else expect(of).toThrow(RangeError);
        }
      }),
    );
  });

  it('counts units of as many decimals as it has, or more', () => {
    const decimal = Decimal.of('-12.5');
    expect([decimal.decimals, Decimal.of('3').decimals, Decimal.of('0.000000000001').decimals]).toEqual([1, 0, 12]);
    expect([decimal.unitsAt(1), decimal.unitsAt(12)]).toEqual([-125n, decimal.toUnits()]);
    expect(() => decimal.unitsAt(0)).toThrow(RangeError);
  });

  it('says why a text is not an amount', () => {
    expect(Decimal.parse('1e5')).toBe('NOT_A_NUMBER');
    expect(Decimal.parse('NaN')).toBe('NOT_A_NUMBER');
    expect(String(Decimal.parse('-1.250'))).toBe('-1.25');
    expect(Decimal.parse('1000000000000000')).toBe('OUT_OF_BOUNDS');
    expect(Decimal.parse('0.0000000000001')).toBe('PRECISION');
    expect(String(Decimal.parse('0.0000000000010'))).toBe('0.000000000001');
    expect(() => Decimal.fromBytes(Buffer.alloc(13, 0x7f))).toThrow(RangeError);
    expect(() => Decimal.fromBytes(Buffer.alloc(13, 0x80))).toThrow(RangeError);
  });
});

describe('codec', () => {
  it('round-trips a trade and refuses left-over and missing bytes', () => {
    const body = encodeBody('Trade', trade);
    expect(decodeBody('Trade', body)).toEqual(trade);
    expect(() => decodeBody('Trade', Buffer.concat([body, Buffer.from([0])]))).toThrow();
    expect(() => decodeBody('Trade', body.subarray(0, body.length - 1))).toThrow();
  });

  it('writes maps sorted and −0 as 0, and refuses NaN', () => {
    const anchor = (nextSequence: Record<string, number>): EngineAnchor => ({
      tapeId: 't',
      tape: { partition: 0, offset: 1 },
      tapeRecordHash: '',
      stateHash: '',
      stateChunks: 1,
      stateBytes: 1,
      nextSequence,
      windowRoots: {},
      windowCounts: {},
      treeRoots: {},
      treeSizes: {},
      previousAnchorHash: null,
      activationId: 'a',
      engineVersion: '1',
      gitCommit: 'unknown',
      configHash: '',
    });
    expect(encodeBody('EngineAnchor', anchor({ b: 1, a: 2 }))).toEqual(
      encodeBody('EngineAnchor', anchor({ a: 2, b: 1 })),
    );
    const snapshot = (vwap: number): IndicatorSnapshot => ({
      eventId: 'snapshot-0-1-0',
      instrument: 'A@b',
      eventTime: 1,
      tape: { partition: 0, offset: 1 },
      sequence: 0,
      causes: [],
      engineVersion: '1',
      configHash: '',
      lastPrice: trade.price,
      vwap,
      vwapDeviation: 0,
      pointOfControl: trade.price,
      valueAreaLow: trade.price,
      profileBinSize: null,
      valueAreaHigh: trade.price,
      rangeHigh: null,
      rangeLow: trade.price,
      barVolume: 0,
      meanBarVolume: 1.5,
      sessionVolume: 0,
      tradeCount: 1,
      firstOffset: 1,
      lastOffset: 1,
      rangeFirstPrice: null,
      takerBuyVolume: null,
      takerSellVolume: null,
      takerUnknownVolume: null,
    });
    expect(encodeBody('IndicatorSnapshot', snapshot(-0))).toEqual(encodeBody('IndicatorSnapshot', snapshot(0)));
    expect(() => encodeBody('IndicatorSnapshot', snapshot(Number.NaN))).toThrow();
    expect(decodeBody('IndicatorSnapshot', encodeBody('IndicatorSnapshot', snapshot(1.25)))).toEqual(snapshot(1.25));
  });

  it('frames as the Confluent format does', () => {
    const body = encodeBody('Trade', trade);
    const framed = frame(7, body);
    expect(schemaIdOf(framed)).toBe(7);
    expect(bodyOf(framed)).toEqual(body);
    expect(schemaIdOf(Buffer.from([1]))).toBeUndefined();
    expect(schemaIdOf(null)).toBeUndefined();
  });

  it('hashes the fingerprint and the body', () => {
    const body = encodeBody('Trade', trade);
    expect(hashBody('Trade', body)).not.toEqual(hashBody('Outcome', body));
  });

  it('reads what another version of the schema wrote', () => {
    const older = JSON.parse(SCHEMAS.Trade) as { fields: { name: string; default?: string }[] };
    older.fields.push({ name: 'extra', type: 'string' } as never);
    const read = readerFor('Trade', JSON.stringify(older));
    expect(read(Buffer.concat([encodeBody('Trade', trade), Buffer.from([2, 0x61])]))).toEqual(trade);
  });

  it('reads a watermark that an earlier build wrote by its former name', () => {
    const former = FORMER_TAPE_SCHEMAS.find(({ name }) => name === 'Watermark')!;
    const { name } = JSON.parse(former.schema) as { name: string };
    const watermark = { venue: 'binance', instruments: ['BTC-USDT@binance'], eventTime: 1, receivedAt: 2, source: 'x' };
    expect(name).toBe('ClockTick');
    expect(readerFor('Watermark', former.schema)(encodeBody('Watermark', watermark))).toEqual(watermark);
  });

  it('reads an activation that an earlier build wrote as one that states nothing', () => {
    const former = FORMER_TAPE_SCHEMAS.find(({ name }) => name === 'EngineActivated')!;
    const terms = {
      ...{ tapeId: 'tape', activationId: 'first', engineVersion: '4', gitCommit: 'abc', configuration: '{}' },
      ...{ configHash: 'x', writerFingerprints: {}, acceptedTapeSchemas: ['y'] },
    };
    const nothing = { actor: null, reason: null, approver: null, hasUncommittedChanges: null, revokes: [] };
    const body = encodeBody('EngineActivated', { ...terms, ...nothing });
    // The new fields are at the end: four nulls and an empty list, a byte each.
    const written = body.subarray(0, -5);
    expect(former.fingerprint).not.toBe(FINGERPRINTS.EngineActivated);
    expect(readerFor('EngineActivated', former.schema)(written)).toEqual({ ...terms, ...nothing });
  });

  it('has the committed fingerprints', () => {
    expect(Object.values(FINGERPRINTS).every((fingerprint) => /^[0-9a-f]{64}$/.test(fingerprint))).toBe(true);
  });
});

describe('partitionOf', () => {
  // Kafka's own test vectors for Utils.murmur2.
  it.each([
    ['21', 0, -973932308],
    ['foobar', 0, -790332482],
    ['a-little-bit-long-string', 0, -985981536],
    ['a-little-bit-longer-string', 0, -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', 0, -58897971],
    ['abc', 0, 479470107],
  ])('places %s as Kafka does', async (key, _unused, hash) => {
    const { murmur2 } = await import('./partitioner.ts');
    expect(murmur2(Buffer.from(key))).toBe(hash);
    expect(partitionOf(key, 6)).toBe((hash & 0x7fffffff) % 6);
  });
});

describe('refusalOf', () => {
  it.each([
    [{}, undefined],
    [{ instrument: '__proto__' }, 'INSTRUMENT_MALFORMED'],
    [{ venue: 'kraken' }, 'INSTRUMENT_MALFORMED'],
    [{ tradeId: 'a\r\nb' }, 'TRADE_ID_MALFORMED'],
    [{ size: Decimal.ZERO }, 'NOT_POSITIVE'],
    [{ eventTime: 1_723_161_255 }, 'TIME_OUT_OF_BOUNDS'],
    [{ eventTime: trade.receivedAt + 10_000_001 }, 'CLOCK_LEAD'],
  ] as const)('judges %j as %s', (change, reason) => {
    expect(refusalOf({ ...trade, ...change })?.reason).toBe(reason);
  });
});

describe('refusalOfWatermark', () => {
  const watermark = {
    venue: 'binance',
    instruments: ['BTC-USDT@binance', 'ETH-USDT@binance'],
    eventTime: trade.eventTime,
    receivedAt: trade.receivedAt,
    source: 'live:binance',
    suspicious: false,
    conditions: [],
  };
  const many = (count: number) =>
    Array.from({ length: count }, (_, index) => `I${String(index).padStart(5, '0')}@binance`);
  it.each([
    ['as it should be', {}, undefined],
    ['for as many as may be', { instruments: many(WATERMARK_INSTRUMENTS_MAX) }, undefined],
    ['for too many', { instruments: many(WATERMARK_INSTRUMENTS_MAX + 1) }, 'MALFORMED'],
    ['for none', { instruments: [] }, 'MALFORMED'],
    ['out of order', { instruments: ['ETH-USDT@binance', 'BTC-USDT@binance'] }, 'MALFORMED'],
    ['for one twice', { instruments: ['BTC-USDT@binance', 'BTC-USDT@binance'] }, 'MALFORMED'],
    ['for a malformed one', { instruments: ['__proto__'] }, 'INSTRUMENT_MALFORMED'],
    ['of another venue', { venue: 'kraken' }, 'INSTRUMENT_MALFORMED'],
    ['in another unit', { eventTime: 1_723_161_255 }, 'TIME_OUT_OF_BOUNDS'],
    ['received in another unit', { receivedAt: 1_723_161_255 }, 'TIME_OUT_OF_BOUNDS'],
    ['from the future', { eventTime: trade.receivedAt + 10_000_001 }, 'CLOCK_LEAD'],
  ] as const)('judges a watermark %s', (_, change, reason) => {
    expect(refusalOfWatermark({ ...watermark, ...change })?.reason).toBe(reason);
  });
});

describe('refusalOfGap', () => {
  const gap = {
    venue: 'binance',
    instrument: 'BTC-USDT@binance',
    firstTradeId: '100',
    lastTradeId: '109',
    missingTrades: 10,
    fromTime: trade.eventTime,
    toTime: trade.eventTime,
    reason: 'NOT_SERVED',
    receivedAt: trade.receivedAt,
    source: 'live:binance',
    suspicious: false,
    conditions: [],
  } as const;
  it.each([
    [{}, undefined],
    [{ fromTime: null }, undefined],
    [{ firstTradeId: 'a-1', lastTradeId: 'b-7', missingTrades: 3 }, undefined],
    [{ missingTrades: 9 }, 'MALFORMED'],
    [{ firstTradeId: '110', missingTrades: 1 }, 'MALFORMED'],
    [{ firstTradeId: 'a', missingTrades: 0 }, 'MALFORMED'],
    [{ lastTradeId: 'a b' }, 'TRADE_ID_MALFORMED'],
    [{ instrument: 'btc' }, 'INSTRUMENT_MALFORMED'],
    [{ venue: 'kraken' }, 'INSTRUMENT_MALFORMED'],
    [{ fromTime: 1 }, 'TIME_OUT_OF_BOUNDS'],
    [{ toTime: 1 }, 'TIME_OUT_OF_BOUNDS'],
    [{ toTime: trade.receivedAt + 10_000_001 }, 'CLOCK_LEAD'],
  ] as const)('judges %j as %s', (change, reason) => {
    expect(refusalOfGap({ ...gap, ...change })?.reason).toBe(reason);
  });
});

describe('canonicalJson', () => {
  it('sorts keys at every depth and drops undefined members', () => {
    expect(canonicalJson({ b: [{ z: 1, y: -0 }], a: undefined, A: Decimal.of('1.50') })).toBe(
      '{"A":"1.5","b":[{"y":0,"z":1}]}',
    );
  });

  it.each([
    ['{"9":2,"10":1,"A":{"2":1,"1":0,"undefined":null}}', '{"10":1,"9":2,"A":{"1":0,"2":1,"undefined":null}}'],
    ['[{"01":4,"9":3,"!":2,"10":1}]', '[{"!":2,"01":4,"10":1,"9":3}]'],
    ['{"é":1,"__proto__":{"b":1,"a":0},"constructor":2}', '{"__proto__":{"a":0,"b":1},"constructor":2,"é":1}'],
    ['{"4294967295":1,"4294967294":2,"-1":3}', '{"-1":3,"4294967294":2,"4294967295":1}'],
  ])('sorts names that an object orders by itself, or finds special: %s', (json, canonical) => {
    expect(canonicalJson(JSON.parse(json))).toBe(canonical);
  });

  it('drops undefined members beside numbered ones', () => {
    expect(canonicalJson({ 2: undefined, 10: 'a', 1: [false] })).toBe('{"1":[false],"10":"a"}');
  });

  it('writes what an array has not as null, whatever its other names are', () => {
    expect(canonicalJson([undefined, { a: 1 }])).toBe('[null,{"a":1}]');
    expect(canonicalJson([undefined, { 1: 1 }])).toBe('[null,{"1":1}]');
  });

  it.each([NaN, Infinity])('refuses %s, which JSON has not, anywhere', (value) => {
    expect(() => canonicalJson({ a: [value] })).toThrow('no JSON form');
  });
});
