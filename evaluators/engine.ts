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
import type { UnprovenTrade } from './market-clock.ts';
import type { Resolution } from './outcomes/outcome-evaluator.ts';
import type { EnabledStrategy, EngineRules } from './rules.ts';
import type { TradeFate } from './trade-counts.ts';

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
  readonly fate: TradeFate;
  readonly events: readonly EngineEvent[];
}

const NO_EVENTS: readonly EngineEvent[] = [];
const ON_TIME_SILENT: TradeStep = { fate: 'ON_TIME', events: NO_EVENTS };

/**
 * One step of the engine: a well-formed trade of an instrument, at a tape offset.
 *
 * 1. The forecasts due are resolved with it. 2. It is counted into the indicators. 3. At the cadence: snapshot, each
 * enabled strategy, decision, new pending forecasts. So a decision uses nothing later than its trade. A trade that is not
 * on time is counted at most, see `TradeFate`.
 */
export function stepTrade(instrument: Instrument, trade: Trade, offset: number, stamp: Stamp): TradeStep {
  const fate = instrument.admit(trade, offset);
  if (fate !== 'ON_TIME') return { fate, events: NO_EVENTS };
  const proven = instrument.takeProven();
  if (proven.length === 0 && isQuiet(instrument, trade)) {
    instrument.count(trade, offset);
    return ON_TIME_SILENT;
  }
  const events: EngineEvent[] = [];
  const emission = new Emission(offset, stamp, events);
  stepProven(instrument, proven, emission);
  stepOnTime(instrument, trade, offset, emission);
  return { fate, events };
}

function isQuiet(instrument: Instrument, trade: Trade): boolean {
  return instrument.outcomes.nextDueTime > trade.eventTime && !instrument.isSnapshotDue(trade);
}

/** Trades that waited for this record to say that time went on: they are on time now, before it, in their order. */
function stepProven(instrument: Instrument, proven: readonly UnprovenTrade[], emission: Emission): void {
  for (const unproven of proven) {
    const { trade, offset } = unproven;
    if (instrument.readmit(unproven) === 'ON_TIME') stepOnTime(instrument, trade, offset, emission);
  }
}

function stepOnTime(instrument: Instrument, trade: Trade, offset: number, emission: Emission): void {
  emission.causedBy('trade', offset, trade.eventTime);
  if (instrument.outcomes.nextDueTime <= trade.eventTime) {
    const resolutions = instrument.outcomes.resolve(trade.eventTime, trade.price);
    for (const resolution of resolutions) emission.outcome(instrument.name, resolution, trade);
  }
  instrument.count(trade, offset);
  if (!instrument.isSnapshotDue(trade)) return;
  const snapshot = emission.snapshot(instrument, trade);
  const results = emission.rules.strategies.map((strategy) => emission.result(instrument, strategy, snapshot));
  emission.decision(instrument, snapshot, results);
}

/**
 * One step of the engine: a well-formed tick, at a tape offset. Of each instrument that it speaks for, in its order: trades
 * that waited for time to go on are stepped, and the forecasts whose grace ended before it become VOID: no trade can come
 * any more that would resolve them.
 *
 * @param instrumentOf - gives an instrument by its name; undefined where there is no room for one more.
 */
export function stepTick(
  instrumentOf: (name: string) => Instrument | undefined,
  tick: ClockTick,
  offset: number,
  stamp: Stamp,
): readonly EngineEvent[] {
  const events: EngineEvent[] = [];
  const emission = new Emission(offset, stamp, events);
  for (const name of tick.instruments) {
    const instrument = instrumentOf(name);
    if (instrument?.hearTick(tick.eventTime) !== true) continue;
    stepProven(instrument, instrument.takeProven(), emission);
    emission.causedBy('tick', offset, tick.eventTime);
    for (const resolution of instrument.tick(tick.eventTime)) emission.outcome(name, resolution, undefined);
  }
  return events;
}

/**
 * Builds the events that one tape record leads to, in order. Each is placed at that record; its cause is the trade or tick
 * itself, which lies before it where the trade had to wait.
 */
class Emission {
  readonly rules: EngineRules;
  private readonly tape: TapePosition;
  private readonly stamp: Stamp;
  private readonly events: EngineEvent[];
  private readonly place: string;
  /** The cause as a parent: it is named by its place on the tape, as events are. */
  private cause = '';
  private causeOffset = 0;
  private eventTime = 0;
  private readonly numbers = { outcome: 0, snapshot: 0, result: 0, decision: 0 };

  constructor(offset: number, stamp: Stamp, events: EngineEvent[]) {
    this.tape = { partition: stamp.partition, offset };
    this.rules = stamp.rules;
    this.stamp = stamp;
    this.events = events;
    this.place = `${stamp.partition}-${offset}`;
  }

  /** What follows comes of this record. */
  causedBy(kind: 'trade' | 'tick', offset: number, eventTime: number): void {
    this.cause = `${kind}-${this.tape.partition}-${offset}-0`;
    this.causeOffset = offset;
    this.eventTime = eventTime;
  }

  /** @param trade - the one that was observed; undefined where a tick says that there is none. */
  outcome(instrument: string, { forecast, verdict, moveBps, movePoints }: Resolution, trade: Trade | undefined): void {
    const observed = verdict === 'VOID' ? undefined : trade;
    this.emit<Outcome>('Outcome', {
      ...this.header('Outcome', 'outcome', instrument, [forecast.forecastId, this.cause]),
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
      movePoints,
      resolvingTradeId: observed?.tradeId ?? null,
    });
  }

  snapshot(instrument: Instrument, trade: Trade): IndicatorSnapshot {
    return this.emit<IndicatorSnapshot>('IndicatorSnapshot', {
      ...this.header('IndicatorSnapshot', 'snapshot', instrument.name, [this.cause]),
      ...instrument.measure(trade, this.causeOffset),
    });
  }

  result(instrument: Instrument, strategy: EnabledStrategy, snapshot: IndicatorSnapshot): StrategyResult {
    const opinion = strategy.evaluate(snapshot);
    const { scorer } = this.rules;
    const confidence = scorer.score(opinion.quality, snapshot.tradeCount);
    const result = this.emit<StrategyResult>('StrategyResult', {
      ...this.header('StrategyResult', 'result', instrument.name, [snapshot.eventId]),
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
    const { probabilityEngine, scorer, strategies } = this.rules;
    const contributions = results.map((result, index): Contribution => {
      const { strategy, eventId, direction, probability, confidence } = result;
      const weight = strategies[index]?.weight ?? 0;
      const evidence = probabilityEngine.evidenceOf(direction, probability);
      return { strategy, resultId: eventId, direction, probability, confidence, weight, evidence };
    });
    const pooled = probabilityEngine.pool(contributions);
    const causes = results.length > 0 ? results.map(({ eventId }) => eventId) : [snapshot.eventId];
    const decision = this.emit<ProbabilityDecision>('ProbabilityDecision', {
      ...this.header('ProbabilityDecision', 'decision', instrument.name, causes),
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

  private hitRule({ instrument, lastPrice }: IndicatorSnapshot): HitRule {
    const { horizonMs, minMoveBps } = this.rules;
    const { minMovePoints } = this.rules.of(instrument);
    return { horizonMs, minMoveBps, referencePrice: lastPrice, minMovePoints };
  }

  private register(instrument: Instrument, forecast: StrategyResult | ProbabilityDecision, strategy: string | null) {
    if (forecast.direction === 'NEUTRAL') return;
    const { horizonUs, graceUs, minMoveBps } = this.rules;
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
      minMovePoints: forecast.hitRule.minMovePoints,
      referencePrice: forecast.hitRule.referencePrice,
    });
  }

  /** The fields that every derived event begins with. */
  private header(
    type: DerivedName,
    kind: 'outcome' | 'snapshot' | 'result' | 'decision',
    instrument: string,
    causes: readonly string[],
  ) {
    const { engineVersion, configHash, nextSequences } = this.stamp;
    const number = this.numbers[kind];
    this.numbers[kind] += 1;
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
