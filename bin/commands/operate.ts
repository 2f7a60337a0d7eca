import { Argument, Option, type Command } from 'commander';
import type { DeadLettersOptions } from '../actions/dead-letters.ts';
import type { ActivateOptions } from '../actions/activate.ts';
import type { ApplyTopicsOptions, RecreateTopicsOptions } from '../actions/topics.ts';
import { DEFAULT_PARTITIONS, TAPE_TOPIC, TOPICS, type TopicName } from '../../contracts/topics.ts';
import { DEAD_LETTER_REASONS } from '../../platform/metrics/dead-letter-reasons.ts';
import { DEFAULT_CONFIGURATION_FILE, parseWholeNumber, type JsonOption } from './options.ts';

/** What `topics recreate` may delete. */
const RECREATABLE: readonly TopicName[] = TOPICS.map(({ name }) => name).filter((name) => name !== TAPE_TOPIC);

/** The commands that prepare and look after the services. */
export function registerOperate(program: Command): void {
  registerTopics(program);
  registerContracts(program);
  program
    .command('migrate')
    .description('bring the Postgres schema up to date')
    .option('--json', 'print as JSON')
    .action(async (options: JsonOption) => {
      const { migratePostgres } = await import('../actions/migrate.ts');
      await migratePostgres(options);
    });
  program
    .command('activate')
    .description('put this engine version and a configuration in force, from the end of the tape on')
    .option('--config <file>', 'engine configuration', DEFAULT_CONFIGURATION_FILE)
    .option('--json', 'print as JSON')
    .action(async (options: ActivateOptions) => {
      const { activateEngine } = await import('../actions/activate.ts');
      await activateEngine(options);
    });
  program
    .command('dead-letters')
    .description('list what was refused: where it came from, and why')
    .addOption(new Option('--reason <code>', 'only this reason').choices(DEAD_LETTER_REASONS))
    .option('--limit <n>', 'at most so many, newest last', parseWholeNumber, 100)
    .option('--json', 'print as JSON, payloads in base64')
    .action(async (options: DeadLettersOptions) => {
      const { listDeadLetters } = await import('../actions/dead-letters.ts');
      await listDeadLetters(options);
    });
}

function registerTopics(program: Command): void {
  const topics = program.command('topics').description('the Kafka topics of contracts/topics.ts');
  topics
    .command('apply')
    .description('create what is missing')
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
    .description('delete topics and make them anew, empty; a stopped engine then derives them again from the tape')
    .addArgument(new Argument('[names...]', 'all but the tape can be named').choices(RECREATABLE))
    .option('--derived', 'all that the engine derives again: its events, anchors and states')
    .option('--json', 'print as JSON')
    .action(async (names: TopicName[], options: RecreateTopicsOptions) => {
      const { recreateNamedTopics } = await import('../actions/topics.ts');
      await recreateNamedTopics(names, options);
    });
  topics
    .command('check')
    .description('exit 1 when a topic differs from its definition')
    .option('--json', 'print as JSON')
    .action(async (options: JsonOption) => {
      const { checkAllTopics } = await import('../actions/topics.ts');
      await checkAllTopics(options);
    });
}

function registerContracts(program: Command): void {
  const contracts = program.command('contracts').description('the Avro schemas of contracts/events in the registry');
  contracts
    .command('register')
    .description('register every schema under its subject, FULL_TRANSITIVE')
    .option('--json', 'print as JSON')
    .action(async (options: JsonOption) => {
      const { registerContracts: register } = await import('../actions/contracts.ts');
      await register(options);
    });
  contracts
    .command('check')
    .description('exit 1 when the registry lacks a schema of this build, or would refuse it')
    .option('--json', 'print as JSON')
    .action(async (options: JsonOption) => {
      const { checkContracts } = await import('../actions/contracts.ts');
      await checkContracts(options);
    });
}
