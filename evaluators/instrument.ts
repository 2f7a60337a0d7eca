import { Decimal } from '../contracts/decimal.ts';
import type { IndicatorSnapshot, Trade } from '../contracts/generated/events.ts';
import { TradeIdentities, type IdentitiesState } from '../contracts/trade-identities.ts';
import { Range, type RangeState } from './indicators/range.ts';
import { Sessions, type SessionsState } from './indicators/session.ts';
import { sessionIndexOf, type SessionWindow } from './indicators/vwap.ts';
import { OutcomeEvaluator, type OutcomeEvaluatorState, type Resolution } from './outcomes/outcome-evaluator.ts';
import { binSizeFrom, type EngineRules } from './rules.ts';
import { TradeIds, type TradeIdsState } from './trade-ids.ts';

/** Forecasts of one instrument that may be pending; at that number no snapshot is taken until one is resolved. */
export const PENDING_FORECASTS_MAX = 262_144;

/** State of an {@link Instrument}. */
export interface InstrumentState {
  readonly name: string;
  /** Time of the latest on-time trade, microseconds. */
  readonly clockUs: number;
  /** Time of the latest tick that spoke for it, microseconds; null before the first. */
  readonly tickUs: number | null;
  /** Time of the last snapshot's trade; null before the first. */
  readonly lastSnapshotUs: number | null;
  readonly binSize: string | null;
  readonly binSizeIsConfigured: boolean;
  readonly sessions: SessionsState;
  readonly range: RangeState;
  readonly tradeIds: TradeIdsState;
  readonly identities: IdentitiesState;
  readonly pending: OutcomeEvaluatorState;
}

/** The part of an `IndicatorSnapshot` that comes from the indicators. */
export type Measured = Pick<
  IndicatorSnapshot,
  | 'lastPrice'
  | 'vwap'
  | 'vwapDeviation'
  | 'pointOfControl'
  | 'valueAreaLow'
  | 'valueAreaHigh'
  | 'profileBinSize'
  | 'rangeHigh'
  | 'rangeLow'
  | 'barVolume'
  | 'meanBarVolume'
  | 'sessionVolume'
  | 'tradeCount'
  | 'firstOffset'
  | 'lastOffset'
>;

/** All that the engine knows of one instrument: its clock, indicators, trade ids seen, and pending forecasts. */
export class Instrument {
  readonly name: string;
  readonly outcomes: OutcomeEvaluator;
  readonly tradeIds: TradeIds;
  readonly identities: TradeIdentities;
  private rules: EngineRules;
  private window: SessionWindow;
  private sessions: Sessions;
  private range: Range;
  private binSize: Decimal | undefined;
  private binSizeIsConfigured: boolean;
  private clockUs: number;
  private tickUs: number | null;
  private lastSnapshotUs: number | null;
  private nextSnapshotUs: number;

  constructor(name: string, rules: EngineRules, state?: InstrumentState) {
    this.name = name;
    this.rules = rules;
    this.window = rules.sessionOf(name);
    if (state === undefined) {
      this.binSize = rules.binSizeOf(name);
      this.binSizeIsConfigured = this.binSize !== undefined;
    } else {
      this.binSize = state.binSize === null ? undefined : Decimal.of(state.binSize);
      this.binSizeIsConfigured = state.binSizeIsConfigured;
    }
    this.outcomes = OutcomeEvaluator.fromState(state?.pending ?? []);
    this.tradeIds = state === undefined ? new TradeIds() : TradeIds.fromState(state.tradeIds);
    this.identities = state === undefined ? new TradeIdentities() : TradeIdentities.fromState(state.identities);
    this.sessions = state === undefined ? new Sessions() : Sessions.fromState(state.sessions);
    this.range = state === undefined ? new Range(rules.range) : Range.fromState(rules.range, state.range);
    this.clockUs = state?.clockUs ?? 0;
    this.tickUs = state?.tickUs ?? null;
    this.lastSnapshotUs = state?.lastSnapshotUs ?? null;
    this.nextSnapshotUs = this.cadenceAfter(this.lastSnapshotUs);
  }

  toState(): InstrumentState {
    return {
      name: this.name,
      clockUs: this.clockUs,
      tickUs: this.tickUs,
      lastSnapshotUs: this.lastSnapshotUs,
      binSize: this.binSize?.toString() ?? null,
      binSizeIsConfigured: this.binSizeIsConfigured,
      sessions: this.sessions.toState(),
      range: this.range.toState(),
      tradeIds: this.tradeIds.toState(),
      identities: this.identities.toState(),
      pending: this.outcomes.toState(),
    };
  }

  /** Puts other rules in force. An indicator whose parameters changed restarts empty; all else goes on. */
  adopt(rules: EngineRules): void {
    const before = this.rules;
    const window = rules.sessionOf(this.name);
    const configured = rules.binSizeOf(this.name);
    const binChanged =
      configured === undefined ? this.binSizeIsConfigured : configured.compare(this.binSize ?? Decimal.ZERO) !== 0;
    if (binChanged) this.binSize = configured;
    this.binSizeIsConfigured = configured !== undefined;
    if (window.anchorUs !== this.window.anchorUs || window.lengthUs !== this.window.lengthUs) {
      this.sessions = new Sessions();
    } else if (binChanged || rules.profileKey !== before.profileKey) {
      this.sessions.restartProfiles();
    }
    if (rules.rangeKey !== before.rangeKey) this.range = new Range(rules.range);
    this.window = window;
    this.rules = rules;
    this.nextSnapshotUs = this.cadenceAfter(this.lastSnapshotUs);
  }

  /** True when a trade is not before the instrument's clock. Only such a trade resolves and triggers. */
  isOnTime(trade: Trade): boolean {
    return trade.eventTime >= this.clockUs;
  }

  /**
   * Takes in that every trade before a time is known, and takes out the forecasts that are VOID by that. It moves no
   * trade clock: venues' clocks differ from ours. A tick that is not later than another one has no effect.
   */
  tick(timeUs: number): readonly Resolution[] {
    if (this.tickUs !== null && timeUs <= this.tickUs) return [];
    this.tickUs = timeUs;
    return this.outcomes.expire(timeUs);
  }

  /** Counts a trade, late or not, that was not seen before. */
  count(trade: Trade, offset: number): void {
    const { eventTime, price, size } = trade;
    if (eventTime > this.clockUs) this.clockUs = eventTime;
    this.binSize ??= binSizeFrom(price);
    const volume = size.toNumber();
    const index = sessionIndexOf(eventTime, this.window);
    this.sessions.add(index, offset, this.binSize, price, price.toNumber(), volume);
    this.range.add(eventTime, price, volume, offset);
  }

  /** True when an on-time trade is the first of its cadence interval. */
  isSnapshotDue(trade: Trade): boolean {
    return trade.eventTime >= this.nextSnapshotUs && this.outcomes.pendingCount < PENDING_FORECASTS_MAX;
  }

  /** The indicators at an on-time trade that was just counted; notes that a snapshot was taken. */
  measure(trade: Trade, offset: number): Measured {
    this.lastSnapshotUs = trade.eventTime;
    this.nextSnapshotUs = this.cadenceAfter(trade.eventTime);
    const { current } = this.sessions;
    const area = current?.profile?.valueArea(this.rules.valueAreaShare, this.rules.valueAreaRule);
    const vwap = current?.vwap.average;
    const deviation = current?.vwap.deviation;
    if (current === undefined || area === undefined || vwap === undefined || deviation === undefined) {
      throw new Error(`no trade was counted before the snapshot of ${this.name} at offset ${offset}`);
    }
    const { bounds } = this.range;
    return {
      lastPrice: trade.price,
      vwap,
      vwapDeviation: deviation,
      ...area,
      profileBinSize: null,
      rangeHigh: bounds?.high ?? null,
      rangeLow: bounds?.low ?? null,
      barVolume: this.range.barVolume,
      meanBarVolume: bounds?.meanVolume ?? null,
      sessionVolume: current.vwap.totalVolume,
      tradeCount: current.vwap.tradeCount,
      firstOffset: Math.min(current.firstOffset, this.range.firstOffset ?? offset),
      lastOffset: offset,
    };
  }

  /** Start of the cadence interval after the one of a time: `floor(t / cadence)` must grow. */
  private cadenceAfter(timeUs: number | null): number {
    const { cadenceUs } = this.rules;
    if (timeUs === null || cadenceUs === 0) return 0;
    return (Math.floor(timeUs / cadenceUs) + 1) * cadenceUs;
  }
}
