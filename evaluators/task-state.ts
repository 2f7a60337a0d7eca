import type { DerivedTopic } from '../contracts/topics.ts';
import type { ActivationTerms } from './activation-terms.ts';
import type { ContextState } from './context/partition-context.ts';
import type { InstrumentState } from './instrument.ts';
import type { LogTreesState } from './log-trees.ts';
import type { Part } from './state-pages.ts';

/** Numbers of records on a partition's tape, counted from its beginning. */
export interface TaskCounts {
  /** Trades, watermarks and gaps before the first activation. */
  readonly skipped: number;
  /** Trades that had an effect, late ones included. */
  readonly trades: number;
  readonly late: number;
  readonly duplicates: number;
  readonly watermarks: number;
  /** Records of trades that are missing: they have no other effect. */
  readonly gaps: number;
  /** Records that take a trade back, correct it or vouch for it. */
  readonly amendments: number;
  readonly deadLetters: number;
  readonly events: number;
}

export const NOTHING_COUNTED: TaskCounts = {
  skipped: 0,
  trades: 0,
  late: 0,
  duplicates: 0,
  watermarks: 0,
  gaps: 0,
  amendments: 0,
  deadLetters: 0,
  events: 0,
};

/** The whole state of a partition's task, plain except for the pages and parts in it. */
export interface TaskState {
  readonly nextOffset: number;
  readonly nextSequences: Readonly<Record<DerivedTopic, number>>;
  readonly counts: TaskCounts;
  readonly activation: ActivationTerms;
  readonly activationIds: readonly string[];
  readonly trees: LogTreesState;
  /** By name. */
  readonly instruments: readonly Part<InstrumentState>[];
  /** Absent before the partition's first signal. */
  readonly context?: ContextState | undefined;
}
