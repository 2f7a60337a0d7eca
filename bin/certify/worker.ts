import { on } from 'node:events';
import { parentPort } from 'node:worker_threads';
import { TapeproofError } from '../../platform/errors.ts';
import { createTapeDecoder } from '../../platform/kafka/tape-decoder.ts';
import { certifyPartition } from '../../proofs/certify/partition.ts';
import { withEvents } from '../with-events.ts';
import type { Order, Report } from './messages.ts';

/** A thread of `certify`: derives one partition after the other, as it is ordered. */

if (parentPort === null) throw new Error('this file is a worker thread');
const port = parentPort;
const stop = new AbortController();
const report = (message: Report): void => {
  port.postMessage(message);
};

try {
  await withEvents('certify', async ({ reader, registry }) => {
    const access = { reader, registry, decode: createTapeDecoder(registry) };
    const { signal } = stop;
    const onRecords = (count: number): void => {
      report({ kind: 'records', count });
    };
    // The order to stop must be heard while a partition is worked on.
    port.on('message', (order: Order) => {
      if (order === 'stop') stop.abort();
    });
    for await (const [order] of on(port, 'message', { signal }) as AsyncIterable<[Order]>) {
      if (order === 'stop') break;
      const { partition, ...options } = order;
      report({ kind: 'result', result: await certifyPartition(access, partition, { ...options, signal, onRecords }) });
    }
  });
} catch (error) {
  if (!stop.signal.aborted) {
    const code = error instanceof TapeproofError ? error.code : undefined;
    const { message, stack = message } = error as Error;
    report({ kind: 'failure', code, message: code === undefined ? stack : message });
  }
}
// Idle connections would keep the thread.
process.exit();
