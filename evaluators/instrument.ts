import type { Trade, TradeCorrected } from '../contracts/generated/events.ts';
import type { AmendmentName } from '../contracts/tape-content.ts';
import type { Amendment } from '../contracts/trade-rules.ts';
import { measure, type Measured } from './indicators/measured.ts';
import type { Session } from './indicators/session.ts';
import { MarketClock, type MarketClockState, type UnprovenTrade } from './market-clock.ts';
import { calibrationsOf, type RuleCalibration, type RuleCalibrationState } from './calibration/rule-calibration.ts';
import type { HitRuleTerms } from './outcomes/hit-rule.ts';
import {
  OutcomeEvaluator,
  type MadeUnder,
  type OutcomeEvaluatorState,
  type Resolution,
} from './outcomes/outcome-evaluator.ts';
import type { EngineRules, InstrumentRules } from './rules.ts';
import { StatePart } from './state-pages.ts';
import { SnapshotCadence } from './snapshot-cadence.ts';
import { SilentSessions } from './silent-sessions.ts';
import type { SessionSpan } from './sessions/session-calendar.ts';
import { TradeSums, type TradeSumsState } from './trade-sums.ts';
import { COUNTED_AS, NOTHING_SEEN, type SetAsideKind, type TradeCounts, type TradeFate } from './trade-counts.ts';

/**
 * Snapshots under a hit rule, of one instrument, that may be pending; at that number no more are taken until one is
 * resolved.
 */
export const PENDING_POINTS_MAX = 131_072;

/** State of an {@link Instrument}. */
export interface InstrumentState extends TradeSumsState {
  readonly name: string;
  readonly clock: MarketClockState;
  /** Time of the last snapshot's trade; null before the first. */
  readonly lastSnapshotUs: number | null;
  /** Numbers of the sessions, ascending, in which a price below 0 was refused: nothing is decided in them. */
  readonly silentSessions: readonly number[];
  readonly pending: OutcomeEvaluatorState;
  readonly calibrations: readonly RuleCalibrationState[];
  readonly counts: TradeCounts;
}

const NONE: readonly UnprovenTrade[] = [];

/** All that the engine knows about one instrument: its clock, indicators, the trades seen, and pending forecasts. */
export class Instrument {
  readonly name: string;
  readonly outcomes: OutcomeEvaluator;
  private rules: EngineRules;
  private own: InstrumentRules;
  private readonly clock: MarketClock;
  private readonly sums: TradeSums;
  private silentSessions: SilentSessions;
  private learned: ReadonlyMap<string, RuleCalibration>;
  private readonly cadence: SnapshotCadence;
  private readonly counted: { -readonly [Count in keyof TradeCounts]: TradeCounts[Count] };
  /** As last written; undefined once a record may have changed it. */
  private writtenPart: StatePart<InstrumentState> | undefined;
  private proven: readonly UnprovenTrade[] = NONE;
  private disproved: readonly UnprovenTrade[] = NONE;

  constructor(name: string, rules: EngineRules, state?: InstrumentState) {
    this.name = name;
    this.rules = rules;
    this.own = rules.of(name);
    this.clock = new MarketClock(rules.clock, state?.clock);
    this.outcomes = OutcomeEvaluator.fromState(state?.pending ?? []);
    this.sums = new TradeSums(rules, this.own, state);
    this.silentSessions = new SilentSessions(state?.silentSessions);
    this.learned = calibrationsOf(this.own.hitRules, rules.calibration, state?.calibrations ?? []);
    this.cadence = new SnapshotCadence(rules.cadenceUs, state?.lastSnapshotUs ?? null);
    this.counted = { ...(state?.counts ?? NOTHING_SEEN) };
  }

  /** The state, as a part that the next anchor does not write again if no record reached the instrument. */
  get part(): StatePart<InstrumentState> {
    return (this.writtenPart ??= new StatePart(() => this.toState()));
  }

  toState(): InstrumentState {
    return {
      name: this.name,
      clock: this.clock.toState(),
      lastSnapshotUs: this.cadence.lastUs,
      ...this.sums.toState(),
      silentSessions: this.silentSessions.toState(),
      pending: this.outcomes.toState(),
      calibrations: this.calibrations.map((calibration) => calibration.toState()),
      counts: { ...this.counted },
    };
  }

  /** The fates of its trades since the beginning of the tape. */
  get counts(): TradeCounts {
    return { ...this.counted };
  }

  /** Its market time, microseconds; 0 before its first trade on time. */
  get timeUs(): number {
    return this.clock.timeUs;
  }

  /** Trades whose stamps are neither proven nor disproved yet. */
  get waitingTrades(): readonly UnprovenTrade[] {
    return this.clock.waitingTrades;
  }

  /** Why no snapshot is taken now, for people; undefined when one may be. */
  get silence(): string | undefined {
    if (this.isSilent()) return `a price below 0 was refused in this session: the sums lack that trade`;
    if (this.outcomes.pendingCount < PENDING_POINTS_MAX) return undefined;
    return `the forecasts of ${PENDING_POINTS_MAX} snapshots are pending`;
  }

  /** The sums in memory, ascending by session; for audits and tests. */
  get heldSessions(): readonly Session[] {
    return this.sums.sessions.all;
  }

  /** The calibration under each hit rule in force, in the order of the configuration. */
  get calibrations(): readonly RuleCalibration[] {
    return [...this.learned.values()];
  }

  /** Undefined for a rule that is no longer in force. */
  calibrationOf(rule: HitRuleTerms): RuleCalibration | undefined {
    return this.learned.get(rule.key);
  }

  /**
   * Puts other rules in force. An indicator whose parameters changed restarts empty, and so does the calibration of a
   * formula that changed; all else continues.
   *
   * @param former - the rules in force before.
   */
  adopt(rules: EngineRules, former: MadeUnder): void {
    this.writtenPart = undefined;
    this.outcomes.replaceActivation(former);
    const ownBefore = this.own;
    this.rules = rules;
    this.own = rules.of(this.name);
    this.clock.rules = rules.clock;
    if (this.own.sessionKey !== ownBefore.sessionKey) this.silentSessions = new SilentSessions();
    this.sums.adopt(rules, this.own);
    const learned = this.calibrations.map((calibration) => calibration.toState());
    this.learned = calibrationsOf(this.own.hitRules, rules.calibration, learned);
    this.cadence.adopt(rules.cadenceUs);
  }

  /**
   * Decides the fate of a trade and applies it, except for a trade on time: that one first resolves forecasts, and is
   * then counted by {@link count}.
   */
  admit(trade: Trade, offset: number): TradeFate {
    this.writtenPart = undefined;
    const fate = this.fateOf(trade, offset);
    if (fate !== 'ON_TIME') this.counted[COUNTED_AS[fate]] += 1;
    return fate;
  }

  /** Trades that waited and that the last record has proven, in the order of the tape. To be called after each record. */
  takeProven(): readonly UnprovenTrade[] {
    const { proven } = this;
    this.proven = NONE;
    return proven;
  }

  /** Like {@link admit}, for a trade that waited and is proven: `ON_TIME` unless it is before another such trade. */
  readmit({ trade, offset, isAhead }: UnprovenTrade): TradeFate {
    const fate = this.fateOfProven(trade, offset);
    // It was counted as ahead, or as late behind one that was ahead.
    this.counted[isAhead ? 'ahead' : 'late'] -= 1;
    if (fate !== 'ON_TIME') this.counted[COUNTED_AS[fate]] += 1;
    return fate;
  }

  /** The fate of a trade that was admitted as on time and proved others, which are stepped: they moved the clock. */
  settleConfirming(trade: Trade, offset: number): TradeFate {
    const fate = this.fateOfProven(trade, offset);
    if (fate !== 'ON_TIME') this.counted[COUNTED_AS[fate]] += 1;
    return fate;
  }

  private fateOfProven(trade: Trade, offset: number): TradeFate {
    const { tradeId, eventTime } = trade;
    const span = this.sums.sessions.spanAt(eventTime);
    if (span === undefined) return 'OUTSIDE';
    if (eventTime < this.clock.timeUs) return this.countLate(trade, span, offset);
    return this.sums.seen.add(tradeId, eventTime) ? 'ON_TIME' : 'DUPLICATE';
  }

  /** Trades that the last one admitted has disproved: their time stamps were wrong. To be called after each trade. */
  takeDisproved(): readonly UnprovenTrade[] {
    const { disproved } = this;
    this.disproved = NONE;
    return disproved;
  }

  private fateOf(trade: Trade, offset: number): TradeFate {
    const { eventTime, tradeId } = trade;
    if (trade.suspicious && !this.rules.countsSuspicious) return 'SUSPICIOUS';
    const span = this.sums.sessions.spanAt(eventTime);
    if (span === undefined) return 'OUTSIDE';
    if (!trade.price.isPositive() && !this.own.allowsNegativePrices) {
      if (trade.price.whole < 0) this.silentSessions.add(span.index, this.sums.sessions.current?.span.index);
      return 'REFUSED';
    }
    const standing = this.clock.judge(eventTime);
    if (standing === 'ON_TIME') {
      if (!this.sums.seen.add(tradeId, eventTime)) return 'DUPLICATE';
      if (this.clock.waitingTrades.length > 0) this.passBy(this.clock.endWaiting().disproved);
      return 'ON_TIME';
    }
    if (standing === 'AHEAD' || standing === 'CONFIRMED') {
      // Nothing confirms itself.
      if (this.clock.isWaiting(tradeId, eventTime)) return 'DUPLICATE';
      if (standing === 'CONFIRMED') return this.confirm(trade);
      this.wait({ trade, offset, isAhead: true });
      return 'AHEAD';
    }
    if (standing === 'CONTESTED') {
      this.fallBackTo(eventTime);
      return this.sums.seen.add(tradeId, eventTime) ? 'ON_TIME' : 'DUPLICATE';
    }
    return this.clock.waitingTrades.length === 0
      ? this.countLate(trade, span, offset)
      : this.waitBehind(trade, span, offset);
  }

  /** A late trade while others wait: it is counted after them, in the order of the tape. */
  private waitBehind(trade: Trade, span: SessionSpan, offset: number): TradeFate {
    const { tradeId, eventTime } = trade;
    if (this.sums.sessions.placeOf(span) === 'TOO_OLD') return 'TOO_LATE';
    if (!this.sums.seen.canJudge(eventTime)) return 'UNJUDGED';
    if (this.sums.seen.has(tradeId, eventTime) || this.clock.isWaiting(tradeId, eventTime)) return 'DUPLICATE';
    this.wait({ trade, offset, isAhead: false });
    return 'LATE';
  }

  private countLate(trade: Trade, span: SessionSpan, offset: number): TradeFate {
    const { tradeId, eventTime } = trade;
    if (this.sums.sessions.placeOf(span) === 'TOO_OLD') return 'TOO_LATE';
    if (!this.sums.seen.canJudge(eventTime)) return 'UNJUDGED';
    if (!this.sums.seen.add(tradeId, eventTime)) return 'DUPLICATE';
    this.settle(trade, offset);
    this.sums.countLate(trade, span, offset);
    this.note(trade);
    return 'LATE';
  }

  private confirm(trade: Trade): TradeFate {
    if (this.sums.seen.has(trade.tradeId, trade.eventTime)) return 'DUPLICATE';
    const { proven, disproved } = this.clock.endWaiting(trade.eventTime);
    this.proven = proven;
    if (disproved.length > 0) this.passBy(disproved);
    return 'ON_TIME';
  }

  private wait(unproven: UnprovenTrade): void {
    const crowdedOut = this.clock.wait(unproven);
    if (crowdedOut !== undefined) this.passBy([crowdedOut]);
  }

  /** Counts an on-time trade; the forecasts that it resolves were resolved before. */
  count(trade: Trade, offset: number): void {
    this.clock.moveTo(trade.eventTime);
    this.sums.countOnTime(trade, offset);
    if (!this.clock.settled) this.settle(trade, offset);
    this.note(trade);
    this.counted.onTime += 1;
  }

  /** True when a snapshot is due at an on-time trade: it begins a new interval, and every indicator can be measured. */
  isSnapshotDue(trade: Trade): boolean {
    return (
      this.cadence.isDue(trade.eventTime) &&
      this.outcomes.pendingCount < PENDING_POINTS_MAX &&
      (this.silentSessions.isEmpty || !this.isSilent())
    );
  }

  /**
   * Notes that every trade before a time is known, and removes the forecasts that are therefore VOID. It does not move
   * a trade clock: venues' clocks differ from ours. A watermark that is not later than another one has no effect.
   */
  watermark(timeUs: number): readonly Resolution[] {
    const { watermarkUs } = this.clock;
    return watermarkUs !== null && timeUs < watermarkUs ? [] : this.outcomes.expire(timeUs);
  }

  /**
   * Proves the trades that waited for a watermark's time: to be stepped before {@link watermark}. False for a watermark
   * that is not news.
   */
  hearWatermark(timeUs: number): boolean {
    const { watermarkUs } = this.clock;
    if (watermarkUs !== null && timeUs <= watermarkUs) return false;
    this.writtenPart = undefined;
    this.proven = this.clock.watermarkTo(timeUs);
    return true;
  }

  /** Applies an amendment of a trade on the tape: from here on the sums are as if the trade had been so. */
  amend(amendment: Amendment, name: AmendmentName, offset: number): SetAsideKind {
    this.writtenPart = undefined;
    const fate =
      name === 'TradeReleased'
        ? this.release(amendment, offset)
        : this.takeBack(amendment, 'correctedPrice' in amendment ? amendment : undefined, offset);
    this.counted[fate] += 1;
    return fate;
  }

  private takeBack(
    original: Amendment,
    correction: TradeCorrected | undefined,
    offset: number,
  ): 'cancelled' | 'corrected' | 'unmatched' {
    const { tradeId, eventTime } = original;
    if (!this.clock.isWaiting(tradeId, eventTime)) return this.sums.takeBack(original, correction, offset);
    // No sum holds it yet.
    if (correction !== undefined || !this.sums.cancelUncounted(original)) return 'unmatched';
    this.takeOut(tradeId, eventTime);
    return 'cancelled';
  }

  /** An operator vouches for a time stamp that was judged wrong. */
  private release(released: Amendment, offset: number): 'released' | 'unmatched' {
    const { tradeId, eventTime } = released;
    const span = this.sums.sessions.spanAt(eventTime);
    if (span === undefined) return 'unmatched';
    const waiting = this.takeOut(tradeId, eventTime);
    if (eventTime > this.clock.timeUs) {
      this.clock.moveTo(eventTime);
      this.sums.enter(span, offset);
    }
    if (this.sums.sessions.placeOf(span) !== 'HELD') return 'unmatched';
    if (!this.sums.seen.add(tradeId, eventTime)) return 'unmatched';
    this.sums.countInSession(released, span, waiting?.offset ?? offset);
    this.note(released);
    return 'released';
  }

  /** A trade that waits no more; it is counted by its fate. */
  private takeOut(tradeId: string, eventTime: number): UnprovenTrade | undefined {
    const waiting = this.clock.takeOut(tradeId, eventTime);
    if (waiting !== undefined) this.counted[waiting.isAhead ? 'ahead' : 'late'] -= 1;
    return waiting;
  }

  private fallBackTo(timeUs: number): void {
    const disproved = this.clock.fallBackTo(timeUs);
    const span = this.sums.sessions.spanAt(this.clock.timeUs);
    this.sums.fallBackTo(span);
    this.cadence.restart();
    // They were counted: those whose session is in memory remain counted, the others were dropped with theirs.
    this.disprove(disproved.filter(({ trade }) => !this.mayCount(trade)));
  }

  private settle(trade: Trade, offset: number): void {
    this.clock.settleBy({ trade, offset, isAhead: false });
  }

  /** Trades that waited and did not happen then: a wrong order is not a wrong time stamp, so a session takes those it can. */
  private passBy(trades: readonly UnprovenTrade[]): void {
    for (const unproven of trades) {
      const { trade, offset } = unproven;
      const span = this.sums.sessions.spanAt(trade.eventTime);
      if (span !== undefined && trade.eventTime <= this.clock.timeUs) this.countLate(trade, span, offset);
      else if (span === undefined || this.sums.sessions.placeOf(span) !== 'HELD') this.disprove([unproven]);
      else if (this.sums.seen.add(trade.tradeId, trade.eventTime)) {
        this.sums.countInSession(trade, span, offset);
        this.note(trade);
      }
    }
  }

  private mayCount({ eventTime }: Trade): boolean {
    const span = this.sums.sessions.spanAt(eventTime);
    return span !== undefined && this.sums.sessions.placeOf(span) === 'HELD';
  }

  private disprove(trades: readonly UnprovenTrade[]): void {
    if (trades.length === 0) return;
    this.counted.setAside += trades.length;
    this.disproved = [...this.disproved, ...trades];
  }

  private isSilent(): boolean {
    const { current } = this.sums.sessions;
    return current !== undefined && this.silentSessions.has(current.span.index);
  }

  private note({ eventTime }: Pick<Trade, 'eventTime'>): void {
    const { counted } = this;
    counted.counted += 1;
    if (counted.firstTradeUs === null || eventTime < counted.firstTradeUs) counted.firstTradeUs = eventTime;
    if (counted.lastTradeUs === null || eventTime > counted.lastTradeUs) counted.lastTradeUs = eventTime;
  }

  /** The indicators at an on-time trade that was just counted; notes that a snapshot was taken. */
  measure(trade: Trade, offset: number): Measured {
    this.cadence.taken(trade.eventTime);
    return measure(this.sums.sessions.current, this.sums.range, this.rules, trade, offset);
  }
}
