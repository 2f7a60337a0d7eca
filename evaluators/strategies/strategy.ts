import type { z } from 'zod';
import { NO_SIGNALS, type Signal } from '../context/signal.ts';
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
  /** The signals that it was computed from, of those it was given; the event names them among its causes. None by default. */
  readonly signals?: readonly Signal[];
  /** Gives the formula with its figures, for people. Called by readers, who have the snapshot too; events do not carry it. */
  readonly reasoning: () => string;
}

/**
 * A strategy with its parameters filled in.
 *
 * @param signals - the context in force at the snapshot's time, in an order that is part of the contract; none by default.
 */
export type Evaluate = (snapshot: IndicatorSnapshot, signals?: readonly Signal[]) => Opinion;

/**
 * A documented formula from a snapshot, and the signals in force, to a probability. Stateless: it sees these and its
 * parameters, nothing else. To add one, write one file like `vwap-reversion.ts` and one line in `catalogue.ts`.
 */
export interface Strategy {
  /** In capitals, unique; part of the stored events. */
  readonly name: string;
  /**
   * Whether it is enabled when a configuration does not name it. False for a strategy that joined the catalogue after
   * tapes held configurations: these cannot name it, and must derive the same events as before.
   */
  readonly isEnabledUnlessNamed: boolean;
  /**
   * Whether a configuration that does not name it lists it with its defaults. False for a strategy that joined without a
   * new engine version: such a configuration keeps its bytes, and so its hash in every event.
   */
  readonly isListedUnlessNamed: boolean;
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
  /** Like {@link Strategy.isListedUnlessNamed}; true by default. */
  readonly isListedUnlessNamed?: boolean;
  readonly parameters: Parameters;
  /** A strategy that uses no context leaves the signals out. */
  readonly evaluate: (
    snapshot: IndicatorSnapshot,
    parameters: z.output<Parameters>,
    signals: readonly Signal[],
  ) => Opinion;
  /** Like {@link Strategy.contradictionIn}; called only for a new configuration: a tape may hold one that it refuses. */
  readonly contradictionIn?: (parameters: z.output<Parameters>) => string | undefined;
}): Strategy {
  const { name, isEnabledUnlessNamed = true, isListedUnlessNamed = true } = declaration;
  const { parameters, evaluate, contradictionIn } = declaration;
  return {
    name,
    isEnabledUnlessNamed,
    isListedUnlessNamed,
    parameters,
    configure(raw) {
      const checked = parameters.parse(raw);
      return (snapshot, signals = NO_SIGNALS) => evaluate(snapshot, checked, signals);
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
