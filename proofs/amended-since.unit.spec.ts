import { describe, expect, it } from 'vitest';
import { Decimal } from '../contracts/decimal.ts';
import type { Trade } from '../contracts/generated/events.ts';
import { amendedSince, AMENDMENTS_KEPT_MAX } from './amended-since.ts';
import { INSTRUMENT, marketLog, said, tradeAt, traded, type Written } from './fixtures/market-log.ts';

const trade = tradeAt(0, 'a');
const concerns = ({ tradeId }: Pick<Trade, 'tradeId'>) => tradeId === 'a';
const read = (written: readonly Written[], offset = 0) =>
  amendedSince(marketLog(written), { partition: 0, offset }, INSTRUMENT, concerns);

describe('amendedSince', () => {
  it('reports the amendments of those trades after a place, by kind', async () => {
    const tape = [
      ...[traded(0, 'a'), said('TradeCorrected', trade), said('TradeReleased', trade), traded(1, 'b')],
      ...[said('TradeCancelled', trade), said('TradeCancelled', tradeAt(1, 'b'))],
    ];
    const { counts, first } = await read(tape);
    expect(counts).toEqual({ TradeCancelled: 1, TradeCorrected: 1, TradeReleased: 1 });
    expect(first.map(({ offset }) => offset)).toEqual([1, 2, 4]);
    expect((await read(tape, 2)).counts).toEqual({ TradeCancelled: 1, TradeCorrected: 0, TradeReleased: 0 });
  });

  it('skips other instruments and malformed records', async () => {
    const tape = [
      said('TradeCancelled', { ...trade, instrument: 'ETH-USDT@binance' }),
      said('TradeCancelled', { ...trade, size: Decimal.ZERO }),
    ];
    expect((await read(tape, -1)).first).toEqual([]);
  });

  it('counts all of many, and keeps the first', async () => {
    const tape = Array.from({ length: AMENDMENTS_KEPT_MAX + 5 }, () => said('TradeReleased', trade));
    const { counts, first } = await read(tape, -1);
    expect([counts.TradeReleased, first.length]).toEqual([AMENDMENTS_KEPT_MAX + 5, AMENDMENTS_KEPT_MAX]);
  });
});
