import type { TakerSide, Trade, Watermark } from '../../contracts/generated/events.ts';
import type { AmendmentName } from '../../contracts/tape-content.ts';
import { refusalOf, refusalOfAmendment, refusalOfWatermark, type Amendment } from '../../contracts/trade-rules.ts';
import type { IndicatorRules } from './rules.ts';

/** More trades than this waiting at the same time leave in an order of their own. */
const WAITING_TRADES_MAX = 64;

/** Why it cannot be known from a window which of its trades count. */
export type Doubt = 'TAPE_SCHEMA' | 'RELEASED' | 'CLOCK';

/** A trade that counts. Price and size in units of 10^-12, those of its last correction. */
export interface CountedTrade {
  readonly offset: number;
  readonly timeUs: number;
  readonly session: number;
  price: bigint;
  size: bigint;
  readonly side: TakerSide;
  /** Number of its bar, `floor(t / barUs)`; undefined for one that came after its bar was over. */
  readonly bar: number | undefined;
}

/** How a session began; the price in units of 10^-12. */
export interface Beginning {
  readonly price: bigint;
  readonly timeUs: number;
  readonly offset: number;
}

interface Waiting {
  readonly key: string;
  readonly trade: Trade;
  readonly offset: number;
  readonly session: number;
  readonly isAhead: boolean;
}

/**
 * Which trades of an instrument count, by the rules of the documentation: a trade once; none that is malformed,
 * suspicious, outside trading hours or at a price that is not allowed; none that was cancelled; one far ahead of the
 * others' time only once others confirm it. A late one counts into its session, but into no bar that is over.
 */
export class CountedTrades {
  doubt: Doubt | undefined;
  /** Bars of trades that were taken back or corrected. */
  readonly amendedBars = new Set<number>();
  private readonly rules: IndicatorRules;
  /** The session whose sums are wanted. */
  private readonly session: number | undefined;
  private readonly causeOffset: number;
  /** In the order in which they were counted. */
  private readonly counted = new Map<string, CountedTrade>();
  private readonly seen = new Set<string>();
  private waiting: Waiting[] = [];
  private clockUs: number | undefined;
  private watermarkUs = 0;
  private currentBar = Number.NEGATIVE_INFINITY;
  private reached = false;
  private began: Beginning | undefined;

  constructor(rules: IndicatorRules, session: number | undefined, causeOffset: number) {
    this.rules = rules;
    this.session = session;
    this.causeOffset = causeOffset;
  }

  /** True once the causing trade was counted on time: nothing after it belongs to the snapshot. */
  get isComplete(): boolean {
    return this.reached;
  }

  get trades(): readonly CountedTrade[] {
    return [...this.counted.values()];
  }

  /** The wanted session's first trade as it was counted, whatever became of it, and the least offset of its trades. */
  get beginning(): Beginning | undefined {
    return this.began;
  }

  /** The session in which a trade may count; undefined for one that never does. */
  sessionOf(trade: Trade): number | undefined {
    const { countsSuspicious, allowsNegativePrices, sessionAt } = this.rules;
    if (refusalOf(trade) !== undefined || (trade.suspicious && !countsSuspicious)) return undefined;
    return trade.price.isPositive() || allowsNegativePrices ? sessionAt(trade.eventTime) : undefined;
  }

  take(trade: Trade, fingerprint: string, offset: number): void {
    if (!this.isAccepted(fingerprint)) return;
    const session = this.sessionOf(trade);
    if (session === undefined) return;
    const key = keyOf(trade);
    if (this.seen.has(key) || this.waiting.some((other) => other.key === key)) return;
    const { eventTime: timeUs } = trade;
    const candidate: Waiting = { key, trade, offset, session, isAhead: false };
    const { clockUs } = this;
    if (clockUs === undefined) this.count(candidate);
    else if (timeUs < clockUs) this.takeLate(candidate, clockUs);
    else if (timeUs <= this.limitUs(clockUs)) {
      // Those that waited are not confirmed.
      this.passBy(this.waiting.splice(0), clockUs);
      this.count(candidate);
    } else this.takeAhead({ ...candidate, isAhead: true }, clockUs);
  }

  hear(watermark: Watermark, fingerprint: string): void {
    if (!this.isAccepted(fingerprint) || refusalOfWatermark(watermark) !== undefined) return;
    if (watermark.eventTime <= this.watermarkUs) return;
    this.watermarkUs = watermark.eventTime;
    const limit = this.limitUs(this.clockUs ?? 0);
    const proven = this.waiting.filter(({ trade }) => trade.eventTime <= limit);
    this.waiting = this.waiting.filter(({ trade }) => trade.eventTime > limit);
    for (const each of proven) this.count(each);
  }

  amend(amendment: Amendment, name: AmendmentName, fingerprint: string): void {
    if (!this.isAccepted(fingerprint) || refusalOfAmendment(amendment) !== undefined) return;
    if (name === 'TradeReleased') {
      this.doubt ??= 'RELEASED';
      return;
    }
    const key = keyOf(amendment);
    const counted = this.counted.get(key);
    this.amendedBars.add(Math.floor(amendment.eventTime / this.rules.barUs));
    if ('correctedPrice' in amendment) {
      if (counted === undefined) return;
      counted.price = amendment.correctedPrice.toUnits();
      counted.size = amendment.correctedSize.toUnits();
      return;
    }
    // One that comes after its own cancellation is already taken back.
    this.seen.add(key);
    this.counted.delete(key);
    this.waiting = this.waiting.filter((other) => other.key !== key);
  }

  private isAccepted(fingerprint: string): boolean {
    const isAccepted = this.rules.acceptedSchemas.has(fingerprint);
    // A later activation of the same configuration may accept it.
    if (!isAccepted) this.doubt ??= 'TAPE_SCHEMA';
    return isAccepted;
  }

  private takeLate(late: Waiting, clockUs: number): void {
    // Far before the very first trades, it is they that are in doubt.
    const isFar = late.trade.eventTime < clockUs - this.rules.clockStepUs;
    if (isFar && this.seen.size < this.rules.confirmingTrades) this.doubt ??= 'CLOCK';
    if (this.waiting.length > 0) this.wait(late);
    else this.count(late);
  }

  private takeAhead(ahead: Waiting, clockUs: number): void {
    const timeUs = ahead.trade.eventTime;
    const supporters = this.waiting.filter(({ trade, isAhead }) => isAhead && trade.eventTime <= timeUs).length;
    if (supporters + 1 < this.rules.confirmingTrades) {
      this.wait(ahead);
      return;
    }
    const limit = timeUs + this.rules.clockStepUs;
    const all = this.waiting.splice(0);
    const isProven = ({ trade }: Waiting): boolean => trade.eventTime <= limit;
    this.seen.add(ahead.key);
    this.passBy(
      all.filter((each) => !isProven(each)),
      clockUs,
    );
    for (const proven of all.filter(isProven)) this.count(proven);
    this.count(ahead);
  }

  private wait(candidate: Waiting): void {
    this.waiting.push(candidate);
    if (this.waiting.length > WAITING_TRADES_MAX) this.doubt ??= 'CLOCK';
  }

  /** Trades that waited in vain: they move no clock and are in no bar, but a session takes those that are its own. */
  private passBy(waited: readonly Waiting[], clockUs: number): void {
    for (const each of waited) {
      if (each.trade.eventTime <= clockUs) this.count(each);
      else if (each.session === this.rules.sessionAt(clockUs)) this.add(each, undefined);
      // Whether a session that has not begun takes it depends on the calendar's next one.
      else if (each.session === this.session) this.doubt ??= 'CLOCK';
    }
  }

  private count(candidate: Waiting): void {
    const { eventTime } = candidate.trade;
    const isOnTime = this.clockUs === undefined || eventTime >= this.clockUs;
    if (isOnTime) this.clockUs = eventTime;
    const bar = Math.floor(eventTime / this.rules.barUs);
    if (bar > this.currentBar) this.currentBar = bar;
    this.add(candidate, bar === this.currentBar ? bar : undefined);
    if (isOnTime && candidate.offset === this.causeOffset) this.reached = true;
  }

  private add({ key, trade, offset, session }: Waiting, bar: number | undefined): void {
    if (this.reached) return;
    this.seen.add(key);
    const { eventTime: timeUs, side } = trade;
    const [price, size] = [trade.price.toUnits(), trade.size.toUnits()];
    this.counted.set(key, { offset, timeUs, session, price, size, side, bar });
    if (session !== this.session) return;
    this.began = { price, timeUs, ...this.began, offset: Math.min(offset, this.began?.offset ?? offset) };
  }

  private limitUs(clockUs: number): number {
    return Math.max(clockUs, this.watermarkUs) + this.rules.clockStepUs;
  }
}

function keyOf({ tradeId, eventTime }: Pick<Trade, 'tradeId' | 'eventTime'>): string {
  return `${eventTime} ${tradeId}`;
}
