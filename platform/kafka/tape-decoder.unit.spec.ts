import { describe, expect, it } from 'vitest';
import { encodeBody, FINGERPRINTS, frame, readerFor } from '../../contracts/codec.ts';
import { Decimal } from '../../contracts/decimal.ts';
import { SCHEMAS, type Trade } from '../../contracts/generated/events.ts';
import { readTrade } from '../../contracts/trade-reader.ts';
import type { RegisteredSchema, Registry } from './registry.ts';
import { createTapeDecoder } from './tape-decoder.ts';

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
const body = encodeBody('Trade', trade);
const longerSchema = SCHEMAS.Trade.replace(/\]\}$/, ',{"name":"extra","type":"int"}]}');

/** Must be asked first, and answers at once from then on. */
function registryOf(read: RegisteredSchema['read']): Pick<Registry, 'schemaOf'> {
  const schema = { id: 7, name: 'Trade', fingerprint: FINGERPRINTS.Trade, read } as const;
  let isKnown = false;
  return {
    schemaOf: () => {
      const answer = isKnown ? schema : Promise.resolve(schema);
      isKnown = true;
      return answer;
    },
  };
}

describe('createTapeDecoder', () => {
  it.each([
    ['the fast reader', readTrade, body],
    ['a reader of any record', readerFor('Trade', SCHEMAS.Trade), body],
    ['a reader of another schema', readerFor('Trade', longerSchema), Buffer.concat([body, Buffer.from([2])])],
  ])('reads a trade behind its frame by %s, and has its body when asked', async (_, read, written) => {
    const decode = createTapeDecoder(registryOf(read));
    for (const content of [await decode({ value: frame(7, written) }), decode({ value: frame(7, written) })]) {
      expect(content).toMatchObject({ kind: 'trade', trade, fingerprint: FINGERPRINTS.Trade, body: written });
    }
    expect(decode({ value: frame(7, written.subarray(1)) })).toMatchObject({ kind: 'unusable', reason: 'UNDECODABLE' });
  });
});
