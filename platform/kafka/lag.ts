import type { Admin, Kafka } from 'kafkajs';
import { withDeadline } from '../deadline.ts';
import type { Log } from '../log.ts';
import type { Telemetry } from '../telemetry.ts';
import { kafkaUnreachable } from './client.ts';
import type { RunningConsumer } from './consumer.ts';
import { LagTelemetry, type Lag } from './lag-telemetry.ts';
import type { LogReader } from './log-reader.ts';
import { marketSecondsBetween } from './market-lag.ts';
import { topicPartitionKey, type TopicPartition } from './topic-partition.ts';

const INTERVAL_MS = 5_000;
/** If Kafka takes longer, it is treated as down; until then the last lag is shown. */
const DEADLINE_MS = 3_000;
const SECONDS_PER_MS = 1e-3;
/** Kafka's answer for a group that has committed nothing. */
const NOT_COMMITTED = 0;

export interface LagWatchSettings {
  readonly kafka: Kafka;
  readonly reader: LogReader;
  readonly groupId: string;
  /** The partitions that this process has now; others report the rest. */
  readonly consumer: Pick<RunningConsumer, 'assignment' | 'progress'>;
  readonly telemetry: Telemetry;
  readonly log: Log;
}

/**
 * Measures every few seconds how far a group is behind, and judges whether this member makes progress: on the board,
 * in the metrics and, at each change, in the log. @returns the function that ends it.
 */
export function watchLag(settings: LagWatchSettings): { close(): void } {
  const { kafka, consumer } = settings;
  const report = new LagTelemetry(settings);
  let admin: Promise<Admin> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const disconnect = async (): Promise<void> => {
    const connected = admin;
    admin = undefined;
    await (await connected?.catch(() => undefined))?.disconnect().catch(() => undefined);
  };
  const measure = async (): Promise<void> => {
    try {
      admin ??= connect(kafka);
      const measured = admin.then((connected) => lagsOf(connected, settings));
      const lags = await withDeadline(measured, DEADLINE_MS, () => kafkaUnreachable());
      if (!closed) report.measured(lags, consumer.progress);
    } catch {
      // The parts that need Kafka report that it is down. The last known lag would now be false.
      if (!closed) report.unknown(consumer);
      void disconnect();
    }
    if (closed) return;
    timer = setTimeout(() => void measure(), INTERVAL_MS);
    timer.unref();
  };
  void measure();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
      report.close();
      // Where Kafka is down there is nothing to disconnect from.
      void disconnect();
    },
  };
}

async function connect(kafka: Kafka): Promise<Admin> {
  const admin = kafka.admin({ retry: { retries: 1 } });
  await admin.connect();
  return admin;
}

async function lagsOf(admin: Admin, { reader, groupId, consumer }: LagWatchSettings): Promise<Lag[]> {
  const assigned = Object.entries(consumer.assignment).filter(([, partitions]) => partitions.length > 0);
  if (assigned.length === 0) return [];
  const offsets = await admin.fetchOffsets({ groupId, topics: assigned.map(([topic]) => topic) });
  const committed = new Map(
    offsets.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, offset }) => [topicPartitionKey({ topic, partition }), Number(offset)] as const),
    ),
  );
  const lags: Lag[] = [];
  for (const [topic, partitions] of assigned) {
    const mine = new Set(partitions);
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      if (!mine.has(partition)) continue;
      const next = Math.max(committed.get(topicPartitionKey({ topic, partition })) ?? NOT_COMMITTED, Number(low));
      const records = Math.max(0, Number(high) - next);
      lags.push({ topic, partition, records, ...(await timesOf(reader, { topic, partition }, next, Number(high))) });
    }
  }
  return lags;
}

/** How far behind by time, from the event time of the oldest record not committed; undefined where it is unknown. */
async function timesOf(
  reader: LogReader,
  { topic, partition }: TopicPartition,
  next: number,
  end: number,
): Promise<Pick<Lag, 'seconds' | 'marketSeconds'>> {
  if (next >= end) return { seconds: 0, marketSeconds: 0 };
  const firstMs = await reader.timestampMs(topic, partition, next);
  const lastMs = await reader.timestampMs(topic, partition, end - 1);
  const seconds = firstMs === undefined ? undefined : Math.max(0, (Date.now() - firstMs) * SECONDS_PER_MS);
  return { seconds, marketSeconds: marketSecondsBetween(firstMs, lastMs) };
}
