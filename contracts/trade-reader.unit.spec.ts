import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBody, encodeBody } from './codec.ts';
import { Decimal } from './decimal.ts';
import type { Trade } from './generated/events.ts';
import { readTrade } from './trade-reader.ts';

const amount = fc.oneof(
  fc.bigInt({ min: 0n, max: 10n ** 27n - 1n }).map((units) => Decimal.fromUnits(units)),
  fc.bigInt({ min: 0n, max: 10n ** 18n }).map((units) => Decimal.fromUnits(units)),
  fc.nat().map((cents) => Decimal.fromUnits(BigInt(cents) * 10n ** 10n)),
);
const time = fc.oneof(
  fc.integer({ min: 1_300_000_000_000_000, max: 1_900_000_000_000_000 }),
  fc.integer({ min: -1e15, max: 9_007_199_254_740_000 }),
);
const text = fc.oneof(fc.constantFrom('binance', 'BTC-USDT@binance', ''), fc.string(), fc.string({ unit: 'grapheme' }));
const trades = fc.record<Trade>({
  venue: text,
  instrument: text,
  tradeId: fc.oneof(fc.nat().map(String), text),
  eventTime: time,
  price: amount,
  size: amount,
  side: fc.constantFrom('BUY', 'SELL', 'UNKNOWN'),
  receivedAt: time,
  source: text,
  suspicious: fc.boolean(),
  conditions: fc.array(fc.string(), { maxLength: 3 }),
});

function outcomeOf(read: (body: Buffer) => Trade, body: Buffer): Trade | 'throws' {
  try {
    return read(body);
  } catch {
    return 'throws';
  }
}

describe('readTrade', () => {
  it('reads what the codec writes', () => {
    fc.assert(
      fc.property(trades, (trade) => {
        expect(readTrade(encodeBody('Trade', trade))).toEqual(trade);
      }),
      { numRuns: 2_000 },
    );
  });

  it('agrees with the codec on cut, changed and lengthened bytes', () => {
    const damage = fc.record({
      keep: fc.double({ min: 0, max: 1, noNaN: true }),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      byte: fc.integer({ min: 0, max: 255 }),
      tail: fc.uint8Array({ maxLength: 2 }),
    });
    fc.assert(
      fc.property(trades, damage, (trade, { keep, at, byte, tail }) => {
        const body = Buffer.concat([encodeBody('Trade', trade), tail]);
        body[Math.floor(at * (body.length - 1))] = byte;
        for (const damaged of [body, body.subarray(0, Math.ceil(keep * body.length))]) {
          expect(outcomeOf(readTrade, damaged)).toEqual(outcomeOf((bytes) => decodeBody('Trade', bytes), damaged));
        }
      }),
      { numRuns: 5_000 },
    );
  });
});
