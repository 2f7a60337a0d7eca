import { setTimeout as wait } from 'node:timers/promises';
import type { Connections } from '../platform/connections.ts';
import { migratePostgres, type RebuildReport } from '../projectors/main.ts';
import type { Bench } from './bench.ts';
import { startChild } from './child.ts';
import { figureOf, medianOf, type Figure } from './figure.ts';
import { residentBytesOf } from './peers/process-usage.ts';
import { catchUpOnce } from './read-models.ts';

const PROJECTORS = ['postgres-history', 'redis-latest'] as const;
const SAMPLE_INTERVAL_MS = 1_000;
const QUARTERS = ['first', 'second', 'third', 'last'] as const;
/** The middles of the first and the last quarter are three quarters of the time apart. */
const QUARTERS_APART = 0.75;
const MEBIBYTE = 1_048_576;
const MILLISECONDS_PER_SECOND = 1_000;
const RECORDS_PER_MILLION = 1_000_000;

/** What a process held while it rebuilt a read model. */
interface MemoryRun {
  readonly report: RebuildReport;
  /** Resident bytes each second, while the log is read. */
  readonly loading: readonly number[];
  readonly peakResidentBytes: number;
}

/**
 * Resident memory of a process that rebuilds a read model from a long log, in each quarter of its load: where it holds
 * anything for each record, the last is above the first. The derived topics must be filled.
 */
export async function measureRebuildMemory(
  { connections, runs }: Bench,
  tell: (progress: string) => void,
): Promise<Figure[]> {
  await migratePostgres(connections);
  const figures: Figure[] = [];
  for (const name of PROJECTORS) {
    tell(`rebuild-memory: ${name} reads the log …`);
    await catchUpOnce(name, connections);
    const done: MemoryRun[] = [];
    for (let run = 1; run <= runs; run += 1) {
      tell(`rebuild-memory: rebuild ${run} of ${runs} of ${name} …`);
      done.push(await rebuildApart(name, connections));
    }
    figures.push(...figuresOf(name, done));
  }
  return figures;
}

async function rebuildApart(name: string, connections: Connections): Promise<MemoryRun> {
  const startedAt = performance.now();
  const child = startChild({ role: 'rebuild', connections, argument: name });
  const samples: { readonly atSeconds: number; readonly bytes: number }[] = [];
  const work = { isDone: false };
  const ended = child.ended.finally(() => (work.isDone = true));
  ended.catch(() => undefined);
  while (!work.isDone) {
    const bytes = residentBytesOf(child.pid);
    if (bytes !== undefined)
      samples.push({ atSeconds: (performance.now() - startedAt) / MILLISECONDS_PER_SECOND, bytes });
    await Promise.race([wait(SAMPLE_INTERVAL_MS), ended]);
  }
  const { result, usage } = await ended;
  const report = result as RebuildReport;
  // The phases follow each other to the end; before them the process starts and connects.
  const beganSeconds = (performance.now() - startedAt) / MILLISECONDS_PER_SECOND - secondsOf(report);
  const loadedSeconds = beganSeconds + report.seconds.load;
  const loading = samples
    .filter(({ atSeconds }) => atSeconds >= beganSeconds && atSeconds <= loadedSeconds)
    .map(({ bytes }) => bytes);
  if (loading.length < QUARTERS.length) {
    throw new Error(
      `${name} is rebuilt in less than ${QUARTERS.length} s, too soon to be measured: give more --trades`,
    );
  }
  return { report, loading, peakResidentBytes: usage.peakResidentBytes };
}

function figuresOf(name: string, runs: readonly MemoryRun[]): Figure[] {
  const records = runs[0]?.report.records ?? 0;
  const quarters = runs.map(({ loading }) => quartersOf(loading));
  const growth = quarters.map((medians) => ((medians.at(-1) ?? 0) - (medians[0] ?? 0)) / MEBIBYTE);
  const mebibytes = (values: readonly number[]): readonly number[] => values.map((value) => value / MEBIBYTE);
  const seconds = runs.map(({ report }) => secondsOf(report));
  return [
    figureOf(`${name}, rebuild`, 'records', [records], 'of the tape and the derived topics'),
    figureOf(
      `${name}, rebuild, rate`,
      'records/s',
      seconds.map((taken) => records / taken),
      'in a process of its own, from its first phase to its last',
    ),
    figureOf(
      `${name}, rebuild, peak`,
      'MiB',
      mebibytes(runs.map((run) => run.peakResidentBytes)),
      'resident, to its end',
    ),
    ...QUARTERS.map((quarter, index) =>
      figureOf(
        `${name}, rebuild, ${quarter} quarter`,
        'MiB',
        mebibytes(quarters.map((medians) => medians[index] ?? Number.NaN)),
        'resident, the median of this quarter of the time in which the log is read',
      ),
    ),
    figureOf(`${name}, rebuild, growth`, 'MiB', growth, 'the last quarter less the first'),
    figureOf(
      `${name}, rebuild, slope`,
      'MiB a million records',
      growth.map((grown) => (grown * RECORDS_PER_MILLION) / (records * QUARTERS_APART)),
      'the growth over the records between the middles of these quarters',
    ),
  ];
}

function secondsOf({ seconds }: RebuildReport): number {
  return Object.values(seconds).reduce((sum, phase) => sum + phase, 0);
}

/** The median of each quarter of the samples. */
export function quartersOf(samples: readonly number[]): readonly number[] {
  const count = QUARTERS.length;
  return QUARTERS.map((_, index) =>
    medianOf(samples.slice((index * samples.length) / count, ((index + 1) * samples.length) / count)),
  );
}
