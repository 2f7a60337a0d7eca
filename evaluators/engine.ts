import type { Decimal } from '../contracts/decimal.ts';
import type {
  Watermark,
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
import { NO_EVIDENCE } from './calibration/forecast-series.ts';
import type { RuleCalibration } from './calibration/rule-calibration.ts';
import type { PartitionContext } from './context/partition-context.ts';
import { signalCauseOf } from './context/signal.ts';
import type { Instrument } from './instrument.ts';
import type { UnprovenTrade } from './market-clock.ts';
import { isHitBy, type HitRuleTerms } from './outcomes/hit-rule.ts';
import type { PendingForecast, Resolution } from './outcomes/outcome-evaluator.ts';
import type { EngineRules } from './rules.ts';
import type { Opinion } from './strategies/strategy.ts';
import type { TradeFate } from './trade-counts.ts';

/** A derived event before it is encoded. */
export interface EngineEvent {
  readonly topic: DerivedTopic;
  readonly type: DerivedName;
  readonly event: DerivedEvent;
}

/** The origin of an event: its place on the tape, the engine, and its number in its topic. */
export interface Stamp {
  readonly partition: number;
  readonly engineVersion: string;
  readonly configHash: string;
  readonly rules: EngineRules;
  /** Topic to the sequence of its next event; advanced with each event. */
  readonly nextSequences: Record<DerivedTopic, number>;
  /** The signals on the tape so far. */
  readonly context: Pick<PartitionContext, 'inForce'>;
}

/** The fate of a trade. */
export interface TradeStep {
  readonly fate: TradeFate;
  readonly events: readonly EngineEvent[];
}

/**
 * Events of engine versions 1 to 3 carry the sentence: it is a function of their other fields, and makes up half of
 * their bytes.
 */
const MADE_WHERE_IT_IS_READ = '';

const NO_EVENTS: readonly EngineEvent[] = [];
const ON_TIME_SILENT: TradeStep = { fate: 'ON_TIME', events: NO_EVENTS };

/**
 * One step of the engine: a well-formed trade of an instrument, at a tape offset.
 *
 * 1. The forecasts due are resolved with it. 2. It is counted into the indicators. 3. At the cadence: snapshot, each
 * enabled strategy, decision, new pending forecasts. So a decision uses nothing later than its trade. A trade that is
 * not on time is only counted, if at all: see `TradeFate`.
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
  // One that it proves may be later than itself.
  const now = proven.length === 0 ? fate : instrument.settleConfirming(trade, offset);
  if (now === 'ON_TIME') stepOnTime(instrument, trade, offset, emission);
  return { fate: now, events };
}

function isQuiet(instrument: Instrument, trade: Trade): boolean {
  return !instrument.outcomes.isDue(trade.eventTime, trade.price) && !instrument.isSnapshotDue(trade);
}

/** Trades that waited for this record to show that time has advanced: they are now on time, before it, in their order. */
function stepProven(instrument: Instrument, proven: readonly UnprovenTrade[], emission: Emission): void {
  for (const unproven of proven) {
    const { trade, offset } = unproven;
    if (instrument.readmit(unproven) === 'ON_TIME') stepOnTime(instrument, trade, offset, emission);
  }
}

function stepOnTime(instrument: Instrument, trade: Trade, offset: number, emission: Emission): void {
  emission.causedBy('trade', offset, trade.eventTime);
  if (instrument.outcomes.isDue(trade.eventTime, trade.price)) {
    const resolutions = instrument.outcomes.resolve(trade.eventTime, trade.price);
    for (const resolution of resolutions) emission.outcomes(instrument, resolution, trade);
  }
  instrument.count(trade, offset);
  if (!instrument.isSnapshotDue(trade)) return;
  const snapshot = emission.snapshot(instrument, trade);
  const signals = emission.context.inForce(instrument.name, trade.eventTime);
  const opinions = emission.rules.strategies.map((strategy) => strategy.evaluate(snapshot, signals));
  for (const calibration of instrument.calibrations) emission.forecast(instrument, calibration, snapshot, opinions);
}

/**
 * One step of the engine: a well-formed watermark, at a tape offset. For each of its instruments, in its order: trades
 * that waited for time to advance are stepped, and the forecasts whose grace ended before it become VOID: no trade can
 * resolve them any more.
 *
 * @param instrumentOf - gives an instrument by its name; undefined when there is no room for another.
 */
export function stepWatermark(
  instrumentOf: (name: string) => Instrument | undefined,
  watermark: Watermark,
  offset: number,
  stamp: Stamp,
): readonly EngineEvent[] {
  const events: EngineEvent[] = [];
  const emission = new Emission(offset, stamp, events);
  for (const name of watermark.instruments) {
    const instrument = instrumentOf(name);
    if (instrument?.hearWatermark(watermark.eventTime) !== true) continue;
    stepProven(instrument, instrument.takeProven(), emission);
    emission.causedBy('watermark', offset, watermark.eventTime);
    for (const resolution of instrument.watermark(watermark.eventTime))
      emission.outcomes(instrument, resolution, undefined);
  }
  return events;
}

/**
 * Builds the events that one tape record leads to, in order. Each has that record's place; its cause is the trade or
 * watermark itself, which is an earlier record if the trade had to wait.
 */
class Emission {
  readonly rules: EngineRules;
  readonly context: Stamp['context'];
  private readonly tape: TapePosition;
  private readonly stamp: Stamp;
  private readonly events: EngineEvent[];
  private readonly place: string;
  /** The cause as a parent: it is named by its place on the tape, like events. */
  private cause = '';
  private causeOffset = 0;
  private eventTime = 0;
  private readonly numbers = { outcome: 0, snapshot: 0, result: 0, decision: 0 };

  constructor(offset: number, stamp: Stamp, events: EngineEvent[]) {
    this.tape = { partition: stamp.partition, offset };
    this.rules = stamp.rules;
    this.context = stamp.context;
    this.stamp = stamp;
    this.events = events;
    this.place = `${stamp.partition}-${offset}`;
  }

  /** The following events are caused by this record. */
  causedBy(kind: 'trade' | 'watermark', offset: number, eventTime: number): void {
    this.cause = `${kind}-${this.tape.partition}-${offset}-0`;
    this.causeOffset = offset;
    this.eventTime = eventTime;
  }

  /** @param trade - the one that was observed; undefined when a watermark states that there is none. */
  outcomes(instrument: Instrument, resolution: Resolution, trade: Trade | undefined): void {
    const calibration = instrument.calibrationOf(resolution.point.rule);
    calibration?.learnPoint(resolution);
    for (const forecast of resolution.point.forecasts) {
      const overlapWeight = calibration?.learnForecast(resolution, forecast, this.tape.offset) ?? null;
      this.outcome(instrument.name, resolution, forecast, overlapWeight, trade);
    }
  }

  private outcome(
    instrument: string,
    { point, dueTime, course, moveBps, movePoints }: Resolution,
    forecast: PendingForecast,
    overlapWeight: number | null,
    trade: Trade | undefined,
  ): void {
    const observed = course === 'VOID' ? undefined : trade;
    const { rule, referencePrice, madeUnder } = point;
    this.emit<Outcome>('Outcome', {
      ...this.header('Outcome', 'outcome', instrument, [forecast.forecastId, this.cause]),
      forecastId: forecast.forecastId,
      forecastKind: forecast.strategy === null ? 'DECISION' : 'STRATEGY',
      strategy: forecast.strategy,
      direction: forecast.direction,
      probability: forecast.probability,
      verdict: course === 'VOID' ? 'VOID' : isHitBy(forecast.direction, course) ? 'HIT' : 'MISS',
      forecastTime: point.forecastTime,
      dueTime,
      referencePrice,
      observedPrice: observed?.price ?? null,
      observedTime: observed?.eventTime ?? null,
      moveBps,
      movePoints,
      resolvingTradeId: observed?.tradeId ?? null,
      hitRuleKind: rule.kind,
      minMoveBps: rule.minMoveBps,
      minMovePoints: rule.minMovePoints,
      level: forecast.level,
      referenceRate: point.referenceRate,
      rawProbability: forecast.evidence?.rawProbability ?? null,
      calibratedProbability: forecast.evidence?.calibratedProbability ?? null,
      overlapWeight,
      forecastEngineVersion: madeUnder?.engineVersion ?? null,
      forecastConfigHash: madeUnder?.configHash ?? null,
    });
  }

  snapshot(instrument: Instrument, trade: Trade): IndicatorSnapshot {
    return this.emit<IndicatorSnapshot>('IndicatorSnapshot', {
      ...this.header('IndicatorSnapshot', 'snapshot', instrument.name, [this.cause]),
      ...instrument.measure(trade, this.causeOffset),
    });
  }

  /**
   * Each strategy's forecast under one hit rule, the decision pooled from them, and those of them that await their
   * outcome.
   */
  forecast(
    instrument: Instrument,
    calibration: RuleCalibration,
    snapshot: IndicatorSnapshot,
    opinions: readonly Opinion[],
  ): void {
    const { rule, reference } = calibration;
    const hitRule = hitRuleOf(rule, snapshot.lastPrice);
    const pending: PendingForecast[] = [];
    const register = (forecast: StrategyResult | ProbabilityDecision, strategy: string | null): void => {
      const { eventId: forecastId, direction, probability, level, calibration: evidence } = forecast;
      if (direction !== 'NEUTRAL') pending.push({ forecastId, strategy, direction, probability, level, evidence });
    };
    const results = this.rules.strategies.map((strategy, index) => {
      const opinion = opinions[index];
      if (opinion === undefined) throw new Error(`${strategy.name} has no opinion`);
      const result = this.result(instrument.name, strategy.name, calibration, snapshot, opinion, hitRule);
      register(result, strategy.name);
      return result;
    });
    register(this.decision(instrument.name, calibration, snapshot, results, hitRule), null);
    instrument.outcomes.register({
      rule,
      forecastTime: snapshot.eventTime,
      referencePrice: snapshot.lastPrice,
      referenceRate: reference.rate,
      forecasts: pending,
      madeUnder: null,
    });
  }

  private result(
    instrument: string,
    strategy: string,
    learned: RuleCalibration,
    snapshot: IndicatorSnapshot,
    opinion: Opinion,
    hitRule: HitRule,
  ): StrategyResult {
    const { scorer, probabilityEngine } = this.rules;
    const { direction } = opinion;
    const confidence = scorer.score(opinion.quality, snapshot.tradeCount);
    const evidence = probabilityEngine.evidenceOf(direction, opinion.probability);
    const { probability, calibration } = learned.publish(
      strategy,
      direction === 'NEUTRAL' ? NO_EVIDENCE : { evidence, rawEvidence: evidence },
    );
    return this.emit<StrategyResult>('StrategyResult', {
      ...this.header('StrategyResult', 'result', instrument, this.causesOf(snapshot, opinion)),
      strategy,
      direction,
      probability,
      confidence,
      level: scorer.levelOf(confidence),
      indicators: opinion.indicators,
      reasoning: MADE_WHERE_IT_IS_READ,
      hitRule,
      calibration,
    });
  }

  /** The snapshot, then the signals that the opinion rests on. */
  private causesOf({ eventId }: IndicatorSnapshot, { signals = [] }: Opinion): readonly string[] {
    return [eventId, ...signals.map((signal) => signalCauseOf(this.tape.partition, signal))];
  }

  private decision(
    instrument: string,
    learned: RuleCalibration,
    snapshot: IndicatorSnapshot,
    results: readonly StrategyResult[],
    hitRule: HitRule,
  ): ProbabilityDecision {
    const { probabilityEngine, scorer, strategies } = this.rules;
    const pooledFrom = results.map((result, index) => {
      const { direction, confidence, calibration } = result;
      const { evidence, slope } = calibration ?? SILENT_EVIDENCE;
      return { direction, confidence, evidence, slope, weight: strategies[index]?.weight ?? 0 };
    });
    const contributions = results.map(
      ({ strategy, eventId, direction, probability, confidence }, index): Contribution => {
        const part = pooledFrom[index] ?? { direction, ...SILENT_EVIDENCE, weight: 0 };
        const evidence = probabilityEngine.signedEvidence(part);
        return { strategy, resultId: eventId, direction, probability, confidence, weight: part.weight, evidence };
      },
    );
    const pooled = probabilityEngine.pool(pooledFrom);
    const { direction, confidence } = pooled;
    const { probability, calibration } = learned.publish(null, direction === 'NEUTRAL' ? NO_EVIDENCE : pooled);
    const causes = results.length > 0 ? results.map(({ eventId }) => eventId) : [snapshot.eventId];
    return this.emit<ProbabilityDecision>('ProbabilityDecision', {
      ...this.header('ProbabilityDecision', 'decision', instrument, causes),
      direction,
      probability,
      confidence,
      level: scorer.levelOf(confidence),
      contributions,
      reasoning: MADE_WHERE_IT_IS_READ,
      hitRule,
      calibration,
    });
  }

  /** The first fields of every derived event. */
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

const SILENT_EVIDENCE = { evidence: 0, slope: 0 };

function hitRuleOf(
  { kind, horizonMs, graceMs, minMoveBps, minMovePoints }: HitRuleTerms,
  referencePrice: Decimal,
): HitRule {
  return { horizonMs, minMoveBps, referencePrice, minMovePoints, kind, graceMs };
}
