import type { Admin, Kafka } from 'kafkajs';
import { withDeadline } from '../deadline.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Assignment } from './assignment.ts';
import { kafkaUnreachable } from './client.ts';
import type { LogReader } from './log-reader.ts';

const INTERVAL_MS = 5_000;
/** Kafka that takes longer is as good as away: until then the last lag shows. */
const DEADLINE_MS = 3_000;
const SECONDS_PER_MS = 1e-3;
/** Kafka's answer for a group that has committed nothing. */
const NOT_COMMITTED = 0;

export interface LagWatchSettings {
  readonly kafka: Kafka;
  readonly reader: LogReader;
  readonly groupId: string;
  /** What this process has now; others report the rest. */
  readonly assignment: () => Assignment;
  readonly metrics: Metrics;
}

interface Place {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
}

interface Lag extends Place {
  readonly records: number;
  /** Undefined where the record cannot be read. */
  readonly seconds: number | undefined;
}

/** Measures every few seconds how far a group is behind. @returns what ends it. */
export function watchLag(settings: LagWatchSettings): { close(): void } {
  const { kafka, metrics } = settings;
  let admin: Promise<Admin> | undefined;
  let shown = new Map<string, Place>();
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const disconnect = async (): Promise<void> => {
    const connected = admin;
    admin = undefined;
    await (await connected?.catch(() => undefined))?.disconnect().catch(() => undefined);
  };
  const show = (lags: readonly Lag[]): void => {
    const next = new Map<string, Place>();
    for (const { records, seconds, ...place } of lags) {
      next.set(JSON.stringify(place), place);
      metrics.set('tapeproof_consumer_lag_records', { ...place }, records);
      if (seconds === undefined) metrics.remove('tapeproof_consumer_lag_seconds', { ...place });
      else metrics.set('tapeproof_consumer_lag_seconds', { ...place }, seconds);
    }
    for (const [key, place] of shown) {
      if (next.has(key)) continue;
      metrics.remove('tapeproof_consumer_lag_records', { ...place });
      metrics.remove('tapeproof_consumer_lag_seconds', { ...place });
    }
    shown = next;
  };
  const measure = async (): Promise<void> => {
    try {
      admin ??= connect(kafka);
      const measured = admin.then((connected) => lagsOf(connected, settings));
      const lags = await withDeadline(measured, DEADLINE_MS, () => kafkaUnreachable());
      if (!closed) show(lags);
    } catch {
      // Whoever needs Kafka says that it is away. The last known lag would be a lie by now.
      show([]);
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
      show([]);
      // Where Kafka is away there is nobody to say goodbye to.
      void disconnect();
    },
  };
}

async function connect(kafka: Kafka): Promise<Admin> {
  const admin = kafka.admin({ retry: { retries: 1 } });
  await admin.connect();
  return admin;
}

async function lagsOf(admin: Admin, { reader, groupId, assignment }: LagWatchSettings): Promise<Lag[]> {
  const assigned = Object.entries(assignment()).filter(([, partitions]) => partitions.length > 0);
  if (assigned.length === 0) return [];
  const offsets = await admin.fetchOffsets({ groupId, topics: assigned.map(([topic]) => topic) });
  const committed = new Map(
    offsets.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, offset }) => [`${topic} ${partition}`, Number(offset)] as const),
    ),
  );
  const lags: Lag[] = [];
  for (const [topic, partitions] of assigned) {
    const mine = new Set(partitions);
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      if (!mine.has(partition)) continue;
      const next = Math.max(committed.get(`${topic} ${partition}`) ?? NOT_COMMITTED, Number(low));
      const records = Math.max(0, Number(high) - next);
      lags.push({
        group: groupId,
        topic,
        partition,
        records,
        seconds: records === 0 ? 0 : await ageOf(reader, topic, partition, next),
      });
    }
  }
  return lags;
}

/** Seconds since the event time of a record; undefined where it cannot be read. */
async function ageOf(reader: LogReader, topic: string, partition: number, offset: number): Promise<number | undefined> {
  const timestampMs = await reader.timestampMs(topic, partition, offset);
  return timestampMs === undefined ? undefined : Math.max(0, (Date.now() - timestampMs) * SECONDS_PER_MS);
}
