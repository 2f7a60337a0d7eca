import type { Trade } from '../../contracts/generated/events.ts';

/**
 * An id is far ahead from this many on. REST may lag the stream: in a hectic market by ten seconds, or some thousand
 * trades.
 */
export const REACH = 50_000;

/**
 * Whether a trade's id follows those before. Where ids are dense, an id far ahead of all others means that the market
 * moved on without us, or that the frame is broken. It counts once REST shows that the venue is about that far: if
 * believed at once, one frame would make all later trades late.
 */
export class SequenceCheck {
  private greatest: number | undefined;
  private doubted: Trade | undefined;
  private askAtMs = 0;

  /** Whether REST must be asked before anything else can be decided. */
  mustAsk(nowMs: number): boolean {
    return this.doubted !== undefined && nowMs >= this.askAtMs;
  }

  get isInDoubt(): boolean {
    return this.doubted !== undefined;
  }

  isFar(tradeId: string, reach = REACH): boolean {
    return this.greatest !== undefined && Number(tradeId) >= this.greatest + reach;
  }

  /** The venue is known to have reached this id. */
  know(tradeId: string | number): void {
    this.greatest = Math.max(this.greatest ?? 0, Number(tradeId));
  }

  /** Set aside: if it is genuine, REST delivers it again. */
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
