import { TAPE_TOPIC } from '../contracts/topics.ts';
import type { Connections } from '../platform/connections.ts';
import { withDeadline } from '../platform/deadline.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { startConsumer } from '../platform/kafka/consumer.ts';
import { createLogReader } from '../platform/kafka/log-reader.ts';
import { createRecordProducer } from '../platform/kafka/producer.ts';
import { createRegistry } from '../platform/kafka/registry.ts';
import { createTapeDecoder } from '../platform/kafka/tape-decoder.ts';
import type { Log } from '../platform/log.ts';
import { ENGINE_VERSION } from './configuration.ts';
import { newCounters, PartitionDelivery, type EngineCounters } from './partition-delivery.adapter.ts';

/** Partitions stepped side by side: while one waits for Kafka, another computes. */
const PARTITIONS_AT_ONCE = 4;
/** How often progress is logged, while there is any. */
const PROGRESS_INTERVAL_MS = 10_000;
const CLOSE_DEADLINE_MS = 500;

export interface EngineOptions {
  readonly connections: Pick<Connections, 'kafkaBrokers' | 'registryUrl'>;
  readonly log: Log;
  /** Stops the engine: batches in hand are finished, offsets committed, the group left. */
  readonly signal: AbortSignal;
  /** Commit of this build; named where what it derives differs from what it finds. */
  readonly gitCommit?: string;
  /** Counted up while the engine runs. */
  readonly counters?: EngineCounters;
}

/** The consumer group of the engine. It holds the version: another version has offsets of its own. */
export function engineGroup(engineVersion: string = ENGINE_VERSION): string {
  return `tapeproof.engine.${engineVersion}`;
}

/**
 * Derives events from the tape until the signal. Start more to share the partitions.
 *
 * @throws TapeproofError UNREACHABLE when Kafka does not answer at the start; CONFLICT when what is derived again differs
 *   from what the outputs hold; SEQUENCE_GAP when an output lost events; FOREIGN_TAPE when the anchors are another tape's.
 */
export async function runEngine(options: EngineOptions): Promise<void> {
  const { connections, log, signal, gitCommit = 'unknown', counters = newCounters() } = options;
  const kafka = createKafka(connections.kafkaBrokers, 'tapeproof-engine', log);
  const registry = createRegistry(connections.registryUrl);
  const reader = createLogReader(connections.kafkaBrokers);
  const producer = createRecordProducer(kafka, registry);
  const access = { reader, registry, decode: createTapeDecoder(registry) };
  const partitions = new Map<number, PartitionDelivery>();
  const deliveryOf = (partition: number): PartitionDelivery => {
    let delivery = partitions.get(partition);
    if (delivery === undefined) {
      delivery = new PartitionDelivery(partition, { access, producer, gitCommit, counters, log });
      partitions.set(partition, delivery);
    }
    return delivery;
  };
  const progress = logProgress(log, counters);
  try {
    const consumer = await startConsumer({
      kafka,
      groupId: engineGroup(),
      topics: [TAPE_TOPIC],
      handle: (batch) => deliveryOf(batch.partition).handle(batch),
      onRevoked: (assignment) => {
        for (const partition of assignment[TAPE_TOPIC] ?? []) partitions.delete(partition);
      },
      log,
      concurrency: PARTITIONS_AT_ONCE,
    });
    const stop = () => void consumer.stop();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    try {
      await consumer.done;
    } finally {
      signal.removeEventListener('abort', stop);
    }
    log.info({ ...counters }, 'Engine stopped');
  } finally {
    clearInterval(progress);
    // Nothing is in flight unless Kafka is away: then there is nobody to say goodbye to.
    await withDeadline(producer.disconnect(), CLOSE_DEADLINE_MS, () => new Error('no answer')).catch(() => undefined);
    await reader.close();
  }
}

function logProgress(log: Log, counters: EngineCounters): NodeJS.Timeout {
  let logged = '';
  return setInterval(() => {
    const now = JSON.stringify(counters);
    if (now === logged) return;
    logged = now;
    log.info({ ...counters }, `${counters.records} tape records taken in, ${counters.events} events sent`);
  }, PROGRESS_INTERVAL_MS);
}
