import type { EngineConfiguration } from '../../evaluators/configuration.ts';
import type { Strategy } from '../../evaluators/strategies/strategy.ts';
import { createTapeDecoder } from '../../platform/kafka/tape-decoder.ts';
import {
  assertInOrder,
  ordersIn,
  surveyFile,
  type SurveyedFile,
  type SurveyOptions,
} from '../../producers/survey-file.adapter.ts';
import { backtestFiles } from '../../proofs/backtest-files.ts';
import { Backtest } from '../../proofs/backtest.ts';
import { DecisionComparison } from '../../proofs/laboratory/decision-comparison.ts';
import type { GridResult } from '../../proofs/laboratory/grid-report.ts';
import { PeriodSums } from '../../proofs/laboratory/period-sums.ts';
import { runOverTape } from '../../proofs/laboratory/tape-experiment.ts';
import type { TapePart } from '../../proofs/tape-parts.ts';
import type { ScoreboardCount, ScoreboardQuery } from '../../proofs/scoreboard/scoreboard.ts';
import { squaredError } from '../../proofs/scores/brier.ts';
import { SkillMoments } from '../../proofs/scores/skill-moments.ts';
import type { Events } from '../with-events.ts';

/** The data that every point of a grid runs over: plain data, for other threads. */
export type GridSource =
  | {
      readonly kind: 'tape';
      readonly parts: readonly TapePart[];
      readonly query: ScoreboardQuery;
      /** Compare with what was decided, from this difference of the probability on; null for a backtest. */
      readonly threshold: number | null;
    }
  | { readonly kind: 'files'; readonly files: readonly Omit<SurveyOptions, 'signal'>[] };

/** One point's configuration over the data. */
export interface GridJob {
  readonly configuration: EngineConfiguration;
  readonly known: readonly Strategy[];
  readonly signal: AbortSignal;
  /** Records or trades so far. */
  readonly onProgress: (done: number) => void;
}

/** Runs jobs over one source, one after another. @returns undefined when it was stopped. */
export type GridRunner = (job: GridJob) => Promise<GridResult | undefined>;

/** Runs jobs over the recorded tape. */
export function tapeRunner(events: Events, source: GridSource & { kind: 'tape' }): GridRunner {
  const { reader, registry, log } = events;
  const laboratory = { reader, registry, log, decode: createTapeDecoder(registry) };
  return async ({ onProgress, ...job }) => {
    const { parts, query, threshold } = source;
    const withDecisions = threshold === null ? undefined : new DecisionComparison({ ...query, threshold, firstMax: 0 });
    const result = await runOverTape(laboratory, { ...job, parts, withDecisions, onProgress });
    if (!result.complete) return undefined;
    const changes = withDecisions?.report();
    return {
      ...scored(result.count, query),
      ...{ tapeId: result.tapeId, parts: result.parts, fileHashes: [] },
      changes: changes === undefined ? null : withoutExamples(changes),
    };
  };
}

/** Runs jobs over files, which are surveyed once for all of them. */
export async function fileRunner(source: GridSource & { kind: 'files' }, signal: AbortSignal): Promise<GridRunner> {
  const files: SurveyedFile[] = [];
  for (const options of source.files) {
    const file = await surveyFile({ ...options, signal }, () => undefined);
    assertInOrder(file, ordersIn(file), 'file', options);
    files.push(file);
  }
  return async ({ configuration, known, signal: stop, onProgress }) => {
    const backtest = new Backtest([{ path: '', configuration }], known);
    const run = backtestFiles(backtest, files, {
      signal: stop,
      sort: source.files[0]?.sort,
      onProgress: ({ bytesDone }) => {
        onProgress(bytesDone);
      },
    });
    const { value: read } = await run.next();
    if (stop.aborted || !Array.isArray(read)) return undefined;
    const [count] = backtest.scores;
    if (count === undefined) return undefined;
    const fileHashes = files.map(({ opened }) => opened.sha256);
    return { ...scored(count, {}), tapeId: null, parts: [], fileHashes, changes: null };
  };
}

function scored(count: ScoreboardCount, query: ScoreboardQuery): Pick<GridResult, 'figures' | 'periods'> {
  const moments = new SkillMoments();
  const periods = new PeriodSums();
  for (const { verdict, weight, published, reference, forecastTime } of count.decisionOutcomes(query)) {
    if (verdict === 'VOID' || Number.isNaN(reference)) continue;
    const isHit = verdict === 'HIT';
    moments.observe({ probability: published, reference, isHit, weight });
    periods.observe(forecastTime, weight, squaredError(reference, isHit) - squaredError(published, isHit));
  }
  return { figures: moments.figures(), periods: periods.list() };
}

function withoutExamples({ compared, alike, changed, ahead, paired }: ReturnType<DecisionComparison['report']>) {
  return { compared, alike, changed, ahead, paired };
}
