import type { Kafka } from 'kafkajs';
import { ANCHORS_TOPIC, DERIVED_TOPICS, STATES_TOPIC, type TopicName } from '../../contracts/topics.ts';
import { ENGINE_GROUP_PREFIX } from '../../evaluators/main.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { recreateTopics } from '../../platform/kafka/recreate-topics.ts';
import { partitionsActivated } from '../../platform/kafka/log-evidence.ts';
import { createLogReader } from '../../platform/kafka/log-reader.ts';
import { applyTopics, checkTopics, driftText, remedyOf } from '../../platform/kafka/topics.ts';
import type { JsonOption } from '../commands/options.ts';
import { answeringKafka, connections, print } from '../context.ts';

/** Dead letters are not among them: an ingested file's are not on the tape. */
const REDERIVED: readonly TopicName[] = [...DERIVED_TOPICS, ANCHORS_TOPIC, STATES_TOPIC];

export interface RecreateTopicsOptions extends JsonOption {
  readonly derived?: true;
}

export interface CheckTopicsOptions extends JsonOption {
  readonly durable?: true;
}

export interface ApplyTopicsOptions extends JsonOption {
  readonly partitions: number;
}

/** @param isAsked - whether the number of partitions was given: then a different actual number is a fault. */
export async function applyAllTopics({ partitions, json }: ApplyTopicsOptions, isAsked: boolean): Promise<void> {
  const kafka = await answeringKafka('topics');
  const report = await applyTopics(kafka, partitions, await activatedPartitions(kafka));
  print(json, report, () => report.map(({ topic, action }) => `${topic.padEnd(24)} ${action}`).join('\n'));
  const fixed = report[0]?.partitions ?? partitions;
  if (fixed === partitions || !isAsked) return;
  throw new TapeproofError(
    'USAGE',
    `The topics have ${fixed} partitions, which are fixed once the tape exists: leave out --partitions ${partitions}.`,
  );
}

export async function checkAllTopics({ durable, json }: CheckTopicsOptions): Promise<void> {
  const kafka = await answeringKafka('topics');
  const drift = await checkTopics(kafka, await activatedPartitions(kafka), durable);
  const withRemedies = drift.map((each) => ({ ...each, remedy: remedyOf(each) }));
  print(json, withRemedies, () =>
    drift.length === 0
      ? 'All topics are as defined.'
      : drift.map((each) => `${driftText(each)}: ${remedyOf(each)}`).join('\n'),
  );
  if (drift.length > 0) process.exitCode = 1;
}

export async function recreateNamedTopics(
  named: readonly TopicName[],
  { derived, json }: RecreateTopicsOptions,
): Promise<void> {
  const names = [...new Set([...named, ...(derived === true ? REDERIVED : [])])];
  if (names.length === 0) throw new TapeproofError('USAGE', 'Name topics, or give --derived for all at once.');
  const report = await recreateTopics(await answeringKafka('topics'), names, ENGINE_GROUP_PREFIX);
  const made = report.filter(({ topic }) => names.includes(topic));
  print(json, made, () => made.map(({ topic }) => `${topic.padEnd(24)} recreated`).join('\n'));
}

async function activatedPartitions(kafka: Kafka): Promise<number | undefined> {
  const reader = createLogReader(connections().kafkaBrokers);
  try {
    return await partitionsActivated(kafka, reader);
  } finally {
    await reader.close();
  }
}
