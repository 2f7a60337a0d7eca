import { setTimeout as sleep } from 'node:timers/promises';
import type { TopicName } from '../contracts/topics.ts';
import type { Connections } from '../platform/connections.ts';
import { openUnlessAborted, unlessAborted } from '../platform/deadline.ts';
import { TapeproofError } from '../platform/errors.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { startConsumer, type Assignment, type RunningConsumer } from '../platform/kafka/consumer.ts';
import { watchLag } from '../platform/kafka/lag.ts';
import type { LogReader } from '../platform/kafka/log-reader.ts';
import { topicPartitionKey } from '../platform/kafka/topic-partition.ts';
import type { RecordProducer } from '../platform/kafka/producer.ts';
import { RefusalWatch } from '../platform/kafka/refusals.ts';
import type { Log } from '../platform/log.ts';
import type { Telemetry } from '../platform/telemetry.ts';
import { tracedBatch } from '../platform/tracing/traced-batch.ts';
import { createBatchWriter, type BatchWriter } from './batch-writer.adapter.ts';
import type { EventReader } from './event-reader.adapter.ts';
import type { ProjectorOf } from './projector.ts';
import { remedyForGap, remedyForLoss } from './remedies.adapter.ts';
import { RootWatch } from './root-watch.adapter.ts';
import { SinkHealth } from './sink-health.adapter.ts';
import type { ReadModel, ReadModelStatus, Sink } from './sink.ts';
import { ProjectorTelemetry } from './telemetry.adapter.ts';

/** Batches of different partitions handled side by side: one is decoded while another is written. */
const CONCURRENCY = 3;
/** How soon a wiped store or a new generation is noticed while nothing arrives. */
const WATCH_INTERVAL_MS = 1_000;
/** How long a batch in hand may take at the end. */
const STORE_GRACE_MS = 2_500;

export interface RunSettings<Output> {
  readonly projector: ProjectorOf<Output>;
  readonly readModel: ReadModel<Output>;
  readonly tapeId: string;
  readonly read: EventReader;
  readonly reader: LogReader;
  readonly producer: RecordProducer;
  readonly connections: Connections;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly telemetry: Telemetry;
}

/** Group of a projector's generation: a new generation reads from the beginning. */
export function groupOf(projector: string, generation: number): string {
  return `tapeproof.${projector}.g${generation}`;
}

/**
 * Keeps a read model up to date until `signal`; where a rebuild put a new generation in place, continues with that.
 *
 * @throws TapeproofError SEQUENCE_GAP, FOREIGN_TAPE, UNREACHABLE.
 */
export async function keepUpToDate<Output>(settings: RunSettings<Output>): Promise<void> {
  const { projector, readModel, tapeId, log, signal } = settings;
  let sink = await unlessAborted(readModel.open(tapeId), signal);
  while (sink !== undefined) {
    log.event('projector-started', `${projector.name} writes generation ${sink.generation}`, {
      'tapeproof.generation': sink.generation,
    });
    if ((await runGeneration(settings, sink)) === 'stopped') return;
    log.event('generation-changed', `${projector.name}: the live generation changed, continuing with the new one`);
    sink = await reopen(settings);
  }
}

/** Unlike at the start, where a person waits for an answer, an outage is ridden out. */
async function reopen<Output>({
  readModel,
  tapeId,
  log,
  signal,
}: RunSettings<Output>): Promise<Sink<Output> | undefined> {
  while (!signal.aborted) {
    try {
      return await unlessAborted(readModel.open(tapeId), signal);
    } catch (error) {
      if (!(error instanceof TapeproofError && error.code === 'UNREACHABLE')) throw error;
      log.warn(error.message);
      await sleep(WATCH_INTERVAL_MS, undefined, { signal }).catch(() => undefined);
    }
  }
  return undefined;
}

async function runGeneration<Output>(
  { projector, readModel, tapeId, read, reader, producer, connections, log, signal, telemetry }: RunSettings<Output>,
  sink: Sink<Output>,
): Promise<'stopped' | 'changed'> {
  const sinkHealth = new SinkHealth(projector.name, log, telemetry);
  const refusals = new RefusalWatch(telemetry);
  const batchWriter = createBatchWriter({
    ...{ projector, sink, read, log, sinkHealth, refusals },
    metrics: telemetry.metrics,
    remedyForGap: (topic, partition, gap) => remedyForGap(projector.name, { reader, read }, topic, partition, gap),
    startOffset: (topic, partition) => reader.startOffset(topic, partition),
    sendDeadLetters: (letters) => (letters.length === 0 ? Promise.resolve() : producer.send(letters)),
  });
  const groupId = groupOf(projector.name, sink.generation);
  const traced = { tracing: telemetry.tracing, groupId };
  const watched: Watched = { assignment: {}, sought: new Map() };
  const changed = new AbortController();
  const kafka = createKafka(connections.kafkaBrokers, `tapeproof-${projector.name}`);
  const starting = startConsumer({
    kafka,
    groupId,
    topics: projector.topics,
    remedy: (topic) => remedyForLoss(projector.name, topic),
    concurrency: CONCURRENCY,
    log,
    telemetry,
    handle: async (batch) => {
      try {
        return await tracedBatch(traced, batch, () => batchWriter.handle(batch));
      } catch (error) {
        if (!(error instanceof TapeproofError && error.code === 'GENERATION_CHANGED')) throw error;
        // A rebuild succeeded, and nothing went wrong: the new generation reads the rest of this batch.
        changed.abort();
        return { nextOffset: batch.firstOffset };
      }
    },
    onAssigned: (assigned) => {
      watched.assignment = assigned;
      watched.sought.clear();
      // Other processes may have written meanwhile.
      batchWriter.assigned(partitionsOf(assigned));
    },
    onRevoked: (lost) => {
      refusals.forget(lost);
    },
  });
  const consumer = await openUnlessAborted(starting, signal, (late) => late.stop());
  if (consumer === undefined) return 'stopped';
  const lag = watchLag({ kafka, reader, groupId, consumer, telemetry, log });
  const rootWatch = rootWatchOf({ projector, reader, read, tapeId, log, telemetry }, sink);
  const over = new AbortController();
  void consumer.done
    .catch(() => undefined)
    .finally(() => {
      over.abort();
    });
  const any = AbortSignal.any([signal, over.signal, changed.signal]);
  const ended = new AbortController();
  void rootWatch?.run(() => partitionsOf(watched.assignment), AbortSignal.any([any, ended.signal]));
  try {
    while (!any.aborted) {
      const verdict = await unlessAborted(watch(readModel, sink.generation, batchWriter, consumer, watched), any);
      if (verdict === 'changed') return 'changed';
      await unlessAborted(watchHazard(readModel, sinkHealth), any);
      await sleep(WATCH_INTERVAL_MS, undefined, { signal: any }).catch(() => undefined);
    }
    if (over.signal.aborted) await consumer.done;
    return changed.signal.aborted ? 'changed' : 'stopped';
  } finally {
    ended.abort();
    lag.close();
    // Waits for the batches in hand; a store that hangs must not keep the consumer from leaving its group.
    const grace = signal.aborted ? setTimeout(() => void readModel.close(), STORE_GRACE_MS) : undefined;
    await consumer.stop();
    clearTimeout(grace);
  }
}

/** Undefined where the store has no output whole. */
function rootWatchOf<Output>(
  { projector, reader, read, tapeId, log, telemetry }: RootWatchParts<Output>,
  sink: Sink<Output>,
): RootWatch | undefined {
  const { roots } = sink;
  if (roots === undefined) return undefined;
  const report = new ProjectorTelemetry(projector.name, log, telemetry.metrics);
  const position: Sink<Output>['position'] = (topic, partition) => sink.position(topic, partition);
  return new RootWatch({ roots, reader, read, tapeId, position, report });
}

type RootWatchParts<Output> = Pick<
  RunSettings<Output>,
  'projector' | 'reader' | 'read' | 'tapeId' | 'log' | 'telemetry'
>;

interface Watched {
  assignment: Assignment;
  /** Topic-partition to the requested offset from which nothing has been delivered yet. */
  readonly sought: Map<string, number>;
}

/**
 * Compares the store's positions with the deliveries. Without new records Kafka redelivers nothing, so a store that is
 * behind (wiped, truncated, or behind the group's offsets) is fed again from its own position.
 */
async function watch(
  readModel: ReadModel<unknown>,
  generation: number,
  batchWriter: BatchWriter,
  consumer: RunningConsumer,
  { assignment, sought }: Watched,
): Promise<'changed' | 'same'> {
  // Taken before the store is read, which can only be further.
  const partitions = partitionsOf(assignment).map(([topic, partition]) => {
    return { topic, partition, known: batchWriter.known(topic, partition) };
  });
  let stored: ReadModelStatus | undefined;
  try {
    stored = await readModel.status();
  } catch (error) {
    // An outage: the deliveries that meet it report it, and wait.
    if (error instanceof TapeproofError && error.code === 'UNREACHABLE') return 'same';
    throw error;
  }
  if (stored !== undefined && stored.generation !== generation) return 'changed';
  for (const { topic, partition, known } of partitions) {
    const position = stored?.positions.find((of) => of.topic === topic && of.partition === partition);
    const nextOffset = position?.nextOffset ?? 0;
    const key = topicPartitionKey({ topic, partition });
    if (known === undefined ? sought.get(key) === nextOffset : nextOffset >= known.nextOffset) continue;
    sought.set(key, nextOffset);
    batchWriter.forget(topic, partition);
    // One record back: delivering it makes the group commit the store's position, so that lag is right although nothing
    // is new.
    consumer.seek(topic, partition, Math.max(0, nextOffset - 1));
  }
  return 'same';
}

/** Settings of a store may be changed while it runs. */
async function watchHazard(readModel: ReadModel<unknown>, sinkHealth: SinkHealth): Promise<void> {
  try {
    if (readModel.hazard !== undefined) sinkHealth.hazard(await readModel.hazard());
  } catch (error) {
    // An outage: the deliveries that meet it report it.
    if (!(error instanceof TapeproofError && error.code === 'UNREACHABLE')) throw error;
  }
}

function partitionsOf(assignment: Assignment): readonly (readonly [TopicName, number])[] {
  return Object.entries(assignment).flatMap(([topic, partitions]) =>
    partitions.map((partition) => [topic as TopicName, partition] as const),
  );
}
