import { describe, expect, it } from 'vitest';
import { Decimal } from '../../contracts/decimal.ts';
import type { Trade } from '../../contracts/generated/events.ts';
import { partitionOf } from '../../contracts/partitioner.ts';
import { tradeNumber } from '../../tests/support/seeded-tape.ts';
import type { RowInsert } from '../projector.ts';
import { candles } from './projector.ts';

const PARTITIONS = 6;
const trade = tradeNumber(0);
const home = partitionOf(trade.instrument, PARTITIONS);

function project(change: Partial<Trade>, partition = home): readonly RowInsert[] {
  return candles.project({
    type: 'Trade',
    event: { ...trade, ...change },
    topic: 'raw.trades',
    partition,
    offset: 7,
    partitions: PARTITIONS,
    bodyHash: () => Buffer.alloc(32),
  });
}

describe('candles', () => {
  it('maps a trade to its identity and the bar of its minute', () => {
    const [identity, bar] = project({ eventTime: 1_723_161_299_999_999, receivedAt: 1_723_161_300_000_000 });
    expect(identity?.row).toEqual({ instrument: trade.instrument, trade_id: trade.tradeId, tape_offset: 7 });
    expect(bar?.row).toMatchObject({ minute: 1_723_161_240_000_000, trades: 1, open_offset: 7, close_offset: 7 });
  });

  it('ignores trades that the engine refuses', () => {
    expect(project({ size: Decimal.ZERO })).toEqual([]);
    expect(project({}, home + 1)).toEqual([]);
  });
});
