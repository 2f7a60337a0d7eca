import type { Trade } from '../../contracts/generated/events.ts';
import { partitionOf } from '../../contracts/partitioner.ts';
import { refusalOf } from '../../contracts/trade-rules.ts';
import { into, type PostgresProjector, type ProjectedEvent, type RowInsert, type Table } from '../projector.ts';
import { mergeBars, type Bar } from './bar.ts';

const MINUTE_US = 60_000_000;

/** Which trades are in the bars: a trade that is on the tape twice, for example after a gap was filled, counts once. */
const CANDLE_TRADES = {
  name: 'candle_trades',
  columns: { instrument: 'text', trade_id: 'text', tape_offset: 'bigint' },
  key: ['instrument', 'trade_id'],
} as const satisfies Table;

/** One-minute bars; `minute` is the start of a bar. Late trades update their minute. */
const CANDLES = {
  name: 'candles',
  columns: {
    instrument: 'text',
    minute: 'timestamptz',
    open: 'numeric',
    high: 'numeric',
    low: 'numeric',
    close: 'numeric',
    volume: 'numeric',
    trades: 'bigint',
    open_time: 'timestamptz',
    open_offset: 'bigint',
    close_time: 'timestamptz',
    close_offset: 'bigint',
  },
  key: ['instrument', 'minute'],
  merge: (stored, next) => mergeBars(stored as Bar, next as Bar),
} as const satisfies Table;

/** One-minute open, high, low, close and volume of each instrument, in Postgres: the worked example. */
export const candles: PostgresProjector = {
  name: 'candles',
  summary: 'One-minute bars of each instrument, in Postgres',
  topics: ['raw.trades'],
  skips: ['EngineActivated', 'Watermark', 'TradeGap'],
  sink: 'postgres',
  schema: 'candles',
  tables: [CANDLE_TRADES, CANDLES],
  // Two records may carry one trade, so only keys decide which one counts.
  loadsWithoutKeys: false,
  project,
};

function project(source: ProjectedEvent): readonly RowInsert[] {
  if (source.type !== 'Trade') return [];
  const trade = source.event;
  // Trades that the engine refuses are in no bar either.
  if (refusalOf(trade) !== undefined) return [];
  if (partitionOf(trade.instrument, source.partitions) !== source.partition) return [];
  const identity = { instrument: trade.instrument, trade_id: trade.tradeId, tape_offset: source.offset };
  return [into(CANDLE_TRADES, identity), into(CANDLES, barOf(trade, source.offset))];
}

/** The bar of one trade. */
function barOf({ instrument, price, size, eventTime }: Trade, offset: number) {
  return {
    instrument,
    minute: eventTime - (eventTime % MINUTE_US),
    open: price,
    high: price,
    low: price,
    close: price,
    volume: size,
    trades: 1,
    open_time: eventTime,
    open_offset: offset,
    close_time: eventTime,
    close_offset: offset,
  };
}
