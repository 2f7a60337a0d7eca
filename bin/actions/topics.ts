import { ANCHORS_TOPIC, DERIVED_TOPICS, STATES_TOPIC, TAPE_TOPIC, type TopicName } from '../../contracts/topics.ts';
import { ENGINE_GROUP_PREFIX } from '../../evaluators/main.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { recreateTopics } from '../../platform/kafka/recreate-topics.ts';
import { readLogEvidence } from '../../platform/kafka/log-evidence.ts';
import { createLogReader } from '../../platform/kafka/log-reader.ts';
import { applyTopics, checkTopics, existingTopics, remedyOf, type TopicDrift } from '../../platform/kafka/topics.ts';
import type { JsonOption } from '../commands/options.ts';
import { answeringKafka, connections, print } from '../context.ts';

/** Dead letters are not among them: those of files that were ingested are not on the tape. */
const REDERIVED: readonly TopicName[] = [...DERIVED_TOPICS, ANCHORS_TOPIC, STATES_TOPIC];

export interface RecreateTopicsOptions extends JsonOption {
  readonly derived?: true;
}

export interface ApplyTopicsOptions extends JsonOption {
  readonly partitions: number;
}

/** @param isAsked - whether the number of partitions was given: then another one than asked for is a fault. */
export async function applyAllTopics({ partitions, json }: ApplyTopicsOptions, isAsked: boolean): Promise<void> {
  const report = await applyTopics(await answeringKafka('topics'), partitions, await activatedPartitions());
  print(json, report, () => report.map(({ topic, action }) => `${topic.padEnd(24)} ${action}`).join('\n'));
  const fixed = report[0]?.partitions ?? partitions;
  if (fixed === partitions || !isAsked) return;
  throw new TapeproofError(
    'USAGE',
    `The topics have ${fixed} partitions and keep them, for they are fixed once the tape exists: leave out --partitions ${partitions}.`,
  );
}

export async function checkAllTopics({ json }: JsonOption): Promise<void> {
  const drift = await checkTopics(await answeringKafka('topics'), await activatedPartitions());
  const withRemedies = drift.map((each) => ({ ...each, remedy: remedyOf(each) }));
  print(json, withRemedies, () =>
    drift.length === 0 ? 'All topics are as defined.' : drift.map((each) => describe(each)).join('\n'),
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

function describe(drift: TopicDrift): string {
  const { topic, setting, expected, actual } = drift;
  if (setting === 'topic') return `${topic} is missing: ${remedyOf(drift)}`;
  return `${topic}: ${setting} is ${actual} and should be ${expected}: ${remedyOf(drift)}`;
}

/** Partitions that the tape was activated with, as far as the log shows it. */
async function activatedPartitions(): Promise<number | undefined> {
  const existing = await existingTopics(await answeringKafka('topics'));
  const count = existing.get(TAPE_TOPIC);
  if (count === undefined) return undefined;
  const reader = createLogReader(connections().kafkaBrokers);
  try {
    const topics = [...existing.keys()].filter((name) => name === TAPE_TOPIC || name === 'engine.anchors');
    return (await readLogEvidence(reader, count, topics)).partitions;
  } finally {
    await reader.close();
  }
}
