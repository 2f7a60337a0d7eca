import type { Kafka } from 'kafkajs';
import { TAPE_TOPIC } from '../contracts/topics.ts';
import { derivationOf } from '../contracts/traceparent.ts';
import type { Connections } from '../platform/connections.ts';
import { openUnlessAborted, withDeadline } from '../platform/deadline.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { startConsumer } from '../platform/kafka/consumer.ts';
import { watchLag } from '../platform/kafka/lag.ts';
import { createLogReader, type LogReader } from '../platform/kafka/log-reader.ts';
import { createRecordProducer } from '../platform/kafka/producer.ts';
import { RefusalWatch } from '../platform/kafka/refusals.ts';
import { createTapeDecoder } from '../platform/kafka/tape-decoder.ts';
import { refuseOtherPartitions, type TapeLabel } from '../platform/kafka/tape-label.ts';
import { openTrustedLog, type TrustedLog } from '../platform/kafka/trusted-log.ts';
import type { Log } from '../platform/log.ts';
import type { LogFields } from '../platform/log-field-catalogue.ts';
import type { Metrics } from '../platform/metrics/metrics.ts';
import { noTelemetry, type Telemetry } from '../platform/telemetry.ts';
import { tracedBatch } from '../platform/tracing/traced-batch.ts';
import { ENGINE_VERSION } from './configuration.ts';
import { EngineTelemetry } from './telemetry.adapter.ts';
import { EarlyRecoveries } from './early-recovery.adapter.ts';
import { newCounters, type EngineCounters } from './engine-counters.ts';
import { HandOverTelemetry } from './hand-over.adapter.ts';
import { PartitionProcessor } from './partition-processor.adapter.ts';
import { watchPartitions } from './partition-watch.adapter.ts';
import { Turns } from '../platform/turns.ts';

/**
 * Partitions of one fetch handled side by side: their events are sent to Kafka in one request, and the next fetch waits
 * once.
 */
const PARTITIONS_AT_ONCE = 16;
/** The interval at which progress is logged, while there is any. */
const PROGRESS_INTERVAL_MS = 10_000;
/** Longer than most recoveries: one that waits for a lost broker must not keep the others waiting. */
const RECOVERY_TURN_MS_MAX = 5_000;
const CLOSE_DEADLINE_MS = 500;

export interface EngineOptions {
  readonly connections: Pick<Connections, 'kafkaBrokers' | 'registryUrl'>;
  readonly log: Log;
  /** Stops the engine: it finishes its current batches, commits offsets and leaves the group. */
  readonly signal: AbortSignal;
  /** Commit of this build; named when a derived event differs from the one found. */
  readonly gitCommit?: string;
  /** Counted up while the engine runs. */
  readonly counters?: EngineCounters;
  readonly telemetry?: Telemetry;
}

/** The common prefix of the consumer groups of all engine versions. */
export const ENGINE_GROUP_PREFIX = 'tapeproof.engine.';

/** The consumer group of the engine. Its name contains the version: another version has separate offsets. */
export function engineGroup(engineVersion: string = ENGINE_VERSION): string {
  return `${ENGINE_GROUP_PREFIX}${engineVersion}`;
}

/**
 * Derives events from the tape until the signal. Start more to share the partitions.
 *
 * @throws TapeproofError UNREACHABLE when Kafka does not answer at the start; CHECK_FAILED when the tape was activated with
 *   another number of partitions; CONFLICT when an event derived again differs from the one in the outputs;
 *   SEQUENCE_GAP when an output lost events; FOREIGN_TAPE when the anchors are another tape's.
 */
export async function runEngine(options: EngineOptions): Promise<void> {
  const { connections, log, signal, telemetry = noTelemetry(), counters = newCounters() } = options;
  const kafka = createKafka(connections.kafkaBrokers, 'tapeproof-engine', log);
  const reader = createLogReader(connections.kafkaBrokers);
  try {
    const { registryUrl } = connections;
    const opening = openTrustedLog({ kafka, reader, registryUrl, log, telemetry });
    const trusted = await openUnlessAborted(opening, signal, ({ registry }) => {
      registry.close();
    });
    if (trusted !== undefined) await derive({ ...options, telemetry, counters, kafka, reader, trusted });
    log.event('engine-stopped', `Engine stopped: ${progressText(counters)}`, progressFields(counters));
  } finally {
    await reader.close();
  }
}

interface OpenEngine extends EngineOptions {
  readonly telemetry: Telemetry;
  readonly counters: EngineCounters;
  readonly kafka: Kafka;
  readonly reader: LogReader;
  readonly trusted: TrustedLog;
}

/** From the first join to leaving the group. */
async function derive(engine: OpenEngine): Promise<void> {
  const { kafka, reader, trusted, log, telemetry, signal, gitCommit = 'unknown', counters } = engine;
  const { metrics } = telemetry;
  const { registry } = trusted;
  const partitions = new Map<number, PartitionProcessor>();
  const producer = createRecordProducer(kafka, registry, metrics, (appended) => {
    partitions.get(appended.partition)?.appended(appended);
  });
  const access = { reader, registry, decode: createTapeDecoder(registry) };
  const early = new EarlyRecoveries(access);
  const label = (): Promise<TapeLabel> => registry.label();
  const shared = {
    ...{ access, producer, label, early, gitCommit, counters, metrics, log },
    recoveries: new Turns(RECOVERY_TURN_MS_MAX),
    report: new EngineTelemetry(log, metrics),
    handOver: new HandOverTelemetry(telemetry, log),
    refusals: new RefusalWatch(telemetry),
  };
  const processorOf = (partition: number): PartitionProcessor => {
    let processor = partitions.get(partition);
    if (processor === undefined) {
      processor = new PartitionProcessor(partition, shared);
      partitions.set(partition, processor);
    }
    return processor;
  };
  const shown = [
    showAnchorAges(metrics, partitions),
    metrics.beforeScrape(() => {
      metrics.countUpTo('tapeproof_engine_events_compared_total', {}, counters.compared);
    }),
  ];
  const progress = logProgress(log, counters);
  const traced = { tracing: telemetry.tracing, groupId: engineGroup(), spanOf: derivationOf };
  const watch = watchPartitions({ kafka, groupId: engineGroup(), reader, processorOf, log });
  try {
    void early.run(trusted.partitions);
    const starting = startConsumer({
      kafka,
      groupId: engineGroup(),
      topics: [TAPE_TOPIC],
      handle: (batch) => {
        // More may be sent to Kafka while this runs.
        if (batch.partition >= trusted.partitions) refuseOtherPartitions(batch.partition + 1, trusted.partitions);
        return tracedBatch(traced, batch, () => processorOf(batch.partition).handle(batch));
      },
      onAssigned: (assignment) => {
        const assigned = assignment[TAPE_TOPIC] ?? [];
        early.end(assigned);
        watch.assigned(assigned);
      },
      onRevoked: (assignment) => {
        shared.refusals.forget(assignment);
        for (const partition of assignment[TAPE_TOPIC] ?? []) {
          partitions.delete(partition);
          shared.handOver.ended(partition);
        }
      },
      offsetsAreHints: true,
      log,
      telemetry,
      concurrency: PARTITIONS_AT_ONCE,
    });
    const consumer = await openUnlessAborted(starting, signal, (late) => late.stop());
    if (consumer === undefined) return;
    watch.start((partition, offset) => {
      consumer.seek(TAPE_TOPIC, partition, offset);
    });
    const lag = watchLag({ kafka, reader, groupId: engineGroup(), consumer, telemetry, log });
    const stop = () => void consumer.stop();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    try {
      await consumer.done;
    } finally {
      signal.removeEventListener('abort', stop);
      lag.close();
      watch.close();
    }
  } finally {
    clearInterval(progress);
    early.end([]);
    for (const end of shown) end();
    // Nothing is in flight unless Kafka is unreachable: then there is no broker to disconnect from.
    await withDeadline(producer.disconnect(), CLOSE_DEADLINE_MS, () => new Error('no answer')).catch(() => undefined);
    registry.close();
  }
}

function logProgress(log: Log, counters: EngineCounters): NodeJS.Timeout {
  let logged = '';
  return setInterval(() => {
    const now = JSON.stringify(counters);
    if (now === logged) return;
    logged = now;
    log.event('engine-progress', progressText(counters), progressFields(counters));
  }, PROGRESS_INTERVAL_MS);
}

function progressText({ records, events }: EngineCounters): string {
  return `${records} tape records processed, ${events} events sent`;
}

function progressFields(counters: EngineCounters): LogFields {
  return {
    'tapeproof.records': counters.records,
    'tapeproof.events': counters.events,
    'tapeproof.dead_letters': counters.deadLetters,
    'tapeproof.anchors': counters.anchors,
    'tapeproof.recoveries': counters.recoveries,
    'tapeproof.recovered': counters.recovered,
    'tapeproof.compared': counters.compared,
    'tapeproof.skipped': counters.skipped,
  };
}

/** @returns the function that ends it. */
function showAnchorAges(metrics: Metrics, partitions: ReadonlyMap<number, PartitionProcessor>): () => void {
  let shown: readonly number[] = [];
  return metrics.beforeScrape(() => {
    const ages = [...partitions].flatMap(([partition, { anchorAge }]) =>
      anchorAge ? [{ partition, ...anchorAge }] : [],
    );
    for (const partition of shown) {
      metrics.remove('tapeproof_engine_anchor_age_seconds', { partition });
      metrics.remove('tapeproof_engine_anchor_age_records', { partition });
    }
    for (const { partition, seconds, records } of ages) {
      metrics.set('tapeproof_engine_anchor_age_seconds', { partition }, seconds);
      metrics.set('tapeproof_engine_anchor_age_records', { partition }, records);
    }
    shown = ages.map(({ partition }) => partition);
  });
}
