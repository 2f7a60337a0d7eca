import type { HitRule, Outcome, StrategyResult, IndicatorSnapshot } from '../../contracts/generated/events.ts';
import { isoTimeOf } from '../../contracts/iso-time.ts';
import type { EngineConfiguration } from '../../evaluators/configuration.ts';
import type { CheckpointReference } from '../checkpoints/references.adapter.ts';
import type { LocatedDecision } from '../decision-search.ts';
import type { Located } from '../located.ts';
import type { ActivationSummary } from '../provenance.ts';

/** One published decision with what a reader needs to judge it. Times in ISO 8601, UTC; prices as decimal texts. */
export interface Recommendation {
  readonly eventId: string;
  /** Market time of the trade that led to it. */
  readonly producedAt: string;
  /** When the engine sent it, by its clock; null where the log does not say so. */
  readonly publishedAt: string | null;
  readonly instrument: string;
  readonly direction: string;
  readonly probability: {
    readonly published: number;
    readonly raw: number | null;
    readonly calibrated: number | null;
  };
  readonly confidence: number;
  readonly level: string;
  /** What counts as a HIT, and until when. */
  readonly validity: {
    readonly kind: HitRule['kind'];
    readonly horizonMs: number;
    readonly until: string;
    readonly graceMs: number | null;
    readonly referencePrice: string;
    readonly minMoveBps: number;
    readonly minMovePoints: string | null;
  };
  readonly assumptions: {
    readonly configHash: string;
    /** Enabled strategies with their weights and parameters. */
    readonly strategies: readonly { readonly name: string; readonly weight: number; readonly parameters: unknown }[];
    readonly referenceRate: number | null;
    readonly calibration: {
      readonly slope: number;
      readonly intercept: number;
      readonly effectiveN: number;
      readonly lastOutcomeOffset: number | null;
    } | null;
  };
  readonly substantiation: {
    /** The pooling with its figures. */
    readonly sentence: string;
    readonly strategies: readonly {
      readonly strategy: string;
      readonly resultId: string;
      readonly direction: string;
      readonly probability: number;
      readonly sentence: string;
    }[];
    readonly snapshotId: string;
    readonly indicators: {
      readonly lastPrice: string;
      readonly vwap: number;
      readonly vwapDeviation: number;
      readonly pointOfControl: string;
      readonly valueAreaLow: string;
      readonly valueAreaHigh: string;
      readonly rangeLow: string | null;
      readonly rangeHigh: string | null;
      readonly tradeCount: number;
      readonly sessionVolume: number;
    };
  };
  /** Who put the configuration in force, and with which code. */
  readonly responsible: ActivationSummary;
  /** Null while it is pending, and for a NEUTRAL decision. */
  readonly outcome: {
    readonly eventId: string;
    readonly verdict: string;
    readonly at: string;
    readonly observedPrice: string | null;
    readonly moveBps: number | null;
  } | null;
  /** Its place and hash in the log, and the command that checks it. */
  readonly reference: {
    readonly topic: string;
    readonly partition: number;
    readonly offset: number;
    readonly hash: string;
    readonly audit: string;
    /** Null while no recorded checkpoint has it. */
    readonly checkpoint: CheckpointReference | null;
  };
}

export interface RecommendationSource {
  readonly decision: LocatedDecision;
  readonly results: readonly Located<StrategyResult>[];
  readonly snapshot: Located<IndicatorSnapshot>;
  readonly configuration: EngineConfiguration;
  readonly activation: ActivationSummary;
  readonly outcome: Located<Outcome> | undefined;
  readonly checkpoint: CheckpointReference | undefined;
  /** By event id. */
  readonly reasoning: Readonly<Record<string, string>>;
}

const NO_SENTENCE = 'made by another engine version, whose formulas this build does not have';

export function recommendationOf(source: RecommendationSource): Recommendation {
  const { decision, results, snapshot, activation, outcome, checkpoint, reasoning } = source;
  const { eventId, eventTime, instrument, direction, probability, confidence, level, calibration } = decision.event;
  const { topic, partition, offset, hash } = decision;
  return {
    eventId,
    producedAt: isoTimeOf(eventTime),
    publishedAt: decision.emittedAt ?? null,
    ...{ instrument, direction, confidence, level },
    probability: {
      published: probability,
      raw: calibration?.rawProbability ?? null,
      calibrated: calibration?.calibratedProbability ?? null,
    },
    validity: validityOf(decision),
    assumptions: assumptionsOf(source),
    substantiation: {
      sentence: reasoning[eventId] ?? NO_SENTENCE,
      strategies: results.map(({ event }) => ({
        strategy: event.strategy,
        resultId: event.eventId,
        direction: event.direction,
        probability: event.probability,
        sentence: reasoning[event.eventId] ?? NO_SENTENCE,
      })),
      snapshotId: snapshot.event.eventId,
      indicators: indicatorsOf(snapshot.event),
    },
    responsible: activation,
    outcome: outcome === undefined ? null : outcomeOf(outcome.event),
    reference: {
      ...{ topic, partition, offset, hash },
      audit: `npx tapeproof audit ${eventId}`,
      checkpoint: checkpoint ?? null,
    },
  };
}

function validityOf({ event: { eventTime, hitRule } }: LocatedDecision): Recommendation['validity'] {
  const { kind, horizonMs, graceMs, referencePrice, minMoveBps, minMovePoints } = hitRule;
  return {
    ...{ kind, horizonMs, graceMs, minMoveBps },
    until: isoTimeOf(eventTime + horizonMs * 1_000),
    referencePrice: referencePrice.toString(),
    minMovePoints: minMovePoints?.toString() ?? null,
  };
}

function assumptionsOf({ decision, configuration }: RecommendationSource): Recommendation['assumptions'] {
  const { configHash, calibration } = decision.event;
  return {
    configHash,
    strategies: Object.entries(configuration.strategies).flatMap(([name, { enabled, weight, parameters }]) =>
      enabled ? [{ name, weight, parameters }] : [],
    ),
    referenceRate: calibration?.referenceRate ?? null,
    calibration:
      calibration === null
        ? null
        : {
            slope: calibration.slope,
            intercept: calibration.intercept,
            effectiveN: calibration.effectiveN,
            lastOutcomeOffset: calibration.lastOutcomeOffset,
          },
  };
}

function indicatorsOf(snapshot: IndicatorSnapshot): Recommendation['substantiation']['indicators'] {
  const { vwap, vwapDeviation, tradeCount, sessionVolume } = snapshot;
  return {
    ...{ vwap, vwapDeviation, tradeCount, sessionVolume },
    lastPrice: snapshot.lastPrice.toString(),
    pointOfControl: snapshot.pointOfControl.toString(),
    valueAreaLow: snapshot.valueAreaLow.toString(),
    valueAreaHigh: snapshot.valueAreaHigh.toString(),
    rangeLow: snapshot.rangeLow?.toString() ?? null,
    rangeHigh: snapshot.rangeHigh?.toString() ?? null,
  };
}

function outcomeOf({ eventId, verdict, eventTime, observedPrice, moveBps }: Outcome): Recommendation['outcome'] {
  return { eventId, verdict, at: isoTimeOf(eventTime), observedPrice: observedPrice?.toString() ?? null, moveBps };
}
