import type { Kafka } from 'kafkajs';
import { encodeBody } from '../../contracts/codec.ts';
import type { ResearchTrial } from '../../contracts/generated/events.ts';
import { partitionOf } from '../../contracts/partitioner.ts';
import { TRIALS_TOPIC } from '../../contracts/topics.ts';
import { PassedOverRecords, type PassedOver } from '../../platform/kafka/foreign-records.ts';
import { framedIn } from '../../platform/kafka/framed-record.ts';
import type { LogReader } from '../../platform/kafka/log-reader.ts';
import { createRecordProducer } from '../../platform/kafka/producer.ts';
import type { Registry } from '../../platform/kafka/registry.ts';
import { TrialBook } from './trials.ts';

export interface TrialsOnRecord {
  readonly book: TrialBook;
  /** Records of the topic that are not trials. */
  readonly passedOver: readonly PassedOver[];
}

/** Reads all trials. @throws TapeproofError UNREACHABLE, also when there is no such topic. */
export async function readTrials(
  reader: Pick<LogReader, 'startOffset' | 'endOffset' | 'read'>,
  registry: Pick<Registry, 'schemaOf'>,
  partitions: number,
): Promise<TrialsOnRecord> {
  const book = new TrialBook();
  const foreign = new PassedOverRecords();
  for (let partition = 0; partition < partitions; partition += 1) {
    const from = await reader.startOffset(TRIALS_TOPIC, partition);
    const to = await reader.endOffset(TRIALS_TOPIC, partition);
    for await (const records of reader.read({ topic: TRIALS_TOPIC, partition, from, to })) {
      for (const record of records) {
        const framed = await framedIn(registry, record);
        const trial = 'reason' in framed ? undefined : framed.as('ResearchTrial');
        if (trial === undefined) foreign.add(record, 'reason' in framed ? framed : framed.unreadable);
        else book.add(trial);
      }
    }
  }
  return { book, passedOver: foreign.all };
}

/** Appends trials. @throws TapeproofError UNREACHABLE; CONFIGURATION when Kafka refuses them. */
export async function writeTrials(
  kafka: Kafka,
  registry: Registry,
  partitions: number,
  trials: readonly ResearchTrial[],
): Promise<void> {
  const producer = createRecordProducer(kafka, registry);
  try {
    await producer.send(
      trials.map((trial) => ({
        topic: TRIALS_TOPIC,
        partition: partitionOf(trial.trialId, partitions),
        key: trial.trialId,
        type: 'ResearchTrial',
        body: encodeBody('ResearchTrial', trial),
        timestampUs: trial.triedAt,
      })),
    );
  } finally {
    await producer.disconnect();
  }
}
