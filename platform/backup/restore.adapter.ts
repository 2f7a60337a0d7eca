import type { Kafka } from 'kafkajs';
import { TapeproofError } from '../errors.ts';
import { BatchCopy } from '../kafka/batch-copy.ts';
import { addressOf, kafkaUnreachable, withAdmin } from '../kafka/client.ts';
import { createLogReader, type LogReader } from '../kafka/log-reader.ts';
import { firstOffsetOf, lastOffsetOf } from '../kafka/record-batch.ts';
import {
  batchesOf,
  contentHash,
  endOf,
  readManifest,
  type BackedUpLog,
  type Manifest,
} from './backup-folder.adapter.ts';
import { isOwn, OWN_TOPICS, type CopyProgress } from './backup.adapter.ts';

const REGISTRY_TOPIC_SETTINGS = [
  { name: 'cleanup.policy', value: 'delete' },
  { name: 'retention.ms', value: '-1' },
  { name: 'retention.bytes', value: '-1' },
];

export interface RestoredTopic {
  readonly topic: string;
  readonly partitions: number;
  readonly records: number;
  /** Those that were not there already. */
  readonly appended: number;
  /** True for a registry's topic that has records of its own: then nothing is appended to it. */
  readonly isLeft: boolean;
}

export interface RestoreReport {
  readonly folder: string;
  readonly isDryRun: boolean;
  readonly complete: boolean;
  readonly topics: readonly RestoredTopic[];
}

export interface RestoreOptions {
  readonly kafka: Kafka;
  readonly folder: string;
  /** Only read every file, and compare. */
  readonly isDryRun: boolean;
  readonly signal: AbortSignal;
  readonly progress: (progress: CopyProgress) => void;
}

/**
 * Appends a backup's batches to topics that are empty, or that hold the beginning of the same records: each record gets
 * the offset, time stamp and bytes that it had. Every file is read and held to its hash before anything is appended.
 *
 * @throws TapeproofError NOT_USABLE for a folder without a backup, or with a damaged file; CONFLICT where a topic holds
 *   other records; NOT_FOUND for a missing topic; CONFIGURATION for another number of partitions; UNREACHABLE: then run
 *   it again, and it goes on from there.
 */
export async function restore(options: RestoreOptions): Promise<RestoreReport> {
  const { kafka, folder, isDryRun } = options;
  const manifest = await backupIn(folder);
  await assertWhole(options, manifest);
  const absent = await prepareTopics(kafka, manifest, isDryRun);
  const { brokers, security } = addressOf(kafka);
  const reader = createLogReader(brokers, security);
  const copy = await BatchCopy.open(addressOf(kafka));
  try {
    const topics: RestoredTopic[] = [];
    const total = recordsIn(manifest.logs);
    let done = total;
    const onRecords = (count: number): void => {
      done += count;
      options.progress({ done, total: 2 * total, records: done });
    };
    for (const [topic, partitions] of Object.entries(manifest.topics)) {
      const logs = manifest.logs.filter((log) => log.topic === topic);
      topics.push(
        await restoreTopic(
          options,
          { reader, copy },
          { topic, partitions, logs, isAbsent: absent.has(topic) },
          onRecords,
        ),
      );
    }
    return { folder, isDryRun, complete: !options.signal.aborted, topics };
  } catch (error) {
    throw error instanceof TapeproofError ? error : kafkaUnreachable(error);
  } finally {
    await Promise.all([reader.close(), copy.close()]);
  }
}

/** @throws TapeproofError NOT_USABLE for a folder without a backup. */
export async function backupIn(folder: string): Promise<Manifest> {
  const manifest = await readManifest(folder);
  if (manifest !== undefined) return manifest;
  throw new TapeproofError('NOT_USABLE', `${folder} has no backup: "npx tapeproof tape backup FOLDER" makes one.`);
}

function recordsIn(logs: readonly BackedUpLog[]): number {
  return logs.reduce((sum, log) => sum + endOf(log), 0);
}

/** Reads every file to its end. */
async function assertWhole({ folder, signal, progress }: RestoreOptions, { logs }: Manifest): Promise<void> {
  const total = recordsIn(logs);
  let done = 0;
  for (const log of logs) {
    let next = 0;
    for (const segment of log.segments) {
      if (segment.from !== next) throw discontinuous(folder, log, next);
      for await (const batch of batchesOf(folder, segment)) {
        if (isOwn(log.topic) && firstOffsetOf(batch) !== next) throw discontinuous(folder, log, next);
        next = lastOffsetOf(batch) + 1;
        if (signal.aborted) return;
      }
      if (segment.to !== next) throw discontinuous(folder, log, next);
      done += segment.to - segment.from;
      // They are read once more when they are compared and appended.
      progress({ done, total: 2 * total, records: done });
    }
  }
}

/**
 * Makes the registry's topic, which no command of this program makes; the others must exist.
 *
 * @returns the topics that do not exist, in a dry run.
 */
async function prepareTopics(kafka: Kafka, { topics }: Manifest, isDryRun: boolean): Promise<ReadonlySet<string>> {
  return await withAdmin(kafka, async (admin) => {
    const existing = new Set(await admin.listTopics());
    for (const topic of OWN_TOPICS) {
      const partitions = topics[topic];
      if (partitions === undefined || existing.has(topic)) continue;
      throw new TapeproofError(
        'NOT_FOUND',
        `The topic ${topic} does not exist: run "npx tapeproof topics apply --partitions ${partitions}" first.`,
      );
    }
    const names = Object.keys(topics).filter((topic) => existing.has(topic));
    const described = await admin.fetchTopicMetadata({ topics: names });
    for (const { name, partitions } of described.topics) {
      if (partitions.length === topics[name]) continue;
      throw new TapeproofError(
        'CONFIGURATION',
        `The topic ${name} has ${partitions.length} partitions and the backup ${topics[name] ?? 0}: create it with as many.`,
      );
    }
    const absent = Object.entries(topics).filter(([topic]) => !existing.has(topic));
    if (absent.length === 0 || isDryRun) return new Set(absent.map(([topic]) => topic));
    await admin.createTopics({
      waitForLeaders: true,
      topics: absent.map(([topic, numPartitions]) => ({
        topic,
        numPartitions,
        configEntries: REGISTRY_TOPIC_SETTINGS,
      })),
    });
    return new Set();
  });
}

interface Access {
  readonly reader: LogReader;
  readonly copy: BatchCopy;
}

interface BackedUpTopic {
  readonly topic: string;
  readonly partitions: number;
  readonly logs: readonly BackedUpLog[];
  /** In a dry run. */
  readonly isAbsent: boolean;
}

async function restoreTopic(
  options: RestoreOptions,
  access: Access,
  { topic, partitions, logs, isAbsent }: BackedUpTopic,
  onRecords: (count: number) => void,
): Promise<RestoredTopic> {
  const { isDryRun, folder, signal } = options;
  let [records, appended] = [0, 0];
  for (const log of logs) {
    const end = isAbsent ? 0 : await access.reader.endOffset(topic, log.partition);
    for (const segment of log.segments) {
      for await (const batch of batchesOf(folder, segment)) {
        if (signal.aborted) break;
        const [first, last] = [firstOffsetOf(batch), lastOffsetOf(batch)];
        onRecords(last - first + 1);
        if (first < end) {
          if (await holds(access, log, batch)) continue;
          if (!isOwn(topic)) return { topic, partitions, records: 0, appended: 0, isLeft: true };
          throw otherRecords(log, first);
        }
        if (isDryRun) continue;
        const place = await access.copy.append(topic, log.partition, batch);
        if (isOwn(topic) && place !== first) throw otherRecords(log, place);
        appended += last - first + 1;
      }
    }
    records += endOf(log);
    if (isOwn(topic) && end > endOf(log)) throw otherRecords(log, endOf(log));
  }
  return { topic, partitions, records, appended, isLeft: false };
}

/** Whether the log has a batch where it was. */
async function holds({ copy }: Access, { topic, partition }: BackedUpLog, batch: Buffer): Promise<boolean> {
  const [there] = await copy.fetch(topic, partition, firstOffsetOf(batch));
  return there !== undefined && contentHash(there.whole) === contentHash(batch);
}

function discontinuous(folder: string, { topic, partition }: BackedUpLog, next: number): TapeproofError {
  return new TapeproofError(
    'NOT_USABLE',
    `The backup in ${folder} does not have offset ${next} of ${topic}-${partition} where it belongs: take it from another copy.`,
  );
}

function otherRecords({ topic, partition }: BackedUpLog, offset: number): TapeproofError {
  return new TapeproofError(
    'CONFLICT',
    `${topic}-${partition} holds other records from offset ${offset} on: restore to empty topics, with nothing writing to them.`,
  );
}
