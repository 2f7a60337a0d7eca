import type {
  ClockTick,
  Contribution,
  HitRule,
  IndicatorSnapshot,
  Outcome,
  ProbabilityDecision,
  StrategyResult,
  TapePosition,
  Trade,
} from '../contracts/generated/events.ts';
import { TOPIC_OF_DERIVED, type DerivedEvent, type DerivedName, type DerivedTopic } from '../contracts/topics.ts';
import { toSixDecimals } from './arithmetic.ts';
import type { Instrument } from './instrument.ts';
import type { Resolution } from './outcomes/outcome-evaluator.ts';
import type { EnabledStrategy, EngineRules } from './rules.ts';

/** A derived event before it is encoded. */
export interface EngineEvent {
  readonly topic: DerivedTopic;
  readonly type: DerivedName;
  readonly event: DerivedEvent;
}

/** What an event is stamped with: where on the tape, by which engine, and its number in its topic. */
export interface Stamp {
  readonly partition: number;
  readonly engineVersion: string;
  readonly configHash: string;
  readonly rules: EngineRules;
  /** Topic to the sequence of its next event; advanced with each event. */
  readonly nextSequences: Record<DerivedTopic, number>;
}

/** What became of a trade. */
export interface TradeStep {
  readonly counted: 'ON_TIME' | 'LATE' | 'DUPLICATE';
  readonly events: readonly EngineEvent[];
}

const NO_EVENTS: readonly EngineEvent[] = [];
const ON_TIME_SILENT: TradeStep = { counted: 'ON_TIME', events: NO_EVENTS };
const LATE: TradeStep = { counted: 'LATE', events: NO_EVENTS };
const DUPLICATE: TradeStep = { counted: 'DUPLICATE', events: NO_EVENTS };

/**
 * One step of the engine: a well-formed trade of an instrument, at a tape offset.
 *
 * 1. The forecasts due are resolved with it. 2. It is counted into the indicators. 3. At the cadence: snapshot, each
 * enabled strategy, decision, new pending forecasts. So a decision uses nothing later than its trade. A late trade is
 * counted only; one seen before has no effect.
 */
export function stepTrade(instrument: Instrument, trade: Trade, offset: number, stamp: Stamp): TradeStep {
  instrument.identities.add(trade.tradeId, trade.eventTime);
  if (!instrument.tradeIds.add(trade.tradeId)) return DUPLICATE;
  if (!instrument.isOnTime(trade)) {
    instrument.count(trade, offset);
    return LATE;
  }
  const isResolving = instrument.outcomes.nextDueTime <= trade.eventTime;
  const isSnapshotDue = instrument.isSnapshotDue(trade);
  if (!isResolving && !isSnapshotDue) {
    instrument.count(trade, offset);
    return ON_TIME_SILENT;
  }
  const events: EngineEvent[] = [];
  const step = new Emission('trade', trade.eventTime, offset, stamp, events);
  if (isResolving) {
    const resolutions = instrument.outcomes.resolve(trade.eventTime, trade.price);
    for (const resolution of resolutions) step.outcome(instrument.name, resolution, trade);
  }
  instrument.count(trade, offset);
  if (instrument.isSnapshotDue(trade)) {
    const snapshot = step.snapshot(instrument, trade);
    const results = stamp.rules.strategies.map((strategy, index) => step.result(instrument, strategy, snapshot, index));
    step.decision(instrument, snapshot, results);
  }
  return { counted: 'ON_TIME', events };
}

/**
 * One step of the engine: a well-formed tick, at a tape offset. Of each instrument that it speaks for, in its order, the
 * forecasts whose grace ended before it become VOID: no trade can come any more that would resolve them. Nothing else
 * happens.
 *
 * @param instruments - those with a trade so far, by name.
 */
export function stepTick(
  instruments: ReadonlyMap<string, Instrument>,
  tick: ClockTick,
  offset: number,
  stamp: Stamp,
): readonly EngineEvent[] {
  const events: EngineEvent[] = [];
  const step = new Emission('tick', tick.eventTime, offset, stamp, events);
  for (const name of tick.instruments) {
    const resolutions = instruments.get(name)?.tick(tick.eventTime) ?? [];
    for (const resolution of resolutions) step.outcome(name, resolution, undefined);
  }
  return events;
}

/** Builds the events that one tape record causes, in order. */
class Emission {
  /** The record as a parent: it is named by its place on the tape, as events are. */
  private readonly cause: string;
  private readonly eventTime: number;
  private readonly tape: TapePosition;
  private readonly stamp: Stamp;
  private readonly events: EngineEvent[];
  private readonly place: string;
  private outcomes = 0;

  constructor(kind: 'trade' | 'tick', eventTime: number, offset: number, stamp: Stamp, events: EngineEvent[]) {
    this.eventTime = eventTime;
    this.tape = { partition: stamp.partition, offset };
    this.stamp = stamp;
    this.events = events;
    this.place = `${stamp.partition}-${offset}`;
    this.cause = `${kind}-${this.place}-0`;
  }

  /** @param trade - the one that was observed; undefined where a tick says that there is none. */
  outcome(instrument: string, { forecast, verdict, moveBps }: Resolution, trade: Trade | undefined): void {
    const observed = verdict === 'VOID' ? undefined : trade;
    this.emit<Outcome>('Outcome', {
      ...this.header('Outcome', 'outcome', this.outcomes, instrument, [forecast.forecastId, this.cause]),
      forecastId: forecast.forecastId,
      forecastKind: forecast.kind,
      strategy: forecast.strategy,
      direction: forecast.direction,
      probability: forecast.probability,
      verdict,
      forecastTime: forecast.forecastTime,
      dueTime: forecast.dueTime,
      referencePrice: forecast.referencePrice,
      observedPrice: observed?.price ?? null,
      observedTime: observed?.eventTime ?? null,
      moveBps,
      movePoints: observed === undefined ? null : observed.price.minus(forecast.referencePrice),
      resolvingTradeId: observed?.tradeId ?? null,
    });
    this.outcomes += 1;
  }

  snapshot(instrument: Instrument, trade: Trade): IndicatorSnapshot {
    return this.emit<IndicatorSnapshot>('IndicatorSnapshot', {
      ...this.header('IndicatorSnapshot', 'snapshot', 0, instrument.name, [this.cause]),
      ...instrument.measure(trade, this.tape.offset),
    });
  }

  result(
    instrument: Instrument,
    strategy: EnabledStrategy,
    snapshot: IndicatorSnapshot,
    index: number,
  ): StrategyResult {
    const opinion = strategy.evaluate(snapshot);
    const { scorer } = this.stamp.rules;
    const confidence = scorer.score(opinion.quality, snapshot.tradeCount);
    const result = this.emit<StrategyResult>('StrategyResult', {
      ...this.header('StrategyResult', 'result', index, instrument.name, [snapshot.eventId]),
      strategy: strategy.name,
      direction: opinion.direction,
      probability: toSixDecimals(opinion.probability),
      confidence,
      level: scorer.levelOf(confidence),
      indicators: opinion.indicators,
      reasoning: opinion.reasoning,
      hitRule: this.hitRule(snapshot),
    });
    this.register(instrument, result, strategy.name);
    return result;
  }

  decision(instrument: Instrument, snapshot: IndicatorSnapshot, results: readonly StrategyResult[]): void {
    const { probabilityEngine, scorer, strategies } = this.stamp.rules;
    const contributions = results.map((result, index): Contribution => {
      const { strategy, eventId, direction, probability, confidence } = result;
      const weight = strategies[index]?.weight ?? 0;
      const evidence = probabilityEngine.evidenceOf(direction, probability);
      return { strategy, resultId: eventId, direction, probability, confidence, weight, evidence };
    });
    const pooled = probabilityEngine.pool(contributions);
    const causes = results.length > 0 ? results.map(({ eventId }) => eventId) : [snapshot.eventId];
    const decision = this.emit<ProbabilityDecision>('ProbabilityDecision', {
      ...this.header('ProbabilityDecision', 'decision', 0, instrument.name, causes),
      direction: pooled.direction,
      probability: pooled.probability,
      confidence: pooled.confidence,
      level: scorer.levelOf(pooled.confidence),
      contributions,
      reasoning: pooled.reasoning,
      hitRule: this.hitRule(snapshot),
    });
    this.register(instrument, decision, null);
  }

  private hitRule({ lastPrice }: IndicatorSnapshot): HitRule {
    const { horizonMs, minMoveBps } = this.stamp.rules;
    return { horizonMs, minMoveBps, referencePrice: lastPrice, minMovePoints: null };
  }

  private register(instrument: Instrument, forecast: StrategyResult | ProbabilityDecision, strategy: string | null) {
    if (forecast.direction === 'NEUTRAL') return;
    const { horizonUs, graceUs, minMoveBps } = this.stamp.rules;
    instrument.outcomes.register({
      forecastId: forecast.eventId,
      kind: strategy === null ? 'DECISION' : 'STRATEGY',
      strategy,
      direction: forecast.direction,
      probability: forecast.probability,
      forecastTime: forecast.eventTime,
      dueTime: forecast.eventTime + horizonUs,
      graceUs,
      minMoveBps,
      referencePrice: forecast.hitRule.referencePrice,
    });
  }

  /** The fields that every derived event begins with. */
  private header(type: DerivedName, kind: string, number: number, instrument: string, causes: readonly string[]) {
    const { engineVersion, configHash, nextSequences } = this.stamp;
    return {
      eventId: `${kind}-${this.place}-${number}`,
      instrument,
      eventTime: this.eventTime,
      tape: this.tape,
      sequence: nextSequences[TOPIC_OF_DERIVED[type]],
      causes,
      engineVersion,
      configHash,
    };
  }

  private emit<Event extends DerivedEvent>(type: DerivedName, event: Event): Event {
    const topic = TOPIC_OF_DERIVED[type];
    this.stamp.nextSequences[topic] += 1;
    this.events.push({ topic, type, event });
    return event;
  }
}
