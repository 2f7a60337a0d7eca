import { Worker } from 'node:worker_threads';
import { canonicalConfiguration, type EngineConfiguration } from '../../evaluators/configuration.ts';
import { TapeproofError, type ErrorCode } from '../../platform/errors.ts';
import type { GridResult } from '../../proofs/laboratory/grid-report.ts';
import type { Role } from '../../stack/kafka-principals.ts';
import { currentRole } from '../role.ts';
import type { GridSource } from './grid-job.ts';

/** What a thread gets at its start. */
export interface GridWorkerTask {
  readonly source: GridSource;
  /** Files of strategies. */
  readonly strategies: readonly string[];
  readonly role: Role;
}

export type ToWorker =
  { readonly kind: 'run'; readonly index: number; readonly configuration: string } | { readonly kind: 'stop' };

export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'progress'; readonly index: number; readonly done: number }
  | { readonly kind: 'done'; readonly index: number; readonly result: GridResult }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

export interface GridRun {
  readonly source: GridSource;
  readonly strategies: readonly string[];
  readonly configurations: readonly EngineConfiguration[];
  /** Threads at most. */
  readonly workers: number;
  readonly signal: AbortSignal;
  /** Configurations finished, and the progress within those that are running, in the units of the source. */
  readonly onProgress: (finished: number, running: number) => void;
}

/**
 * Runs every configuration over the same data, each on its own in one of several threads: the results do not depend on
 * the number of threads. Each thread holds the state of one configuration at a time.
 *
 * @returns a result for each configuration; undefined for those that were not finished when the signal came.
 * @throws TapeproofError of the first thread that fails; the others are ended.
 */
export async function runGrid(run: GridRun): Promise<readonly (GridResult | undefined)[]> {
  const { configurations, signal } = run;
  const results: (GridResult | undefined)[] = configurations.map(() => undefined);
  const queue = configurations.map((configuration, index) => ({ index, configuration }));
  const progress = new Map<number, number>();
  const count = Math.min(run.workers, configurations.length);
  const task: GridWorkerTask = { source: run.source, strategies: run.strategies, role: currentRole() };
  const workers = Array.from(
    { length: count },
    () => new Worker(new URL('grid-worker.ts', import.meta.url), { workerData: task }),
  );
  const stopAll = () => {
    for (const worker of workers) worker.postMessage({ kind: 'stop' } satisfies ToWorker);
  };
  signal.addEventListener('abort', stopAll);
  const handNext = (worker: Worker) => {
    const job = signal.aborted ? undefined : queue.shift();
    const message: ToWorker =
      job === undefined
        ? { kind: 'stop' }
        : { kind: 'run', index: job.index, configuration: canonicalConfiguration(job.configuration) };
    worker.postMessage(message);
  };
  const told = (worker: Worker, message: FromWorker): void => {
    if (message.kind === 'failed') throw new TapeproofError(message.code, message.message);
    if (message.kind === 'progress') progress.set(message.index, message.done);
    if (message.kind === 'done') {
      results[message.index] = message.result;
      progress.delete(message.index);
    }
    if (message.kind !== 'progress') handNext(worker);
    const finished = results.filter((result) => result !== undefined).length;
    run.onProgress(
      finished,
      [...progress.values()].reduce((sum, done) => sum + done, 0),
    );
  };
  try {
    await Promise.all(workers.map((worker) => ended(worker, told)));
  } finally {
    signal.removeEventListener('abort', stopAll);
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  return results;
}

/** Resolves when a thread has ended on its own. */
function ended(worker: Worker, told: (worker: Worker, message: FromWorker) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.on('message', (message: FromWorker) => {
      try {
        told(worker, message);
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
    worker.once('error', reject);
    worker.once('exit', () => {
      resolve();
    });
  });
}
