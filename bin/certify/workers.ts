import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { TapeproofError } from '../../platform/errors.ts';
import type { PartitionResult } from '../../proofs/certify/partition.ts';
import type { Order, PartitionOrder, Report } from './messages.ts';

/**
 * Certifies partitions side by side, one thread for each processor at most.
 *
 * @param onRecords - called with the number of tape records of each batch.
 * @returns the results so far when the signal is aborted.
 * @throws the first error of a thread.
 */
export async function certifyInParallel(
  orders: readonly PartitionOrder[],
  signal: AbortSignal,
  onRecords: (count: number) => void,
): Promise<PartitionResult[]> {
  const left = [...orders];
  const results: PartitionResult[] = [];
  const workers: Worker[] = [];
  const count = Math.min(orders.length, availableParallelism());
  const run = (): Promise<void> => {
    const worker = new Worker(new URL('worker.ts', import.meta.url));
    workers.push(worker);
    return runWorker(worker, {
      nextOrder: () => (signal.aborted ? undefined : left.shift()),
      onRecords,
      onResult: (result) => results.push(result),
    });
  };
  const stop = (): void => {
    for (const worker of workers) worker.postMessage('stop' satisfies Order);
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    await Promise.all(Array.from({ length: count }, run));
  } finally {
    signal.removeEventListener('abort', stop);
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  return results.sort((one, other) => one.partition - other.partition);
}

interface WorkerUse {
  readonly nextOrder: () => PartitionOrder | undefined;
  readonly onRecords: (count: number) => void;
  readonly onResult: (result: PartitionResult) => void;
}

/** Gives a worker one order after the other until none is left. */
function runWorker(worker: Worker, { nextOrder, onRecords, onResult }: WorkerUse): Promise<void> {
  return new Promise((resolve, reject) => {
    const order = (): void => {
      const next = nextOrder();
      if (next === undefined) resolve();
      else worker.postMessage(next satisfies Order);
    };
    worker.on('message', (message: Report) => {
      if (message.kind === 'records') onRecords(message.count);
      else if (message.kind === 'result') {
        onResult(message.result);
        order();
      } else reject(errorOf(message));
    });
    worker.on('error', reject);
    worker.on('exit', () => {
      resolve();
    });
    order();
  });
}

function errorOf({ code, message }: Extract<Report, { readonly kind: 'failure' }>): Error {
  return code === undefined ? new Error(message) : new TapeproofError(code, message);
}
