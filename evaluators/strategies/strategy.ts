import type { z } from 'zod';
import type { Direction, IndicatorSnapshot } from '../../contracts/generated/events.ts';

/** A strategy's opinion on one snapshot. The engine adds identity, confidence and hit rule: a `StrategyResult`. */
export interface Opinion {
  readonly direction: Direction;
  /**
   * Probability that the hit rule comes true in this direction if an undirected forecast came true half of the time, 0
   * to 1; 0.5 when NEUTRAL. Its log odds are the formula's evidence: the engine takes it relative to the market's
   * reference rate, scaled by the slope learned from outcomes.
   */
  readonly probability: number;
  /** How well the snapshot supports the formula, 0 to 1; the `ConfidenceScorer` makes it a confidence. */
  readonly quality: number;
  /** The figures that the opinion was computed from, by name. Finite numbers only. */
  readonly indicators: Readonly<Record<string, number>>;
  /** Gives the formula with its figures, for people. Called by readers, who have the snapshot too; events do not carry it. */
  readonly reasoning: () => string;
}

/** A strategy with its parameters filled in. */
export type Evaluate = (snapshot: IndicatorSnapshot) => Opinion;

/**
 * A documented formula from a snapshot to a probability. Stateless: it sees the snapshot and its parameters, nothing
 * else. To add one, write one file like `vwap-reversion.ts` and one line in `catalogue.ts`.
 */
export interface Strategy {
  /** In capitals, unique; part of the stored events. */
  readonly name: string;
  /**
   * Whether it is enabled when a configuration does not name it. False for a strategy that joined the catalogue after
   * tapes held configurations: these cannot name it, and must derive the same events as before.
   */
  readonly isEnabledUnlessNamed: boolean;
  /** Its parameters, each with a default. */
  readonly parameters: z.ZodObject;
  /** Fills in parameters that were checked by the schema. */
  readonly configure: (parameters: unknown) => Evaluate;
  /** A contradiction between parameters that are each valid, as the end of a sentence; undefined if there is none. */
  readonly contradictionIn: (parameters: unknown) => string | undefined;
}

/** Declares a strategy so that `evaluate` sees its own parameters' type. */
export function defineStrategy<Parameters extends z.ZodObject>(declaration: {
  readonly name: string;
  /** Like {@link Strategy.isEnabledUnlessNamed}; true by default. */
  readonly isEnabledUnlessNamed?: boolean;
  readonly parameters: Parameters;
  readonly evaluate: (snapshot: IndicatorSnapshot, parameters: z.output<Parameters>) => Opinion;
  /** Like {@link Strategy.contradictionIn}; called only for a new configuration: a tape may hold one that it refuses. */
  readonly contradictionIn?: (parameters: z.output<Parameters>) => string | undefined;
}): Strategy {
  const { name, isEnabledUnlessNamed = true, parameters, evaluate, contradictionIn } = declaration;
  return {
    name,
    isEnabledUnlessNamed,
    parameters,
    configure(raw) {
      const checked = parameters.parse(raw);
      return (snapshot) => evaluate(snapshot, checked);
    },
    contradictionIn: (raw) => contradictionIn?.(parameters.parse(raw)),
  };
}

/** No direction, and the reason. A quality of 0 excludes the strategy from the pooled decision. */
export function neutral(
  quality: number,
  indicators: Readonly<Record<string, number>>,
  reasoning: () => string,
): Opinion {
  return { direction: 'NEUTRAL', probability: 0.5, quality, indicators, reasoning };
}
