import type { Kafka } from 'kafkajs';
import { CHECKPOINTS_TOPIC, DEAD_LETTERS_TOPIC, TAPE_TOPIC, TRIALS_TOPIC } from '../../contracts/topics.ts';
import { TapeproofError } from '../errors.ts';
import { BatchCopy } from '../kafka/batch-copy.ts';
import { addressOf, kafkaUnreachable, withAdmin } from '../kafka/client.ts';
import type { FetchedBatch } from '../kafka/fetched-batch.ts';
import { createLogReader, type LogReader } from '../kafka/log-reader.ts';
import {
  contentHash,
  endOf,
  readManifest,
  SegmentWriter,
  writeManifest,
  type BackedUpLog,
  type Manifest,
} from './backup-folder.adapter.ts';

/** What cannot be derived from the tape. The tape is last: nothing signed is without the records that it covers. */
export const OWN_TOPICS = [CHECKPOINTS_TOPIC, TRIALS_TOPIC, DEAD_LETTERS_TOPIC, TAPE_TOPIC] as const;
/** Where registries keep their schemas, if they do so in Kafka: Apicurio's and Confluent's. After the ids are used. */
export const REGISTRY_TOPICS = ['kafkasql-journal', '_schemas'] as const;

export interface BackedUp {
  readonly topic: string;
  readonly partitions: number;
  /** Records that the folder has now, and those among them that were added. */
  readonly records: number;
  readonly added: number;
}

export interface BackupReport {
  readonly folder: string;
  readonly complete: boolean;
  readonly topics: readonly BackedUp[];
}

export interface CopyProgress {
  readonly done: number;
  readonly total: number;
  readonly records: number;
}

export interface BackupOptions {
  readonly kafka: Kafka;
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly progress: (progress: CopyProgress) => void;
}

/**
 * Adds to a folder what the topics that nothing derives have more than it: whole record batches, as Kafka stores them.
 * Ended before, or failed, it leaves the folder as it was, or with some topics further than others.
 *
 * @throws TapeproofError UNREACHABLE; CONFLICT where the folder is of another log; SEQUENCE_GAP where records are gone from
 *   the log; CHECK_FAILED where it has a transaction's records; USAGE and NOT_USABLE for the folder.
 */
export async function backUp({ kafka, folder, signal, progress }: BackupOptions): Promise<BackupReport> {
  const held = (await readManifest(folder)) ?? { format: 1, topics: {}, logs: [] };
  const topics = await topicsIn(kafka);
  for (const topic of OWN_TOPICS) if (!topics.has(topic)) throw missing(topic);
  const { brokers, security } = addressOf(kafka);
  const reader = createLogReader(brokers, security);
  const copy = await BatchCopy.open(addressOf(kafka));
  try {
    const plan = await planOf(reader, topics, held);
    const total = plan.reduce((sum, { from, end }) => sum + end - from, 0);
    let done = 0;
    const logs: BackedUpLog[] = [];
    let isComplete = true;
    for (const log of plan) {
      const added = await addTo(folder, copy, log, signal, (records) => {
        progress({ done: done + records, total, records: done + records });
      });
      done += added.to - log.from;
      logs.push(added.log);
      isComplete &&= added.to >= log.end;
    }
    await writeManifest(folder, { format: 1, topics: Object.fromEntries(topics), logs });
    return { folder, complete: isComplete, topics: reportOf(topics, plan, logs) };
  } catch (error) {
    throw error instanceof TapeproofError ? error : kafkaUnreachable(error);
  } finally {
    await Promise.all([reader.close(), copy.close()]);
  }
}

interface PlannedLog {
  readonly log: BackedUpLog;
  readonly from: number;
  readonly end: number;
}

/** The topics that are kept and exist, with their numbers of partitions. */
async function topicsIn(kafka: Kafka): Promise<Map<string, number>> {
  return await withAdmin(kafka, async (admin) => {
    const existing = new Set(await admin.listTopics());
    const wanted = [...OWN_TOPICS, ...REGISTRY_TOPICS].filter((topic) => existing.has(topic));
    const { topics } = await admin.fetchTopicMetadata({ topics: wanted });
    const partitions = new Map(topics.map(({ name, partitions: { length } }) => [name, length]));
    return new Map(wanted.map((topic) => [topic, partitions.get(topic) ?? 0]));
  });
}

async function planOf(
  reader: LogReader,
  topics: ReadonlyMap<string, number>,
  held: Manifest,
): Promise<readonly PlannedLog[]> {
  const plan: PlannedLog[] = [];
  for (const [topic, partitions] of topics) {
    const before = held.topics[topic];
    if (before !== undefined && before !== partitions) {
      throw ofAnotherLog(topic, `has ${partitions} partitions, and ${before} in the backup`);
    }
    for (let partition = 0; partition < partitions; partition += 1) {
      const log = held.logs.find((each) => each.topic === topic && each.partition === partition) ?? {
        ...{ topic, partition, segments: [], lastBatch: null },
      };
      const [start, end] = await Promise.all([
        reader.startOffset(topic, partition),
        reader.endOffset(topic, partition),
      ]);
      const from = endOf(log);
      const place = `${topic}-${partition}`;
      if (isOwn(topic) && start > 0) {
        throw new TapeproofError(
          'SEQUENCE_GAP',
          `${place} begins at offset ${start}: earlier records are gone, and a copy without them would have other offsets.`,
        );
      }
      if (end < from) throw ofAnotherLog(place, `ends at offset ${end}, and the backup goes to ${from}`);
      plan.push({ log, from, end });
    }
  }
  return plan;
}

async function addTo(
  folder: string,
  copy: BatchCopy,
  { log, from, end }: PlannedLog,
  signal: AbortSignal,
  progress: (records: number) => void,
): Promise<{ readonly log: BackedUpLog; readonly to: number }> {
  if (log.lastBatch !== null) await assertContinues(copy, log, from);
  let writer: SegmentWriter | undefined;
  let next = from;
  let { lastBatch } = log;
  while (next < end && !signal.aborted) {
    const batches = (await copy.fetch(log.topic, log.partition, next)).filter(({ lastOffset }) => lastOffset >= next);
    for (const batch of batches) {
      assertCopyable(log, batch, next);
      writer ??= await SegmentWriter.begin(folder, log, next);
      await writer.add(batch.whole);
      next = batch.lastOffset + 1;
      lastBatch = contentHash(batch.whole);
    }
    if (batches.length === 0) break;
    progress(next - from);
  }
  if (writer === undefined) return { log, to: next };
  const segment = await writer.close(next);
  return { log: { ...log, segments: [...log.segments, segment], lastBatch }, to: next };
}

/** The last batch of the backup is where the log has it. */
async function assertContinues(
  copy: BatchCopy,
  { topic, partition, lastBatch }: BackedUpLog,
  end: number,
): Promise<void> {
  const [batch] = await copy.fetch(topic, partition, end - 1);
  if (batch?.lastOffset === end - 1 && contentHash(batch.whole) === lastBatch) return;
  throw ofAnotherLog(`${topic}-${partition}`, `has other records before offset ${end}`);
}

function assertCopyable({ topic, partition }: BackedUpLog, batch: FetchedBatch, next: number): void {
  const place = `${topic}-${partition} at offset ${batch.firstOffset}`;
  if (!isOwn(topic)) return;
  if (batch.isControl || batch.isTransactional) {
    throw new TapeproofError(
      'CHECK_FAILED',
      `${place} is part of a transaction, whose markers no copy can have at the same offsets: another program wrote to the topic.`,
    );
  }
  if (batch.firstOffset !== next) {
    throw new TapeproofError(
      'SEQUENCE_GAP',
      `${place} follows offset ${next - 1}: the records between are gone, and a copy would have other offsets.`,
    );
  }
}

export function isOwn(topic: string): boolean {
  return OWN_TOPICS.some((own) => own === topic);
}

function reportOf(
  topics: ReadonlyMap<string, number>,
  plan: readonly PlannedLog[],
  logs: readonly BackedUpLog[],
): BackedUp[] {
  const sumOf = (topic: string, of: readonly BackedUpLog[]) =>
    of.reduce((sum, log) => sum + (log.topic === topic ? endOf(log) : 0), 0);
  const before = plan.map(({ log }) => log);
  return [...topics].map(([topic, partitions]) => {
    const records = sumOf(topic, logs);
    return { topic, partitions, records, added: records - sumOf(topic, before) };
  });
}

function ofAnotherLog(place: string, why: string): TapeproofError {
  return new TapeproofError(
    'CONFLICT',
    `The folder is the backup of another log: ${place} ${why}. Name another folder for this one.`,
  );
}

function missing(topic: string): TapeproofError {
  return new TapeproofError('NOT_FOUND', `The topic ${topic} does not exist: there is nothing to copy.`);
}
