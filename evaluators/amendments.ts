import { Decimal } from '../contracts/decimal.ts';
import type { TradeCorrected } from '../contracts/generated/events.ts';
import { TradeIdentities, type IdentitiesState } from '../contracts/trade-identities.ts';
import type { Amendment } from '../contracts/trade-rules.ts';

/** Corrected trades of an instrument's last two sessions whose figures are remembered; further ones are not accepted. */
export const CORRECTIONS_MAX = 4_096;

type CorrectionState = readonly [eventTimeUs: number, tradeId: string, price: string, size: string];

/** State of {@link Amendments}. */
export interface AmendmentsState {
  readonly cancelled: IdentitiesState;
  readonly corrected: readonly CorrectionState[];
}

interface Figures {
  readonly price: Decimal;
  readonly size: Decimal;
}

/** Later records about an instrument's trades: which were taken back, and the valid figures of those corrected. */
export class Amendments {
  private readonly cancelled: TradeIdentities;
  private readonly corrected = new Map<string, Figures & { readonly eventTimeUs: number; readonly tradeId: string }>();

  constructor(state?: AmendmentsState) {
    this.cancelled = state === undefined ? new TradeIdentities() : TradeIdentities.fromState(state.cancelled);
    for (const [eventTimeUs, tradeId, price, size] of state?.corrected ?? []) {
      const figures = { price: Decimal.of(price), size: Decimal.of(size) };
      this.corrected.set(keyOf(tradeId, eventTimeUs), { eventTimeUs, tradeId, ...figures });
    }
  }

  toState(): AmendmentsState {
    return {
      cancelled: this.cancelled.toState(),
      corrected: [...this.corrected.values()].map(({ eventTimeUs, tradeId, price, size }): CorrectionState => {
        return [eventTimeUs, tradeId, price.toString(), size.toString()];
      }),
    };
  }

  isCancelled(tradeId: string, eventTimeUs: number): boolean {
    return this.cancelled.has(tradeId, eventTimeUs);
  }

  cancel(tradeId: string, eventTimeUs: number): void {
    this.cancelled.add(tradeId, eventTimeUs);
    this.corrected.delete(keyOf(tradeId, eventTimeUs));
  }

  canCorrect({ tradeId, eventTime }: TradeCorrected): boolean {
    return this.corrected.size < CORRECTIONS_MAX || this.corrected.has(keyOf(tradeId, eventTime));
  }

  correct({ tradeId, eventTime, correctedPrice, correctedSize }: TradeCorrected): void {
    const figures = { price: correctedPrice, size: correctedSize };
    this.corrected.set(keyOf(tradeId, eventTime), { eventTimeUs: eventTime, tradeId, ...figures });
  }

  /** The price and size of a trade in the sums: those on the tape, or those of its last correction. */
  figuresOf({ tradeId, eventTime, price, size }: Amendment): Figures {
    return this.corrected.get(keyOf(tradeId, eventTime)) ?? { price, size };
  }

  forgetBefore(timeUs: number): void {
    this.cancelled.forgetBefore(timeUs);
    for (const [key, { eventTimeUs }] of this.corrected) if (eventTimeUs < timeUs) this.corrected.delete(key);
  }
}

function keyOf(tradeId: string, eventTimeUs: number): string {
  return `${eventTimeUs} ${tradeId}`;
}
