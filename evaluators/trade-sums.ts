import type { Decimal } from '../contracts/decimal.ts';
import type { Trade, TradeCorrected } from '../contracts/generated/events.ts';
import type { Amendment } from '../contracts/trade-rules.ts';
import { Amendments, type AmendmentsState } from './amendments.ts';
import { PriceRows } from './indicators/price-rows.ts';
import { Range, type RangeState } from './indicators/range.ts';
import { Sessions, type Session, type SessionsState } from './indicators/session.ts';
import { binSizeFrom, type EngineRules, type InstrumentRules } from './rules.ts';
import { SeenTrades, type SeenTradesState } from './seen-trades.ts';
import type { SessionSpan } from './sessions/session-calendar.ts';

/** State of {@link TradeSums}. */
export interface TradeSumsState extends SeenTradesState {
  readonly sessions: SessionsState;
  readonly range: RangeState;
  readonly amendments: AmendmentsState;
}

/**
 * What the trades of one instrument add up to, in sessions and in bars, and which of them were seen or amended: so that
 * each counts once, and can be taken back. Whether a trade counts, the instrument decides.
 */
export class TradeSums {
  readonly seen: SeenTrades;
  sessions: Sessions;
  range: Range;
  private readonly amendments: Amendments;
  private rules: EngineRules;
  private own: InstrumentRules;
  /** Rows of a profile that begins with a price: a bin size that is not configured is derived from that price. */
  private readonly rowsFrom = (price: Decimal): PriceRows =>
    this.own.binSize === undefined ? PriceRows.finerBelow(binSizeFrom(price)) : PriceRows.uniform(this.own.binSize);

  constructor(rules: EngineRules, own: InstrumentRules, state?: TradeSumsState) {
    this.rules = rules;
    this.own = own;
    this.seen = new SeenTrades(state);
    this.sessions = new Sessions(own.calendar, state?.sessions);
    this.range = state === undefined ? new Range(rules.range) : Range.fromState(rules.range, state.range);
    this.amendments = new Amendments(state?.amendments);
  }

  toState(): TradeSumsState {
    return {
      ...this.seen.toState(),
      sessions: this.sessions.toState(),
      range: this.range.toState(),
      amendments: this.amendments.toState(),
    };
  }

  /** Puts other rules in force: sums whose parameters changed restart empty. */
  adopt(rules: EngineRules, own: InstrumentRules): void {
    const [before, ownBefore] = [this.rules, this.own];
    this.rules = rules;
    this.own = own;
    if (own.sessionKey !== ownBefore.sessionKey) this.sessions = new Sessions(own.calendar);
    else if (own.binSize?.toString() !== ownBefore.binSize?.toString() || rules.profileKey !== before.profileKey) {
      this.sessions.restartProfiles();
    }
    if (rules.rangeKey !== before.rangeKey) this.range = new Range(rules.range);
  }

  /** Counts a trade in the session of its time, which the clock has reached. */
  countOnTime({ instrument, eventTime, price, size, side }: Trade, offset: number): void {
    const span = this.sessions.spanAt(eventTime);
    if (span === undefined) throw new Error(`a trade of ${instrument} outside its sessions was counted`);
    const before = this.sessions.current;
    const session = this.sessions.enter(span, offset);
    if (session !== before) this.forgetOlder();
    session.add(price, size, offset, this.rowsFrom);
    this.range.add(eventTime, price, size, side, offset);
  }

  /** Counts a trade in its session and, if that is still open, in its bar. */
  countLate(trade: Trade, span: SessionSpan, offset: number): void {
    this.countInSession(trade, span, offset);
    this.range.add(trade.eventTime, trade.price, trade.size, trade.side, offset);
  }

  /** Counts a trade in its session alone. */
  countInSession({ price, size }: Pick<Trade, 'price' | 'size'>, span: SessionSpan, offset: number): void {
    this.sessionFor(span, offset).add(price, size, offset, this.rowsFrom);
  }

  /** The clock has reached a session without a trade that is counted there. */
  enter(span: SessionSpan, offset: number): void {
    this.sessions.enter(span, offset);
    this.forgetOlder();
  }

  /** The clock went back: its first trades were wrong. @param span - the session that it is in now. */
  fallBackTo(span: SessionSpan | undefined): void {
    if (span !== undefined) this.sessions.enter(span, 0);
    this.range = new Range(this.rules.range);
  }

  /** Notes that a trade that no sum has is taken back: false where it was before, or is outside the sessions. */
  cancelUncounted({ tradeId, eventTime }: Amendment): boolean {
    if (this.sessions.spanAt(eventTime) === undefined || this.amendments.isCancelled(tradeId, eventTime)) return false;
    this.seen.add(tradeId, eventTime);
    this.amendments.cancel(tradeId, eventTime);
    return true;
  }

  /** Takes a trade out of the sums, or replaces it by its correction. */
  takeBack(
    original: Amendment,
    correction: TradeCorrected | undefined,
    offset: number,
  ): 'cancelled' | 'corrected' | 'unmatched' {
    const { tradeId, eventTime } = original;
    const span = this.sessions.spanAt(eventTime);
    if (span === undefined || this.amendments.isCancelled(tradeId, eventTime)) return 'unmatched';
    if (this.sessions.placeOf(span) !== 'HELD' || !this.seen.canJudge(eventTime)) {
      // Its session is over and forgotten; where trades are rare, its bar is not.
      this.range.drop(eventTime);
      return 'unmatched';
    }
    if (!this.seen.has(tradeId, eventTime)) {
      // A trade that comes after its own cancellation is already taken back.
      if (correction === undefined) this.cancelUncounted(original);
      return 'unmatched';
    }
    if (correction !== undefined && !this.amendments.canCorrect(correction)) return 'unmatched';
    const session = this.sessions.of(span, offset);
    const { price, size } = this.amendments.figuresOf(original);
    session.remove(price, size);
    this.range.remove(eventTime, price, size);
    if (correction === undefined) {
      this.amendments.cancel(tradeId, eventTime);
      return 'cancelled';
    }
    session.add(correction.correctedPrice, correction.correctedSize, session.firstOffset, this.rowsFrom);
    this.range.addBack(eventTime, correction.correctedPrice, correction.correctedSize);
    this.amendments.correct(correction);
    return 'corrected';
  }

  private sessionFor(span: SessionSpan, offset: number): Session {
    const session = this.sessions.of(span, offset);
    this.forgetOlder();
    return session;
  }

  /** Sessions into which no trade can count any more need not be remembered. */
  private forgetOlder(): void {
    const { earliestUs } = this.sessions;
    if (earliestUs === Number.NEGATIVE_INFINITY) return;
    this.seen.forgetBefore(earliestUs);
    this.amendments.forgetBefore(earliestUs);
  }
}
