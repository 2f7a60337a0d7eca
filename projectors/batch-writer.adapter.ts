import { setImmediate as turn } from 'node:timers/promises';
import { recordOfDeadLetter } from '../contracts/dead-letter.ts';
import type { DeadLetter } from '../contracts/generated/events.ts';
import { TAPE_TOPIC, type TopicName } from '../contracts/topics.ts';
import { TapeproofError } from '../platform/errors.ts';
import type { BatchResult, PartitionBatch } from '../platform/kafka/partition-batch.ts';
import type { LogRecord } from '../platform/kafka/log-record.ts';
import { topicPartitionKey } from '../platform/kafka/topic-partition.ts';
import type { OutgoingRecord } from '../platform/kafka/outgoing-record.ts';
import type { RefusalWatch } from '../platform/kafka/refusals.ts';
import type { Log } from '../platform/log.ts';
import { Metrics } from '../platform/metrics/metrics.ts';
import { noTelemetry } from '../platform/telemetry.ts';
import { ProjectorTelemetry } from './telemetry.adapter.ts';
import type { EventReader } from './event-reader.adapter.ts';
import { checkSequence, type Gap } from './sequence-check.ts';
import { remedyForLoss } from './remedies.adapter.ts';
import type { CheckResult, ProjectedEvent, ProjectorOf } from './projector.ts';
import { SinkHealth } from './sink-health.adapter.ts';
import type { Application, SinkBatch, Pack, Position, ProjectedRecord, Sink } from './sink.ts';

/** Records written in one transaction or script. Measured: more is not faster. */
export const SINK_BATCH_RECORDS_MAX = 5_000;
/**
 * Records decoded at a time: between them the store's answers, which other partitions wait for, are handled. Events
 * that are packed promptly also die young: half of the time was spent carrying whole batches through garbage
 * collections.
 */
const SLICE_RECORDS = 250;

/** What to do about a gap, as the end of a sentence. */
export type RemedyForGap = (topic: TopicName, partition: number, gap: Gap) => Promise<string>;

export interface BatchWriterSettings<Output> {
  readonly projector: Pick<ProjectorOf<Output>, 'name' | 'project' | 'resultOf'>;
  readonly sink: Sink<Output>;
  readonly read: EventReader;
  readonly sendDeadLetters: (letters: readonly OutgoingRecord[]) => Promise<void>;
  readonly remedyForGap: RemedyForGap;
  /** Offset of the first record that a partition's log keeps. */
  readonly startOffset: (topic: TopicName, partition: number) => Promise<number>;
  readonly log: Log;
  readonly metrics?: Metrics;
  readonly sinkHealth?: SinkHealth;
  readonly refusals?: RefusalWatch;
}

export interface BatchWriter {
  /** For the consumer: applies a batch from the store's position on. */
  handle(batch: PartitionBatch): Promise<BatchResult>;
  /** The store's known position; undefined before the partition's first batch. */
  known(topic: string, partition: number): Position | undefined;
  /** Reads the position from the store again at the partition's next batch. */
  forget(topic: string, partition: number): void;
  /** Like `forget` for these partitions; the process has no others. */
  assigned(partitions: readonly (readonly [topic: string, partition: number])[]): void;
}

/** Delivers one projector's records to one generation of its store. */
export function createBatchWriter<Output>(settings: BatchWriterSettings<Output>): BatchWriter {
  const { projector, log, metrics = new Metrics() } = settings;
  const { sinkHealth = new SinkHealth(projector.name, log, noTelemetry()) } = settings;
  const report = new ProjectorTelemetry(projector.name, log, metrics);
  const positions = new Map<string, Position>();
  const sink = reportedSink(settings.sink, report, sinkHealth);

  const applyBatch = async (batch: PartitionBatch, key: string): Promise<BatchResult> => {
    const topic = batch.topic as TopicName;
    const { partition } = batch;
    const records = [...batch.records];
    let position = positions.get(key) ?? (await sink.position(topic, partition));
    positions.set(key, position);
    let waitsFor: string | undefined;
    assertLogReaches(projector.name, batch, position);
    if (batch.firstOffset > position.nextOffset) {
      const start = await settings.startOffset(topic, partition);
      assertNoneGone(topic, partition, position, start);
      if (batch.firstOffset > Math.max(start, position.nextOffset)) {
        return { resumeAt: Math.max(start, position.nextOffset) };
      }
    }
    for (let first = firstAt(records, position.nextOffset); first < records.length; first += SINK_BATCH_RECORDS_MAX) {
      if (batch.interrupted()) break;
      const slice = records.slice(first, first + SINK_BATCH_RECORDS_MAX);
      const { sinkBatch, application, refused, results } = await writeBatch({ ...settings, sink }, position, slice);
      if (application.kind === 'superseded') throw superseded(projector.name);
      if (application.kind === 'moved') {
        positions.set(key, application.position);
        report.moved(sinkBatch, application.position);
        return { resumeAt: application.position.nextOffset };
      }
      // A rebuild is comparing: the rest is redelivered after a pause.
      if (application.kind === 'frozen') {
        waitsFor = `a rebuild of ${projector.name} is comparing`;
        break;
      }
      if (application.kind === 'collided') throw new Error('only packed records collide');
      report.applied(sinkBatch, application.counts, refused);
      report.checked(results);
      settings.refusals?.taken(batch, application.counts.read, sinkBatch.to.nextOffset - 1, refused);
      position = sinkBatch.to;
      positions.set(key, position);
    }
    const result = resultOf(records, position);
    return waitsFor === undefined || !('nextOffset' in result) ? result : { ...result, waitsFor };
  };

  return {
    async handle(batch) {
      const key = topicPartitionKey(batch);
      try {
        const result = await applyBatch(batch, key);
        if (hasProgress(batch, result)) sinkHealth.accepted(key);
        return result;
      } catch (error) {
        // Only the store knows whether the last write took effect.
        positions.delete(key);
        throw error;
      }
    },
    known: (topic, partition) => positions.get(topicPartitionKey({ topic, partition })),
    forget: (topic, partition) => {
      positions.delete(topicPartitionKey({ topic, partition }));
    },
    assigned: (partitions) => {
      const keys = partitions.map(([topic, partition]) => topicPartitionKey({ topic, partition }));
      for (const key of keys) positions.delete(key);
      sinkHealth.assigned(keys);
    },
  };
}

/** Measures each write, and reports refusals of the store. */
function reportedSink<Output>(sink: Sink<Output>, report: ProjectorTelemetry, health: SinkHealth): Sink<Output> {
  const reported = async <Result>(topic: string, partition: number, ask: () => Promise<Result>): Promise<Result> => {
    try {
      return await ask();
    } catch (error) {
      const isRefusal = !(error instanceof TapeproofError) || error.code === 'UNREACHABLE';
      if (isRefusal)
        health.refused(topicPartitionKey({ topic, partition }), error instanceof Error ? error.message : String(error));
      throw error;
    }
  };
  return {
    ...sink,
    position: (topic, partition) => reported(topic, partition, () => sink.position(topic, partition)),
    apply: (sinkBatch) =>
      reported(sinkBatch.topic, sinkBatch.partition, () => report.timedWrite(() => sink.apply(sinkBatch))),
  };
}

/** False where nothing was written: a rebuild is comparing, or the store's position is another. */
function hasProgress({ firstOffset }: PartitionBatch, result: BatchResult): boolean {
  return 'appliedUpTo' in result || ('nextOffset' in result && result.nextOffset > firstOffset);
}

interface Prepared<Output> {
  readonly sinkBatch: SinkBatch<Output>;
  readonly refused: readonly DeadLetter[];
  readonly results: readonly CheckResult[];
  /** Dead letters of the refused records, to be sent before the batch. */
  readonly letters: readonly OutgoingRecord[];
}

interface WrittenBatch<Output> {
  readonly sinkBatch: SinkBatch<Output>;
  readonly application: Application;
  readonly refused: readonly DeadLetter[];
  /** Of the admitted records, where the projector checks. */
  readonly results: readonly CheckResult[];
}

/** Writes records, the first of which is at or after `position`. @throws TapeproofError SEQUENCE_GAP */
export async function writeBatch<Output>(
  settings: Pick<BatchWriterSettings<Output>, 'projector' | 'read' | 'sink' | 'sendDeadLetters' | 'remedyForGap'>,
  position: Position,
  records: readonly LogRecord[],
): Promise<WrittenBatch<Output>> {
  const { sink, sendDeadLetters } = settings;
  const { sinkBatch, refused, results, letters } = await prepare(settings, position, records, sink.pack?.());
  await sendDeadLetters(letters);
  const application = await sink.apply(sinkBatch);
  if (application.kind !== 'collided') return { sinkBatch, application, refused, results };
  const again = await prepare(settings, position, records, undefined);
  return { sinkBatch: again.sinkBatch, application: await sink.apply(again.sinkBatch), refused, results };
}

/** Decodes, checks and projects records, the first of which is at or after `position`. @throws SEQUENCE_GAP */
async function prepare<Output>(
  { projector, read, remedyForGap }: Pick<BatchWriterSettings<Output>, 'projector' | 'read' | 'remedyForGap'>,
  position: Position,
  records: readonly LogRecord[],
  packed: Pack<Output> | undefined,
): Promise<Prepared<Output>> {
  const { topic, partition, timestampMs } = records[0] ?? { topic: '', partition: 0, timestampMs: 0 };
  const admitted: ProjectedRecord<Output>[] = [];
  const repeated: ProjectedRecord<Output>[] = [];
  const refused: DeadLetter[] = [];
  const results: CheckResult[] = [];
  let ignored = 0;
  let to = position;
  const project = (source: ProjectedEvent, take: (record: ProjectedRecord<Output>) => void): void => {
    const output = projector.project(source);
    if (output.length === 0) ignored += 1;
    else take({ offset: source.offset, output });
  };
  const admit = (record: ProjectedRecord<Output>): void => {
    const result = projector.resultOf?.(record.output);
    if (result !== undefined) results.push(result);
    if (packed === undefined) admitted.push(record);
    else packed.add(record);
  };
  for (let first = 0; first < records.length; first += SLICE_RECORDS) {
    if (first > 0) await turn();
    for (const record of records.slice(first, first + SLICE_RECORDS)) {
      const found = read(record);
      const checked = checkSequence(to, [found instanceof Promise ? await found : found]);
      if ('foundSequence' in checked) {
        const remedy = await remedyForGap(topic as TopicName, partition, checked);
        throw gapError(projector.name, topic, partition, checked, remedy);
      }
      for (const source of checked.admitted) if (packed?.copy?.(source) !== true) project(source, admit);
      for (const source of checked.repeated) project(source, (other) => repeated.push(other));
      refused.push(...checked.letters);
      ignored += checked.skipped;
      to = checked.to;
    }
  }
  return {
    sinkBatch: {
      ...{ topic: topic as TopicName, partition, from: position, to },
      ...{ admitted, packed, repeated, dead: refused.length, ignored },
    },
    refused,
    results,
    letters: refused.map((letter) => ({
      ...recordOfDeadLetter(letter),
      partition,
      key: null,
      timestampUs: timestampMs * 1_000,
    })),
  };
}

function firstAt(records: readonly LogRecord[], offset: number): number {
  let index = 0;
  while (index < records.length && (records[index]?.offset ?? 0) < offset) index += 1;
  return index;
}

/** The offset that the consumer may commit: never beyond the batch, even where the store is further. */
function resultOf(records: readonly LogRecord[], position: Position): BatchResult {
  const last = records.at(-1)?.offset ?? 0;
  return position.nextOffset > last + 1 ? { appliedUpTo: position.nextOffset } : { nextOffset: position.nextOffset };
}

function assertLogReaches(projector: string, { topic, partition, highWatermark }: PartitionBatch, position: Position) {
  if (highWatermark >= position.nextOffset) return;
  throw new TapeproofError(
    'FOREIGN_TAPE',
    `${projector} has read partition ${partition} of ${topic} up to offset ${position.nextOffset}, but the log ends at ${highWatermark}: it was truncated or recreated; ${remedyForLoss(projector, topic)}.`,
  );
}

/** The records that a store lacks may be gone: for events the sequence shows it, for the tape only this check does. */
export function assertNoneGone(topic: TopicName, partition: number, { nextOffset }: Position, start: number): void {
  if (topic !== TAPE_TOPIC || nextOffset >= start) return;
  throw new TapeproofError(
    'SEQUENCE_GAP',
    `Partition ${partition} of ${topic} begins at offset ${start} where ${nextOffset} is needed: records are gone, and ${remedyForLoss('', topic)}.`,
  );
}

function gapError(projector: string, topic: string, partition: number, gap: Gap, remedy: string): TapeproofError {
  return new TapeproofError(
    'SEQUENCE_GAP',
    `${projector} stops: offset ${gap.offset} of partition ${partition} of ${topic} has event ${gap.foundSequence} where ${gap.expectedSequence} was expected, so events are missing; nothing from there on was applied; ${remedy}.`,
  );
}

function superseded(projector: string): TapeproofError {
  return new TapeproofError('GENERATION_CHANGED', `Another generation of ${projector} is live now.`);
}
