import { encodeBody } from '../contracts/codec.ts';
import type { Decimal } from '../contracts/decimal.ts';
import type { EventTypes, Trade } from '../contracts/generated/events.ts';
import { partitionOf } from '../contracts/partitioner.ts';
import type { AmendmentName } from '../contracts/tape-content.ts';
import { TAPE_TOPIC } from '../contracts/topics.ts';
import type { Amendment } from '../contracts/trade-rules.ts';
import type { PlannedRecord } from './ingest.ts';

/** The source of an amendment that a person requested. */
export const OPERATOR_SOURCE = 'operator';

/** Who requests an amendment, why, and when (microseconds). */
export interface Statement {
  readonly reason: string;
  readonly actor: string;
  readonly receivedAt: number;
  /** Where it was learned; {@link OPERATOR_SOURCE} if omitted. */
  readonly source?: string;
}

/** An amendment before it is appended. */
export type PlannedAmendment = {
  readonly [Name in AmendmentName]: { readonly name: Name; readonly amendment: EventTypes[Name] };
}[AmendmentName];

/** An amendment on the tape. */
export interface HeldAmendment {
  readonly name: AmendmentName;
  readonly amendment: Amendment;
}

interface Figures {
  readonly price: Decimal;
  readonly size: Decimal;
}

/** One trade of the tape, by id and event time, with its amendments so far. */
export interface AmendableTrade {
  /** Its first record: a repetition has no effect, whatever its price. */
  readonly trade: Trade;
  /** The price and size now in force: the tape's, or the last correction's. */
  readonly figures: Figures;
  readonly isCancelled: boolean;
  readonly isReleased: boolean;
}

/** The trades under one id of an instrument, fed in the order of the log. */
export class TradesOfId {
  private readonly byTime = new Map<number, Mutable<AmendableTrade>>();

  addTrade(trade: Trade): void {
    const known = this.byTime.get(trade.eventTime);
    if (known === undefined) {
      const { price, size } = trade;
      this.byTime.set(trade.eventTime, { trade, figures: { price, size }, isCancelled: false, isReleased: false });
    }
  }

  /** An amendment before its trade corrects nothing. */
  addAmendment({ name, amendment }: HeldAmendment): void {
    const known = this.byTime.get(amendment.eventTime);
    if (known === undefined) return;
    if (name === 'TradeCancelled') known.isCancelled = true;
    if (name === 'TradeReleased') known.isReleased = true;
    if ('correctedPrice' in amendment && !known.isCancelled) {
      known.figures = { price: amendment.correctedPrice, size: amendment.correctedSize };
    }
  }

  /** By event time. */
  all(): readonly AmendableTrade[] {
    return [...this.byTime.values()].sort((left, right) => left.trade.eventTime - right.trade.eventTime);
  }
}

type Mutable<Value> = { -readonly [Key in keyof Value]: Value[Key] };

/** The amendment that a person wants for a trade. */
export type Wish =
  | { readonly kind: 'cancel' }
  | { readonly kind: 'release' }
  | { readonly kind: 'correct'; readonly price: Decimal | undefined; readonly size: Decimal | undefined };

/**
 * The result of a wish: `already` where the tape has it, `moot` where the trade was taken back and it would change
 * nothing.
 */
export type Plan =
  | { readonly kind: 'append'; readonly planned: PlannedAmendment }
  | { readonly kind: 'already' }
  | { readonly kind: 'moot' };

export function planOf(wish: Wish, { trade, figures, isCancelled, isReleased }: AmendableTrade, by: Statement): Plan {
  if (wish.kind === 'cancel') {
    return isCancelled ? { kind: 'already' } : { kind: 'append', planned: cancellationOf(trade, by) };
  }
  if (isCancelled) return { kind: 'moot' };
  if (wish.kind === 'release') {
    if (isReleased) return { kind: 'already' };
    return { kind: 'append', planned: { name: 'TradeReleased', amendment: amendmentOf(trade, by) } };
  }
  const correctedPrice = wish.price ?? figures.price;
  const correctedSize = wish.size ?? figures.size;
  if (correctedPrice.compare(figures.price) === 0 && correctedSize.compare(figures.size) === 0) {
    return { kind: 'already' };
  }
  const amendment = { ...amendmentOf(trade, by), correctedPrice, correctedSize };
  return { kind: 'append', planned: { name: 'TradeCorrected', amendment } };
}

export function cancellationOf(trade: Trade, by: Statement): PlannedAmendment {
  return { name: 'TradeCancelled', amendment: amendmentOf(trade, by) };
}

/** The trade as first recorded: its original figures identify it, whatever corrected it since. */
function amendmentOf({ venue, instrument, tradeId, eventTime, price, size }: Trade, by: Statement) {
  return { venue, instrument, tradeId, eventTime, price, size, source: OPERATOR_SOURCE, ...by };
}

/** An amendment's record: in its trade's partition, with its trade's stamp. */
export function recordOfAmendment({ name, amendment }: PlannedAmendment, partitions: number): PlannedRecord {
  const { instrument, eventTime } = amendment;
  return {
    topic: TAPE_TOPIC,
    partition: partitionOf(instrument, partitions),
    key: instrument,
    type: name,
    body: encodeBody(name, amendment as never),
    timestampUs: eventTime,
  };
}
