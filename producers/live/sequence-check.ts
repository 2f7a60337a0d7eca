import type { Trade } from '../../contracts/generated/events.ts';

/** An id is far ahead from so many on. REST may be behind the stream, in a hectic market by ten seconds of some thousand trades. */
export const REACH = 50_000;

/**
 * Whether a trade's id follows those before. Where ids are dense, one that is far ahead of all that was seen is that of a market that went on without us, or of a broken
 * frame. It counts once REST shows that the venue is about that far: believed at once, one frame would turn all that
 * comes after it into trades of the past.
 */
export class SequenceCheck {
  private greatest: number | undefined;
  private doubted: Trade | undefined;
  private askAtMs = 0;

  /** Whether REST must be asked before anything else can be said. */
  mustAsk(nowMs: number): boolean {
    return this.doubted !== undefined && nowMs >= this.askAtMs;
  }

  get isInDoubt(): boolean {
    return this.doubted !== undefined;
  }

  isFar(tradeId: string, reach = REACH): boolean {
    return this.greatest !== undefined && Number(tradeId) >= this.greatest + reach;
  }

  /** The venue is known to be as far as this. */
  know(tradeId: string | number): void {
    this.greatest = Math.max(this.greatest ?? 0, Number(tradeId));
  }

  /** Set aside: where it is true it comes again, from REST. */
  doubt(trade: Trade): void {
    this.doubted = trade;
  }

  /**
   * REST has shown its newest trade.
   *
   * @returns the trade whose id the venue does not have, if the doubt was right
   */
  settle(nowMs: number, pauseMs: number): Trade | undefined {
    const { doubted } = this;
    this.doubted = undefined;
    if (doubted === undefined || !this.isFar(doubted.tradeId)) return undefined;
    this.askAtMs = nowMs + pauseMs;
    return doubted;
  }
}
