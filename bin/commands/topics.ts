import { Argument, type Command } from 'commander';
import { DEFAULT_PARTITIONS, TAPE_TOPIC, TOPICS, type TopicName } from '../../contracts/topics.ts';
import type { ApplyTopicsOptions, CheckTopicsOptions, RecreateTopicsOptions } from '../actions/topics.ts';
import { parseWholeNumber } from './options.ts';

/** The topics that `topics recreate` may delete. */
const RECREATABLE: readonly TopicName[] = TOPICS.map(({ name }) => name).filter((name) => name !== TAPE_TOPIC);

export function registerTopics(program: Command): void {
  const topics = program.command('topics').description('the Kafka topics of contracts/topics.ts');
  topics
    .command('apply')
    .description('create missing topics, and correct settings that drifted')
    .option(
      '--partitions <n>',
      'partitions of each topic; fixed once the topics exist',
      parseWholeNumber,
      DEFAULT_PARTITIONS,
    )
    .option('--json', 'print as JSON')
    .action(async (options: ApplyTopicsOptions, command: Command) => {
      const { applyAllTopics } = await import('../actions/topics.ts');
      await applyAllTopics(options, command.getOptionValueSource('partitions') !== 'default');
    });
  topics
    .command('recreate')
    .description('delete topics and recreate them, empty; a stopped engine then derives them again from the tape')
    .addArgument(new Argument('[names...]', 'any topic except the tape').choices(RECREATABLE))
    .option('--derived', 'all that the engine derives again: its events, anchors and states')
    .option('--json', 'print as JSON')
    .action(async (names: TopicName[], options: RecreateTopicsOptions) => {
      const { recreateNamedTopics } = await import('../actions/topics.ts');
      await recreateNamedTopics(names, options);
    });
  topics
    .command('check')
    .description('exit 1 when a topic differs from its definition, including by a broker default')
    .option('--durable', 'also where the cluster has fewer than the three brokers that a tape that matters needs')
    .option('--json', 'print as JSON')
    .action(async (options: CheckTopicsOptions) => {
      const { checkAllTopics } = await import('../actions/topics.ts');
      await checkAllTopics(options);
    });
}
