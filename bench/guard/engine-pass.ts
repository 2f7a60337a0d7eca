import { encodeBody, FINGERPRINTS } from '../../contracts/codec.ts';
import { TAPE_TOPIC } from '../../contracts/topics.ts';
import { readTrade } from '../../contracts/trade-reader.ts';
import { parseConfiguration } from '../../evaluators/configuration.ts';
import { activationOf } from '../../evaluators/derive.ts';
import { createPartitionTask, type PartitionTask } from '../../evaluators/partition-task.ts';
import { fetchedBatches, FetchedSequence } from '../../platform/kafka/fetched-batch.ts';
import { createTapeDecoder, type TapeDecoder } from '../../platform/kafka/tape-decoder.ts';
import type { Pass } from './ratio.ts';
import { SCHEMA_ID, type GuardTape } from './tape.ts';

const PARTITION = 0;
/** Short, so that most forecasts of so short a tape are resolved. */
const HORIZON_MS = 30_000;

/**
 * The engine's own path from fetched bytes to derived bytes and their hashes, from the beginning of the tape.
 *
 * @throws Error when a pass derives nothing.
 */
export function engineOver({ batches, trades }: GuardTape): Pass {
  const schema = { id: SCHEMA_ID, name: 'Trade', fingerprint: FINGERPRINTS.Trade, read: readTrade } as const;
  const decode = createTapeDecoder({ schemaOf: () => schema });
  return function* pass() {
    const task = startedTask();
    let events = 0;
    for (const bytes of batches) {
      events += eventsOf(task, bytes, decode);
      yield;
    }
    if (task.counts.trades !== trades || events === 0) throw new Error('the engine has not stepped the tape');
  };
}

function eventsOf(task: PartitionTask, bytes: Buffer, decode: TapeDecoder): number {
  let events = 0;
  for (const record of new FetchedSequence(fetchedBatches(bytes, uncompressed), TAPE_TOPIC, PARTITION, 0)) {
    const content = decode(record);
    if (content instanceof Promise) throw new Error('the schema of the trades is known');
    // The activation is at offset 0.
    events += task.advance({ partition: PARTITION, offset: record.offset + 1, content }).derived.length;
  }
  return events;
}

function startedTask(): PartitionTask {
  const task = createPartitionTask(PARTITION);
  const configuration = parseConfiguration({ hitRule: { horizonMs: HORIZON_MS } });
  const activation = activationOf(configuration, { tapeId: 'guard', activationId: 'guard', gitCommit: 'unknown' });
  const body = encodeBody('EngineActivated', activation);
  const content = { kind: 'activation', activation, fingerprint: FINGERPRINTS.EngineActivated, body } as const;
  task.advance({ partition: PARTITION, offset: 0, content });
  return task;
}

function uncompressed(): never {
  throw new Error('the batches are not compressed');
}
