import { refusalOfSignal } from '../contracts/context-rules.ts';
import { DECIMAL_SCALE, type Decimal } from '../contracts/decimal.ts';
import type { ContextSignal, EventTypes, Outcome } from '../contracts/generated/events.ts';
import { hasTheseFormulas, type EngineConfiguration } from '../evaluators/configuration.ts';
import { isInForceAt } from '../evaluators/context/signal.ts';
import { NO_EVIDENCE, publishedFrom, referenceOf, type Evidence } from '../evaluators/calibration/forecast-series.ts';
import { isHit, moveBpsOf } from '../evaluators/outcomes/hit-rule.ts';
import { ConfidenceScorer } from '../evaluators/probability/confidence-scorer.ts';
import { ProbabilityEngine } from '../evaluators/probability/probability-engine.ts';
import type { Admission } from './admission.ts';
import type { Chain, Forecast } from './chain.ts';
import type { Located } from './located.ts';
import { figuresOf, type CountedTrade, type Evidence as TradesEvidence } from './evidence.ts';
import type { SumsBefore } from './sums-before.ts';
import { opinionAgain, pooledAgain } from './formulas.ts';
import { asHeld, signalsOfResult } from './result-signals.ts';
import { nearestDouble } from './nearest-double.ts';

/** One thing that was checked. */
export interface Check {
  readonly name: string;
  readonly passed: boolean;
  /** The figures, for people. */
  readonly detail: string;
  /** What has to be right for the check to mean anything, for people. */
  readonly restsOn: string;
}

/** Engine versions 1 and 2 kept running sums in doubles; an audit adds up exactly. They agree to within this share. */
const SUM_TOLERANCE = 1e-9;
/** Units of 10^-12 in 1: prices and sizes are counted in them. */
const UNITS = 10n ** BigInt(DECIMAL_SCALE);
/** The first engine version whose outcomes name their move in points. */
const FIRST_VERSION_WITH_POINTS = 3;

type Snapshot = EventTypes['IndicatorSnapshot'];

/** Checks that need only the events: one place on the tape, and every figure recomputed from its parents. */
export function checkChain(chain: Chain, configuration: EngineConfiguration): Check[] {
  const { outcome, decision, results, snapshot } = chain;
  const checks = [checkOnePlace(chain), ...checkSignals(chain)];
  if (hasTheseFormulas(snapshot.event.engineVersion)) {
    for (const result of results) checks.push(checkResult(result.event, chain, configuration));
    if (decision !== undefined) checks.push(checkDecision(decision.event, chain, configuration));
  }
  if (outcome !== undefined) checks.push(checkOutcome(outcome.event, chain, configuration));
  return checks;
}

function checkOnePlace({ decision, results, snapshot }: Chain): Check {
  const { tape, instrument, eventTime, configHash, lastPrice } = snapshot.event;
  const strangers = [decision, ...results].filter(
    (located) =>
      located !== undefined &&
      (located.event.tape.offset !== tape.offset ||
        located.event.tape.partition !== tape.partition ||
        located.event.instrument !== instrument ||
        located.event.eventTime !== eventTime ||
        located.event.configHash !== configHash ||
        located.event.hitRule.referencePrice.compare(lastPrice) !== 0),
  );
  return {
    name: 'the chain rests on one trade',
    restsOn: 'the events alone',
    passed: strangers.length === 0,
    detail:
      strangers.length === 0
        ? `same tape position, instrument, time, configuration and reference price ${lastPrice.toString()} throughout`
        : `${strangers.map((located) => located?.event.eventId).join(', ')} differ from ${snapshot.event.eventId}`,
  };
}

/** Whether the signals of a chain were before it on the tape, about its instrument, and in force; none without signals. */
function checkSignals({ signals, snapshot }: Pick<Chain, 'signals' | 'snapshot'>): Check[] {
  if (signals.length === 0) return [];
  const { tape, instrument, eventTime } = snapshot.event;
  const wrong = signals.filter(
    (located) =>
      located.offset >= tape.offset ||
      refusalOfSignal(located.event) !== undefined ||
      (located.event.instrument !== null && located.event.instrument !== instrument) ||
      !isInForceAt(asHeld(located), eventTime),
  );
  const places = (listed: readonly Located<ContextSignal>[]) =>
    listed.map(({ offset }) => `offset ${offset}`).join(', ');
  return [
    {
      name: 'the signals were in force',
      restsOn: "the tape's own records",
      passed: wrong.length === 0,
      detail:
        wrong.length === 0
          ? `${signals.length} before it on the tape, about ${instrument} or the whole market, valid at its time`
          : `those at ${places(wrong)} were not: later, invalid, about another instrument, or not valid at that time`,
    },
  ];
}

function checkResult(result: EventTypes['StrategyResult'], chain: Chain, configuration: EngineConfiguration): Check {
  const name = `${result.strategy} evaluated again`;
  const opinion = opinionAgain(result, chain, configuration);
  const count = signalsOfResult(result, chain.signals).length;
  const parents = count === 0 ? 'the snapshot' : `the snapshot and ${count} signals`;
  const restsOn = `${parents}, the tape's configuration and this build's formula`;
  if (opinion === undefined) {
    return { name, passed: false, detail: 'this build does not have this strategy', restsOn };
  }
  const confidence = new ConfidenceScorer(configuration.confidence).score(
    opinion.quality,
    chain.snapshot.event.tradeCount,
  );
  const evidence = new ProbabilityEngine(configuration.pooling).evidenceOf(opinion.direction, opinion.probability);
  const again = publishedAgain(result, { evidence, rawEvidence: evidence }, configuration);
  const passed = opinion.direction === result.direction && confidence === result.confidence && again.passed;
  const detail = `from ${parents}: ${opinion.direction} ${again.detail}; confidence ${confidence}`;
  return { name, passed, detail, restsOn };
}

function checkDecision(
  decision: EventTypes['ProbabilityDecision'],
  chain: Chain,
  configuration: EngineConfiguration,
): Check {
  const pooled = pooledAgain(chain, configuration);
  const again = publishedAgain(decision, pooled.direction === 'NEUTRAL' ? NO_EVIDENCE : pooled, configuration);
  const passed = pooled.direction === decision.direction && pooled.confidence === decision.confidence && again.passed;
  return {
    name: 'the decision pooled again',
    restsOn: "the strategy results, the tape's configuration and this build's formula",
    passed,
    detail: `from its strategy results: ${pooled.direction} ${again.detail}`,
  };
}

/** Computes a published probability again, from the evidence and the calibration that the event names. */
function publishedAgain(
  { probability, calibration }: Forecast,
  { evidence, rawEvidence }: Evidence,
  { calibration: parameters, pooling }: EngineConfiguration,
): Pick<Check, 'passed' | 'detail'> {
  if (calibration === null) return { passed: false, detail: 'its calibration is missing' };
  const { referenceRate } = calibration;
  const again = publishedFrom(calibration, referenceOf(referenceRate).logOdds, rawEvidence, {
    ...parameters,
    epsilon: pooling.epsilon,
  });
  return {
    passed:
      evidence === calibration.evidence &&
      again.probability === probability &&
      again.calibration.rawProbability === calibration.rawProbability &&
      again.calibration.calibratedProbability === calibration.calibratedProbability,
    detail: `p ${again.probability} from evidence ${evidence}, slope ${calibration.slope}, intercept ${calibration.intercept} and reference rate ${referenceRate}`,
  };
}

function checkOutcome(outcome: Outcome, chain: Chain, configuration: EngineConfiguration): Check {
  const { decision, results, resolvingTrade } = chain;
  const name = 'the verdict reached again';
  const forecast = decision?.event ?? results[0]?.event;
  const restsOn = "the tape's trades and watermarks, and the rule that the forecast registered";
  if (forecast === undefined) return { name, passed: false, detail: 'its forecast is not in the chain', restsOn };
  const dueTime = forecast.eventTime + forecast.hitRule.horizonMs * 1_000;
  const asRegistered =
    outcome.forecastId === forecast.eventId &&
    outcome.direction === forecast.direction &&
    outcome.dueTime === dueTime &&
    outcome.referencePrice.compare(forecast.hitRule.referencePrice) === 0;
  if (outcome.verdict === 'VOID') {
    const seen = voidSeen(outcome, chain, dueTime + graceMsOf(forecast, configuration) * 1_000);
    const { firstTouch } = chain;
    if (firstTouch !== undefined) {
      const detail = `the trade at offset ${firstTouch.offset} had already touched a barrier`;
      return { name, passed: false, detail, restsOn };
    }
    const passed = asRegistered && outcome.observedPrice === null && seen.passed;
    return { name, passed, detail: seen.detail, restsOn };
  }
  const trade = resolvingTrade?.event;
  if (trade === undefined) {
    const detail = 'the tape has no trade at its place that may resolve a forecast';
    return { name, passed: false, detail, restsOn };
  }
  const { direction, hitRule } = forecast;
  const { firstTouch, firstTradeDue } = chain;
  const deciding = firstTouch ?? firstTradeDue;
  const counts = hitRule.kind === 'MOVE' || firstTouch !== undefined;
  const verdict = counts && isHit(direction, hitRule, outcome.referencePrice, trade.price) ? 'HIT' : 'MISS';
  const move = moveBpsOf(outcome.referencePrice, trade.price);
  const passed =
    asRegistered &&
    verdict === outcome.verdict &&
    move === outcome.moveBps &&
    saysPoints(outcome, trade.price) &&
    deciding?.offset === resolvingTrade?.offset &&
    trade.tradeId === outcome.resolvingTradeId &&
    trade.eventTime === outcome.observedTime &&
    trade.price.compare(outcome.observedPrice ?? outcome.referencePrice) === 0;
  return {
    name,
    passed,
    restsOn,
    detail:
      deciding?.offset === resolvingTrade?.offset
        ? `${verdict}: ${outcome.referencePrice.toString()} → ${trade.price.toString()} is ${moveText(outcome, forecast, move)}`
        : `it was decided by an earlier trade, at offset ${deciding?.offset ?? '?'}`,
  };
}

/** Engine versions before 4 had one rule, and its grace in the configuration alone. */
function graceMsOf({ hitRule }: Forecast, { hitRules }: EngineConfiguration): number {
  return hitRule.graceMs ?? hitRules[0]?.graceMs ?? Number.NaN;
}

function saysPoints({ movePoints, referencePrice, engineVersion }: Outcome, observed: Decimal): boolean {
  if (movePoints === null) return Number(engineVersion) < FIRST_VERSION_WITH_POINTS;
  return movePoints.compare(observed.minus(referencePrice)) === 0;
}

/** In the unit of the rule; a move from 0 or below has no basis points. */
function moveText({ movePoints }: Outcome, { hitRule }: Forecast, moveBps: number | null): string {
  if (moveBps !== null && hitRule.minMovePoints === null) return `${moveBps} bp`;
  return `${movePoints?.toString() ?? '?'} points`;
}

/** Whether the tape shows that no trade came in time: by the first that came too late, or by a watermark before any. */
function voidSeen(
  { instrument, tape, eventTime, causes }: Outcome,
  { voidingWatermark, firstTradeDue }: Chain,
  graceEnd: number,
): Pick<Check, 'passed' | 'detail'> {
  const none = 'VOID: no trade within the grace after the horizon';
  const place = `${tape.partition}-${tape.offset}`;
  if (causes[1] === `watermark-${place}-0` || causes[1] === `tick-${place}-0`) {
    const watermark = voidingWatermark?.event;
    if (watermark === undefined) return { passed: false, detail: `the tape has no watermark at ${place}` };
    if (firstTradeDue !== undefined) {
      return { passed: false, detail: `a trade came before the watermark, at offset ${firstTradeDue.offset}` };
    }
    const isOver = watermark.eventTime > graceEnd && watermark.eventTime === eventTime;
    const passed = isOver && watermark.instruments.includes(instrument);
    return {
      passed,
      detail: `${none}, known by the watermark ${(watermark.eventTime - graceEnd) / 1_000_000} s after it`,
    };
  }
  const trade = firstTradeDue?.event;
  if (trade === undefined || firstTradeDue === undefined)
    return { passed: false, detail: 'the tape has neither a trade nor a watermark that shows it is VOID' };
  const passed =
    causes[1] === `trade-${tape.partition}-${firstTradeDue.offset}-0` &&
    trade.eventTime === eventTime &&
    trade.eventTime > graceEnd;
  return { passed, detail: `${none}, known by the trade ${(trade.eventTime - graceEnd) / 1_000_000} s after it` };
}

/**
 * Checks of a snapshot against the trades themselves, added up again.
 *
 * @param isInForceThroughout - false if the sums began under another activation, perhaps of an engine that added up
 *   differently.
 */
export function checkTrades(
  snapshot: Snapshot,
  { trades, before }: Pick<TradesEvidence, 'trades' | 'before'>,
  admission: Admission,
  isInForceThroughout: boolean,
): Check[] {
  const { count, volume, vwap } = sumsOf(snapshot, trades, before, admission);
  const agrees = admission.addsUpExactly && isInForceThroughout ? equal : agree;
  const last = trades.at(-1);
  return [
    {
      name: 'the last trade is the cause',
      restsOn: "the tape's own record",
      passed:
        last?.offset === snapshot.lastOffset &&
        snapshot.causes[0] === `trade-${snapshot.tape.partition}-${snapshot.lastOffset}-0` &&
        last.event.eventTime === snapshot.eventTime &&
        last.event.price.compare(snapshot.lastPrice) === 0,
      detail: `offset ${last?.offset ?? '?'}, price ${last?.event.price.toString() ?? '?'}`,
    },
    {
      name: 'trade count, volume and VWAP added up anew',
      restsOn:
        before === undefined
          ? "every trade of the session on the tape, and the tape's configuration"
          : `the session's sums in the engine's state at the anchor ${before.offset}, taken as it is, every trade since then on the tape, and the tape's configuration`,
      passed: count === snapshot.tradeCount && agrees(volume, snapshot.sessionVolume) && agrees(vwap, snapshot.vwap),
      detail: `${count} trades of the session, volume ${volume.toPrecision(10)}, VWAP ${vwap.toPrecision(10)}`,
    },
  ];
}

/** The sums of a snapshot's session, exact, each rounded once at the end; the average of nothing is undefined. */
function sumsOf(
  snapshot: Snapshot,
  trades: readonly CountedTrade[],
  before: SumsBefore | undefined,
  { sessionOf }: Admission,
) {
  const session = sessionOf(snapshot.eventTime);
  const begun = before?.sessionOf(session ?? Number.NaN);
  let { count, volumeUnits, turnoverUnits } = begun ?? { count: 0, volumeUnits: 0n, turnoverUnits: 0n };
  for (const trade of trades) {
    if (sessionOf(trade.event.eventTime) !== session) continue;
    const { price, size } = figuresOf(trade);
    const sizeUnits = size.toUnits();
    volumeUnits += sizeUnits;
    turnoverUnits += price.toUnits() * sizeUnits;
    count += 1;
  }
  const vwap = volumeUnits === 0n ? Number.NaN : nearestDouble(turnoverUnits, volumeUnits * UNITS);
  return { count, volume: nearestDouble(volumeUnits, UNITS), vwap };
}

function equal(left: number, right: number): boolean {
  return left === right;
}

function agree(left: number, right: number): boolean {
  return Math.abs(left - right) <= SUM_TOLERANCE * Math.max(Math.abs(left), Math.abs(right));
}
