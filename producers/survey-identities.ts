import type { Trade } from '../contracts/generated/events.ts';
import { TradeIdentities } from '../contracts/trade-identities.ts';

/** Identities of one file remembered to find repeated rows; beyond this the oldest are forgotten. */
export const IDENTITIES_MAX = 8_000_000;
/** How far back a repeated row is recognised in any case: such a trade is late, and the engine recognises it too. */
const REMEMBERED_US = 86_400_000_000;

interface OfInstrument {
  readonly known: TradeIdentities;
  latestUs: number;
}

/**
 * The identities (trade id and event time) of the trades seen, instrument by instrument. Memory is bounded: at
 * {@link IDENTITIES_MAX} those more than a day before the latest of their instrument are forgotten, and all before it
 * if that frees less than half.
 */
export class MetTrades {
  private readonly instruments = new Map<string, OfInstrument>();
  private readonly identitiesMax: number;
  private size = 0;

  constructor(identitiesMax: number = IDENTITIES_MAX) {
    this.identitiesMax = identitiesMax;
  }

  /** False where the same trade was seen before. */
  add({ instrument, tradeId, eventTime }: Trade): boolean {
    let of = this.instruments.get(instrument);
    if (of === undefined) this.instruments.set(instrument, (of = { known: new TradeIdentities(), latestUs: 0 }));
    // Too old to know: it is treated as new, and the engine judges it by its own memory.
    if (!of.known.canJudge(eventTime)) return true;
    if (!of.known.add(tradeId, eventTime)) return false;
    if (eventTime > of.latestUs) of.latestUs = eventTime;
    this.size += 1;
    if (this.size >= this.identitiesMax) this.forget();
    return true;
  }

  private forget(): void {
    for (const keptUs of [REMEMBERED_US, 0]) {
      this.size = 0;
      for (const { known, latestUs } of this.instruments.values()) {
        known.forgetBefore(latestUs - keptUs);
        this.size += known.size;
      }
      if (this.size <= this.identitiesMax / 2) return;
    }
  }
}
