import { ANCHORS_TOPIC, DERIVED_TOPICS, STATES_TOPIC, type TopicName } from '../../contracts/topics.ts';
import { ENGINE_GROUP_PREFIX } from '../../evaluators/main.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { recreateTopics } from '../../platform/kafka/recreate-topics.ts';
import { applyTopics, checkTopics } from '../../platform/kafka/topics.ts';
import type { JsonOption } from '../commands/options.ts';
import { answeringKafka, print } from '../context.ts';

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
  const report = await applyTopics(await answeringKafka('topics'), partitions);
  print(json, report, () => report.map(({ topic, action }) => `${topic.padEnd(24)} ${action}`).join('\n'));
  const fixed = report[0]?.partitions ?? partitions;
  if (fixed === partitions || !isAsked) return;
  throw new TapeproofError(
    'USAGE',
    `The topics have ${fixed} partitions and keep them, for they are fixed once the tape exists: leave out --partitions ${partitions}.`,
  );
}

export async function checkAllTopics({ json }: JsonOption): Promise<void> {
  const drift = await checkTopics(await answeringKafka('topics'));
  print(json, drift, () =>
    drift.length === 0
      ? 'All topics are as defined.'
      : drift
          .map(({ topic, setting, expected, actual }) =>
            setting === 'topic' ? `${topic} is missing` : `${topic}: ${setting} is ${actual} and should be ${expected}`,
          )
          .join('\n'),
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
