import type { ContextSignal, EventTypes, Outcome } from '../contracts/generated/events.ts';
import type { Located } from './event-log.ts';
import type { Settlement } from './settlement.ts';

/** A forecast of where the price goes: a decision, or a single strategy's result. */
export type Forecast = EventTypes['ProbabilityDecision'] | EventTypes['StrategyResult'];

/** The chain from an outcome down to the snapshot behind its forecast, as found in the logs. */
export interface Chain extends Settlement {
  /** Undefined for a snapshot, for a NEUTRAL forecast, and while pending. */
  readonly outcome: Located<Outcome> | undefined;
  /** Due time (µs) of a LONG or SHORT forecast that waits for the tape to reach it. */
  readonly pendingUntil: number | undefined;
  /** Undefined when a snapshot or a single strategy's result was requested. */
  readonly decision: Located<EventTypes['ProbabilityDecision']> | undefined;
  readonly results: readonly Located<EventTypes['StrategyResult']>[];
  /** Those that the results name, each once. */
  readonly signals: readonly Located<ContextSignal>[];
  readonly snapshot: Located<EventTypes['IndicatorSnapshot']>;
}
