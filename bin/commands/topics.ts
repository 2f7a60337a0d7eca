import type { Command } from 'commander';
import { DEFAULT_PARTITIONS, TAPE_TOPIC } from '../../contracts/topics.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { readLogEvidence } from '../../platform/kafka/log-evidence.ts';
import { createLogReader } from '../../platform/kafka/log-reader.ts';
import { applyTopics, checkTopics, existingTopics, remedyOf, type TopicDrift } from '../../platform/kafka/topics.ts';
import { connections, kafkaFor, print, wholeNumber, type JsonOption } from '../context.ts';

export function registerTopics(program: Command): void {
  const topics = program.command('topics').description('the Kafka topics of contracts/topics.ts');
  topics
    .command('apply')
    .description('create what is missing, and mend settings that drifted')
    .option(
      '--partitions <n>',
      'partitions of each topic; fixed once the topics exist',
      wholeNumber,
      DEFAULT_PARTITIONS,
    )
    .option('--json', 'print as JSON')
    .action(async ({ partitions, json }: JsonOption & { partitions: number }, command: Command) => {
      const report = await applyTopics(kafkaFor('topics'), partitions, await activatedPartitions());
      print(json, report, () => report.map(({ topic, action }) => `${topic.padEnd(24)} ${action}`).join('\n'));
      const fixed = report[0]?.partitions ?? partitions;
      if (fixed === partitions || command.getOptionValueSource('partitions') === 'default') return;
      throw new TapeproofError(
        'USAGE',
        `The topics have ${fixed} partitions and keep them, for they are fixed once the tape exists: leave out --partitions ${partitions}.`,
      );
    });
  topics
    .command('check')
    .description('exit 1 when a topic differs from its definition, also by a default of the broker')
    .option('--json', 'print as JSON')
    .action(async ({ json }: JsonOption) => {
      const drift = await checkTopics(kafkaFor('topics'), await activatedPartitions());
      const withRemedies = drift.map((each) => ({ ...each, remedy: remedyOf(each) }));
      print(json, withRemedies, () =>
        drift.length === 0 ? 'All topics are as defined.' : drift.map((each) => describe(each)).join('\n'),
      );
      if (drift.length > 0) process.exitCode = 1;
    });
}

function describe(drift: TopicDrift): string {
  const { topic, setting, expected, actual } = drift;
  if (setting === 'topic') return `${topic} is missing: ${remedyOf(drift)}`;
  return `${topic}: ${setting} is ${actual} and should be ${expected}: ${remedyOf(drift)}`;
}

/** Partitions that the tape was activated with, as far as the log shows it. */
async function activatedPartitions(): Promise<number | undefined> {
  const existing = await existingTopics(kafkaFor('topics'));
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
