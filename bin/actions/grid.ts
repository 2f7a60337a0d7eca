import { availableParallelism } from 'node:os';
import { sha256Hex } from '../../contracts/codec.ts';
import { canonicalConfiguration, ENGINE_VERSION, type EngineConfiguration } from '../../evaluators/configuration.ts';
import { TapeproofError } from '../../platform/errors.ts';
import {
  bySkill,
  GRID_SCHEMA,
  gridCsv,
  gridText,
  type GridReport,
  type GridResult,
} from '../../proofs/laboratory/grid-report.ts';
import { gridPoints, parseAxis, withPoint, type GridPoint } from '../../proofs/laboratory/grid.ts';
import { overfittingOf } from '../../proofs/laboratory/overfitting.ts';
import { EFFECTIVE_N_MIN } from '../../proofs/scores/batch-means.ts';
import { selectionOf } from '../../proofs/laboratory/tape-experiment.ts';
import type { TrialReport } from '../../proofs/laboratory/trial-report.ts';
import { HYPOTHETICAL } from '../../proofs/laboratory/what-if.ts';
import type { GridOptions } from '../commands/laboratory-options.ts';
import { print, readConfiguration } from '../context.ts';
import type { GridSource } from '../laboratory/grid-job.ts';
import { runGrid } from '../laboratory/grid.ts';
import {
  hashesOf,
  knownStrategies,
  loadStrategies,
  type loadStrategies as Load,
} from '../laboratory/own-strategies.ts';
import { partsOf, queryOf, recordsIn, type TapeSelectionOptions } from '../laboratory/tape-source.ts';
import { recordTrials, type Tried } from '../laboratory/trial-recorder.ts';
import { progressBar } from '../progress.ts';
import type { Events } from '../with-events.ts';

const STOPPED = 130;

interface GridRequest extends GridOptions {
  readonly grid: readonly string[];
  readonly config: string;
  readonly strategy?: readonly string[];
  readonly csv?: true;
  readonly json?: true;
}

/** The data of a grid, and how its trials are recorded. */
interface GridSubject {
  readonly kind: Tried['kind'];
  readonly source: GridSource;
  /** Of one point, in the units of its progress. */
  readonly total: number;
  readonly selection: Tried['selection'];
  readonly record: (tried: readonly Tried[]) => Promise<readonly TrialReport[]>;
}

interface Point {
  readonly values: GridPoint;
  readonly configuration: EngineConfiguration;
}

/**
 * A grid over the recorded tape.
 *
 * @param threshold - compares with what was decided, from this difference of the probability on; null for a backtest.
 */
export async function runTapeGrid(
  events: Events,
  options: GridRequest & TapeSelectionOptions,
  threshold: number | null,
  signal: AbortSignal,
): Promise<void> {
  const query = queryOf(options);
  const parts = await partsOf(events, options);
  await runGridOver(options, signal, {
    kind: threshold === null ? 'BACKTEST' : 'WHAT_IF',
    source: { kind: 'tape', parts, query, threshold },
    total: recordsIn(parts),
    selection: selectionOf(query),
    record: (tried) => recordTrials(events, tried),
  });
}

/** All combinations, in threads; every finished one is recorded before a score is shown. */
export async function runGridOver(request: GridRequest, signal: AbortSignal, subject: GridSubject): Promise<void> {
  const { grid, config, strategy = [], workers = availableParallelism(), csv, json } = request;
  const own = await loadStrategies(strategy);
  const points = await pointsOf(config, grid, own);
  const bar = progressBar(`grid of ${points.length}`);
  let results: readonly (GridResult | undefined)[] = [];
  try {
    results = await runGrid({
      ...{ source: subject.source, strategies: strategy, workers, signal },
      configurations: points.map(({ configuration }) => configuration),
      onProgress: (finished, running) => {
        const total = points.length * subject.total;
        // The end of the data is not the end of a point.
        const done = Math.min(finished * subject.total + running, finished === points.length ? total : total - 1);
        bar.update({ done, total, unit: 'configurations', count: finished });
      },
    });
  } finally {
    bar.stop();
  }
  const report = await reportOf(points, results, subject, hashesOf(own));
  if (!report.complete) process.exitCode = STOPPED;
  if (csv === true) process.stdout.write(gridCsv(report));
  else print(json, report, () => gridText(report));
}

async function pointsOf(
  config: string,
  grid: readonly string[],
  own: Awaited<ReturnType<typeof Load>>,
): Promise<readonly Point[]> {
  const { parse } = await import('yaml');
  const points: Point[] = [];
  for (const values of gridPoints(grid.map(parseAxis))) {
    const named = Object.entries(values).map(([key, value]) => `${key}=${value}`);
    try {
      const configuration = await readConfiguration(config, knownStrategies(own), (raw) =>
        withPoint(raw, values, (value) => parse(value) as unknown),
      );
      points.push({ values, configuration });
    } catch (error) {
      if (!(error instanceof TapeproofError)) throw error;
      throw new TapeproofError(error.code, `With ${named.join(', ')}: ${error.message}`, { cause: error });
    }
  }
  return points;
}

async function reportOf(
  points: readonly Point[],
  results: readonly (GridResult | undefined)[],
  { kind, selection, record }: GridSubject,
  strategies: Tried['strategies'],
): Promise<GridReport> {
  const finished = points.flatMap(({ values, configuration }, index) => {
    const result = results[index];
    const configHash = sha256Hex(canonicalConfiguration(configuration));
    return result === undefined ? [] : [{ values, configHash, result }];
  });
  const tried = finished.map(({ values, configHash, result }): Tried => {
    const { tapeId, parts: ranges, fileHashes, figures } = result;
    return { kind, configHash, strategies, tapeId, ranges, fileHashes, selection, figures, gridPoint: values };
  });
  const trials = tried.length === 0 ? [] : await record(tried);
  const rows = finished.flatMap(({ values, configHash, result: { figures, changes } }, index) => {
    const trial = trials[index];
    return trial === undefined ? [] : [{ label: HYPOTHETICAL, values, configHash, figures, changes, trial } as const];
  });
  return {
    ...{ schema: GRID_SCHEMA, label: HYPOTHETICAL, hypothetical: true, engineVersion: ENGINE_VERSION },
    ...{ points: points.length, complete: finished.length === points.length, rows: bySkill(rows) },
    overfitting: finished.every(({ result }) => result.figures.effectiveN >= EFFECTIVE_N_MIN)
      ? overfittingOf(finished.map(({ result }) => result.periods))
      : null,
  };
}
