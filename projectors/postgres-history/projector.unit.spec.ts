import { describe, expect, it } from 'vitest';
import type { TradeGap } from '../../contracts/generated/events.ts';
import { partitionOf } from '../../contracts/partitioner.ts';
import { gapBefore } from '../../evaluators/fixtures/tape-contents.ts';
import { tradeNumber } from '../../tests/support/seeded-tape.ts';
import type { RowInsert } from '../projector.ts';
import { postgresHistory } from './projector.ts';

const PARTITIONS = 6;
const trade = tradeNumber(0);
const home = partitionOf(trade.instrument, PARTITIONS);

function project(change: Partial<TradeGap>, partition = home): readonly RowInsert[] {
  return postgresHistory.project({
    type: 'TradeGap',
    event: { ...gapBefore(trade, 100, 5), ...change },
    topic: 'raw.trades',
    partition,
    offset: 7,
    partitions: PARTITIONS,
    bodyHash: () => Buffer.alloc(32),
  });
}

describe('postgres-history', () => {
  it('keeps a gap of the tape as a row, named by its place', () => {
    const [gap] = project({});
    expect(gap?.table.name).toBe('trade_gaps');
    expect(gap?.row).toEqual({
      event_id: `gap-${home}-7-0`,
      instrument: trade.instrument,
      first_trade_id: '100',
      last_trade_id: '104',
      missing_trades: 5,
      from_time: null,
      to_time: trade.eventTime,
      reason: 'NOT_SERVED',
      source: 'live:binance',
      tape_partition: home,
      tape_offset: 7,
      body_hash: Buffer.alloc(32),
    });
  });

  it('ignores a gap that the engine refuses, and one outside its instrument’s partition', () => {
    expect(project({ missingTrades: 4 })).toEqual([]);
    expect(project({}, home + 1)).toEqual([]);
  });
});
