import { isoTimeOf } from '../../contracts/iso-time.ts';
import type { LogAccess } from '../../evaluators/anchor-log.adapter.ts';
import type { EngineConfiguration } from '../../evaluators/configuration.ts';
import { STRATEGIES } from '../../evaluators/strategies/catalogue.ts';
import type { Strategy } from '../../evaluators/strategies/strategy.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { StrategyFault } from '../backtest-strategy.ts';
import type { EventLog } from '../event-log.ts';
import { ScoreboardCount, type ScoreboardQuery } from '../scoreboard/scoreboard.ts';
import { tradesOf, type TradesOfInstrument } from '../set-aside.ts';
import type { DecisionComparison } from './decision-comparison.ts';
import type { LogComparison } from './log-comparison.ts';
import { RecordedEvents } from './recorded-events.ts';
import type { TapePart } from '../tape-parts.ts';
import { TapeRun, type NotDerived } from './tape-steps.ts';

/** The recorded tape, and the log of what was decided. Nothing of it can be written through these. */
export interface Laboratory extends LogAccess {
  readonly log: Pick<EventLog, 'sequenced'>;
}

/** One run over the recorded tape. */
export interface TapeExperiment {
  readonly parts: readonly TapePart[];
  /** In the place of the recorded ones, which are used where there is none. */
  readonly configuration?: EngineConfiguration | undefined;
  /** The strategies against which the configuration was checked. */
  readonly known?: readonly Strategy[];
  readonly signal?: AbortSignal | undefined;
  /** Compares every event with the log, byte for byte: only then are bytes and hashes computed. */
  readonly withLog?: LogComparison | undefined;
  /** Compares the decisions with those of the log. */
  readonly withDecisions?: DecisionComparison | undefined;
  /** Tape records processed so far, of all parts. */
  readonly onProgress?: (records: number) => void;
}

/** What came of a run. */
export interface TapeResult {
  readonly tapeId: string | null;
  /** The configuration recorded last on the tape, canonical JSON; null without an activation. */
  readonly recordedConfiguration: string | null;
  /** The parts as far as they were read: shorter when the run was stopped. */
  readonly parts: readonly TapePart[];
  readonly records: number;
  readonly complete: boolean;
  readonly count: ScoreboardCount;
  readonly instruments: readonly TradesOfInstrument[];
  readonly notDerived: readonly NotDerived[];
}

/**
 * Steps the engine over the recorded tape, partition by partition, in memory.
 *
 * @throws TapeproofError UNREACHABLE; USAGE when a strategy from a file does something wrong; FOREIGN_TAPE when the
 *   partitions belong to different tapes.
 */
export async function runOverTape(laboratory: Laboratory, experiment: TapeExperiment): Promise<TapeResult> {
  const { signal } = experiment;
  const count = new ScoreboardCount();
  const runs: TapeRun[] = [];
  let records = 0;
  for (const part of experiment.parts) {
    if (signal?.aborted === true) break;
    const run = tapeRunOf(laboratory, part, experiment);
    runs.push(run);
    const before = records;
    try {
      await runPart(laboratory, run, experiment, count, (inPart) => {
        records = before + inPart;
        experiment.onProgress?.(records);
      });
    } catch (error) {
      throw error instanceof StrategyFault ? strategyFailure(error) : error;
    }
  }
  return {
    tapeId: onlyTapeOf(runs),
    recordedConfiguration: runs[0]?.recordedConfiguration ?? null,
    parts: runs.map(({ part, task }) => ({ ...part, to: Math.min(part.to, Math.max(part.from, task.nextOffset)) })),
    records,
    complete: signal?.aborted !== true,
    count,
    instruments: runs.flatMap(({ task }) => task.overview.map(tradesOf)),
    notDerived: runs.flatMap(({ notDerived }) => notDerived ?? []),
  };
}

function tapeRunOf(laboratory: Laboratory, part: TapePart, experiment: TapeExperiment): TapeRun {
  const { configuration, known = STRATEGIES, signal, withLog } = experiment;
  return new TapeRun(laboratory, part, { known, isUnproven: withLog === undefined }, { configuration, signal });
}

async function runPart(
  { log }: Laboratory,
  run: TapeRun,
  { withLog, withDecisions }: TapeExperiment,
  count: ScoreboardCount,
  onProgress: (records: number) => void,
): Promise<void> {
  const { partition, to } = run.part;
  const comparison = withLog?.partition(partition);
  const recorded = withDecisions === undefined ? undefined : new Recorded(log, partition);
  for await (const { derived, nextOffset, records } of run.steps()) {
    for (const { topic, event } of derived) count.observe(topic, event);
    await comparison?.take(derived);
    if (recorded !== undefined) withDecisions?.take({ hypothetical: derived, ...(await recorded.before(nextOffset)) });
    onProgress(records);
  }
  withDecisions?.setAside(recorded?.repeated ?? 0);
  await recorded?.close();
  await comparison?.end(run.task.nextOffset, to, run.notDerived !== undefined);
}

/** The decisions and outcomes of one partition's log. */
class Recorded {
  private readonly decisions: RecordedEvents;
  private readonly outcomes: RecordedEvents;

  constructor(log: Pick<EventLog, 'sequenced'>, partition: number) {
    this.decisions = new RecordedEvents(log, 'probability.decisions', partition);
    this.outcomes = new RecordedEvents(log, 'decision.outcomes', partition);
  }

  async before(tapeOffset: number) {
    const [decisions, outcomes] = [await this.decisions.before(tapeOffset), await this.outcomes.before(tapeOffset)];
    return { recorded: [...decisions, ...outcomes], recordedTo: this.decisions.recordedTo };
  }

  get repeated(): number {
    return this.decisions.repeated + this.outcomes.repeated;
  }

  async close(): Promise<void> {
    await Promise.all([this.decisions.close(), this.outcomes.close()]);
  }
}

function onlyTapeOf(runs: readonly TapeRun[]): string | null {
  const ids = [...new Set(runs.flatMap(({ tapeId }) => tapeId ?? []))];
  if (ids.length > 1) {
    throw new TapeproofError(
      'FOREIGN_TAPE',
      `The partitions belong to different tapes (${ids.join(', ')}): connect to the Kafka of one of them.`,
    );
  }
  return ids[0] ?? null;
}

function strategyFailure(error: StrategyFault): TapeproofError {
  const { eventId, instrument, eventTime } = error.snapshot;
  return new TapeproofError(
    'USAGE',
    `${error.subject} ${error.message}. It was at ${eventId} of ${instrument} at ${isoTimeOf(eventTime)}.`,
    { cause: error },
  );
}

/** Which decisions are scored, as a trial names it. */
export function selectionOf({ instrument, sinceUs, untilUs }: ScoreboardQuery): Readonly<Record<string, string>> {
  return {
    ...(instrument !== undefined && { instrument }),
    ...(sinceUs !== undefined && { from: isoTimeOf(sinceUs) }),
    ...(untilUs !== undefined && { to: isoTimeOf(untilUs) }),
  };
}
