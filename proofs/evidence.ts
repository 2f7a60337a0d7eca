import type { ClockTick, EventTypes, Outcome, Trade, TradeGap } from '../contracts/generated/events.ts';
import { idRangeOf, refusalOf, refusalOfGap, refusalOfTick } from '../contracts/trade-rules.ts';
import type { EventLog, Located } from './event-log.ts';

/** Where the tape is read. */
export type MarketLog = Pick<EventLog, 'market'>;

/** What the tape holds about an outcome: undefined where there is none. */
export interface Settlement {
  /** The trade that resolved the forecast; undefined when VOID. */
  readonly resolvingTrade: Located<Trade> | undefined;
  /** The tick by which it was VOID; undefined where a trade showed it. */
  readonly voidingTick: Located<ClockTick> | undefined;
  /** When VOID: the first trade at or after the due time, up to the place of the outcome. */
  readonly firstTradeDue: Located<Trade> | undefined;
}

export const UNSETTLED: Settlement = { resolvingTrade: undefined, voidingTick: undefined, firstTradeDue: undefined };

/** What a snapshot rests on, from the tape itself. */
export interface Evidence {
  /** The instrument's usable trades in the snapshot's range, in tape order, each id once. */
  readonly trades: readonly Located<Trade>[];
  /** The instrument's gaps in that range. */
  readonly gaps: readonly Located<TradeGap>[];
  /** Trades of those gaps that are not in that range. */
  readonly missing: number;
}

/** Reads what settled a forecast: the trade, or that none came in time. */
export async function settlementOf(
  log: MarketLog,
  outcome: Outcome,
  forecast: { readonly tape: Outcome['tape'] },
): Promise<Settlement> {
  const { partition, offset } = outcome.tape;
  const isVoid = outcome.verdict === 'VOID';
  const settlement = { ...UNSETTLED } as { -readonly [Key in keyof Settlement]: Settlement[Key] };
  for await (const record of log.market(partition, isVoid ? forecast.tape.offset + 1 : offset, offset)) {
    if (record.name === 'ClockTick' && record.offset === offset && refusalOfTick(record.event) === undefined) {
      settlement.voidingTick = record;
    }
    if (record.name !== 'Trade') continue;
    if (!isVoid) settlement.resolvingTrade = record;
    else if (isUsable(record.event, outcome.instrument) && record.event.eventTime >= outcome.dueTime) {
      settlement.firstTradeDue ??= record;
    }
  }
  return settlement;
}

/** Reads the trades behind a snapshot, and what is missing among them. */
export async function evidenceOf(log: MarketLog, snapshot: EventTypes['IndicatorSnapshot']): Promise<Evidence> {
  const { instrument, tape, firstOffset, lastOffset } = snapshot;
  const trades = new Map<string, Located<Trade>>();
  const gaps: Located<TradeGap>[] = [];
  for await (const record of log.market(tape.partition, firstOffset, lastOffset)) {
    if (record.name === 'Trade' && isUsable(record.event, instrument) && !trades.has(record.event.tradeId)) {
      trades.set(record.event.tradeId, record);
    }
    if (
      record.name === 'TradeGap' &&
      record.event.instrument === instrument &&
      refusalOfGap(record.event) === undefined
    ) {
      gaps.push(record);
    }
  }
  const missing = missingTrades(
    gaps.map(({ event }) => event),
    [...trades.keys()],
  );
  return { trades: [...trades.values()], gaps, missing };
}

/**
 * Trades that gaps name and that are not there. Gaps may overlap, as where two producers declared them, and a trade of a
 * gap may have come later. Where ids are no numbers, gaps are taken at their word.
 */
export function missingTrades(gaps: readonly TradeGap[], tradeIds: Iterable<string>): number {
  const atTheirWord = new Map<string, number>();
  const ranges: { first: number; last: number }[] = [];
  for (const gap of gaps) {
    const range = idRangeOf(gap);
    if (range === undefined) atTheirWord.set(`${gap.firstTradeId} ${gap.lastTradeId}`, gap.missingTrades);
    else ranges.push(range);
  }
  const disjoint = unionOf(ranges);
  let missing = 0;
  for (const { first, last } of disjoint) missing += last - first + 1;
  for (const count of atTheirWord.values()) missing += count;
  for (const tradeId of tradeIds) {
    const id = idRangeOf({ firstTradeId: tradeId, lastTradeId: tradeId })?.first;
    if (id !== undefined && disjoint.some(({ first, last }) => id >= first && id <= last)) missing -= 1;
  }
  return missing;
}

function unionOf(ranges: readonly { readonly first: number; readonly last: number }[]) {
  const union: { first: number; last: number }[] = [];
  for (const { first, last } of [...ranges].sort((left, right) => left.first - right.first)) {
    const previous = union.at(-1);
    if (previous !== undefined && first <= previous.last) previous.last = Math.max(previous.last, last);
    else union.push({ first, last });
  }
  return union;
}

function isUsable(trade: Trade, instrument: string): boolean {
  return trade.instrument === instrument && refusalOf(trade) === undefined;
}
