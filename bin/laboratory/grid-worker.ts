/** A thread of a grid: runs the configurations that the main thread hands it, one after another. */
import { parentPort, workerData } from 'node:worker_threads';
import { parseConfiguration } from '../../evaluators/configuration.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { actAs } from '../role.ts';
import { withEvents } from '../with-events.ts';
import { fileRunner, tapeRunner, type GridRunner } from './grid-job.ts';
import type { FromWorker, GridWorkerTask, ToWorker } from './grid.ts';
import { knownStrategies, loadStrategies } from './own-strategies.ts';

/** Progress is told this often at most. */
const PROGRESS_EVERY_MS = 200;

const port = parentPort;
if (port === null) throw new Error('this file is a thread of a grid');
const { source, strategies, role } = workerData as GridWorkerTask;
const tell = (message: FromWorker) => {
  port.postMessage(message);
};

const stop = new AbortController();
const jobs: (ToWorker & { kind: 'run' })[] = [];
let wake = (): void => undefined;
port.on('message', (message: ToWorker) => {
  if (message.kind === 'run') jobs.push(message);
  else stop.abort();
  wake();
});

async function work(runner: GridRunner): Promise<void> {
  const known = knownStrategies(await loadStrategies(strategies));
  tell({ kind: 'ready' });
  while (!stop.signal.aborted) {
    const job = jobs.shift();
    if (job === undefined) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      continue;
    }
    let toldAtMs = 0;
    const result = await runner({
      configuration: parseConfiguration(JSON.parse(job.configuration), known),
      known,
      signal: stop.signal,
      onProgress: (done) => {
        const nowMs = performance.now();
        if (nowMs - toldAtMs < PROGRESS_EVERY_MS) return;
        toldAtMs = nowMs;
        tell({ kind: 'progress', index: job.index, done });
      },
    });
    if (result !== undefined) tell({ kind: 'done', index: job.index, result });
  }
}

actAs(role);
try {
  if (source.kind === 'tape') {
    await withEvents('research', (events) => work(tapeRunner(events, source)));
  } else await work(await fileRunner(source, stop.signal));
} catch (error) {
  // A signal may end a survey by its own reason.
  if (!stop.signal.aborted) {
    const { message } = error as Error;
    if (!(error instanceof TapeproofError)) throw error;
    tell({ kind: 'failed', code: error.code, message });
  }
}
port.close();
