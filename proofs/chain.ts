import type { EventTypes, Outcome } from '../contracts/generated/events.ts';
import type { Located } from './event-log.ts';
import type { Settlement } from './settlement.ts';

/** What says where the price goes: a decision, or a single strategy's result. */
export type Forecast = EventTypes['ProbabilityDecision'] | EventTypes['StrategyResult'];

/** From an outcome down to the snapshot that its forecast rests on, as the logs hold it. */
export interface Chain extends Settlement {
  /** Undefined for a snapshot, for a NEUTRAL forecast, and while pending. */
  readonly outcome: Located<Outcome> | undefined;
  /** Due time (µs) of a LONG or SHORT forecast that waits for the tape to reach it. */
  readonly pendingUntil: number | undefined;
  /** Undefined when a snapshot or a single strategy's result was asked for. */
  readonly decision: Located<EventTypes['ProbabilityDecision']> | undefined;
  readonly results: readonly Located<EventTypes['StrategyResult']>[];
  readonly snapshot: Located<EventTypes['IndicatorSnapshot']>;
}
