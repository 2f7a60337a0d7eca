import { TapeproofError } from '../../platform/errors.ts';
import { applyTopics, checkTopics } from '../../platform/kafka/topics.ts';
import type { JsonOption } from '../commands/options.ts';
import { answeringKafka, print } from '../context.ts';

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
