import type { Trade } from '../../contracts/generated/events.ts';
import type { RefusedTrade } from '../venue.ts';
import type { ReorderBuffer } from './reorder-buffer.ts';
import type { SequenceCheck } from './sequence-check.ts';

/** Refused ids remembered, so that a trade refused again from REST is not a second dead letter. */
const REFUSED_IDS_MAX = 1_000;

export interface RefusedTradesOptions {
  readonly pageTradesMax: number;
  /** Keeps refused trades and frames. */
  readonly onRefused: (refused: RefusedTrade, nowMs: number) => void;
}

/**
 * One instrument's refused trades: each is kept once. REST decides: a trade whose frame is refused is missing until REST
 * serves it, or refuses its page too.
 */
export class RefusedTrades {
  private readonly options: RefusedTradesOptions;
  private readonly buffer: ReorderBuffer;
  private readonly sequenceCheck: SequenceCheck;
  private readonly ids = new Set<string>();

  constructor(options: RefusedTradesOptions, buffer: ReorderBuffer, sequenceCheck: SequenceCheck) {
    this.options = options;
    this.buffer = buffer;
    this.sequenceCheck = sequenceCheck;
  }

  /** @returns false where it is known */
  byStream(item: RefusedTrade, nowMs: number): boolean {
    const { tradeId } = item;
    if (tradeId !== undefined) {
      if (this.ids.has(tradeId)) return false;
      if (this.ids.size >= REFUSED_IDS_MAX) this.ids.clear();
      this.ids.add(tradeId);
      // The faulty part of a frame may be its id.
      if (!this.sequenceCheck.isFar(tradeId, this.options.pageTradesMax)) this.buffer.hear(tradeId);
    }
    this.options.onRefused(item, nowMs);
    return true;
  }

  byHistory(item: RefusedTrade, nowMs: number): void {
    const { tradeId } = item;
    const isNews = tradeId === undefined || this.buffer.account(tradeId);
    const isKnown = tradeId !== undefined && this.ids.delete(tradeId);
    if (isNews && !isKnown) this.options.onRefused(item, nowMs);
  }

  /** A trade with this id is valid after all. */
  arrived(tradeId: string): void {
    if (this.ids.size > 0) this.ids.delete(tradeId);
  }
}

/** A trade whose id is impossible: far beyond that of the venue's newest. */
export function refusedFor(trade: Trade, newestId: string): RefusedTrade {
  const { instrument, tradeId, price, size, eventTime } = trade;
  return {
    refusal: {
      reason: 'TRADE_ID_MALFORMED',
      detail: `the trade id ${tradeId} is far beyond ${newestId}, the id of the venue's newest trade`,
    },
    instrument,
    tradeId,
    text: JSON.stringify({ instrument, tradeId, price: price.toString(), size: size.toString(), eventTime }),
  };
}
