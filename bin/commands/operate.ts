import { Option, type Command } from 'commander';
import Table from 'cli-table3';
import { DEFAULT_PARTITIONS } from '../../contracts/topics.ts';
import { activate } from '../../evaluators/activate.adapter.ts';
import { canonicalConfiguration, ENGINE_VERSION } from '../../evaluators/configuration.ts';
import type { DeadLetterReason } from '../../contracts/generated/events.ts';
import { counted } from '../../platform/counted.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { DEAD_LETTER_REASONS } from '../../platform/metrics/dead-letter-reasons.ts';
import { passedOverText } from '../../platform/kafka/foreign-records.ts';
import { createLogReader } from '../../platform/kafka/log-reader.ts';
import { createRegistry } from '../../platform/kafka/registry.ts';
import { applyTopics, checkTopics, partitionCount } from '../../platform/kafka/topics.ts';
import { createLog } from '../../platform/log.ts';
import { createPool, migrate } from '../../platform/postgres.ts';
import { deadLetters } from '../../proofs/dead-letters.ts';
import { EventLog } from '../../proofs/event-log.ts';
import { doubtsAbout, knownInstruments } from '../../proofs/known-instruments.ts';
import { connections, DEFAULT_CONFIGURATION_FILE, kafkaFor, print, readConfiguration } from '../context.ts';
import { gitCommit } from '../git-commit.ts';

interface JsonOption {
  readonly json?: true;
}

/** The commands that prepare and look after the services. */
export function registerOperate(program: Command): void {
  registerTopics(program);
  registerContracts(program);
  program
    .command('migrate')
    .description('bring the Postgres schema up to date')
    .option('--json', 'print as JSON')
    .action(async ({ json }: JsonOption) => {
      const pool = createPool(connections().postgresUrl, 'tapeproof-migrate');
      try {
        const report = await migrate(pool);
        print(json, report, () => report.map(({ name, action }) => `${name.padEnd(32)} ${action}`).join('\n'));
      } finally {
        await pool.end();
      }
    });
  registerActivate(program);
  registerDeadLetters(program);
}

function registerTopics(program: Command): void {
  const topics = program.command('topics').description('the Kafka topics of contracts/topics.ts');
  topics
    .command('apply')
    .description('create what is missing')
    .option(
      '--partitions <n>',
      'partitions of each topic; fixed once the topics exist',
      wholeNumber,
      DEFAULT_PARTITIONS,
    )
    .option('--json', 'print as JSON')
    .action(async ({ partitions, json }: JsonOption & { partitions: number }, command: Command) => {
      const report = await applyTopics(kafkaFor('topics'), partitions);
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
    .description('exit 1 when a topic differs from its definition')
    .option('--json', 'print as JSON')
    .action(async ({ json }: JsonOption) => {
      const drift = await checkTopics(kafkaFor('topics'));
      print(json, drift, () =>
        drift.length === 0
          ? 'All topics are as defined.'
          : drift
              .map(({ topic, setting, expected, actual }) =>
                setting === 'topic'
                  ? `${topic} is missing`
                  : `${topic}: ${setting} is ${actual} and should be ${expected}`,
              )
              .join('\n'),
      );
      if (drift.length > 0) process.exitCode = 1;
    });
}

function registerContracts(program: Command): void {
  const contracts = program.command('contracts').description('the Avro schemas of contracts/events in the registry');
  contracts
    .command('register')
    .description('register every schema under its subject, FULL_TRANSITIVE')
    .option('--json', 'print as JSON')
    .action(async ({ json }: JsonOption) => {
      const report = await createRegistry(connections().registryUrl).register();
      print(json, report, () => report.map(({ subject, id }) => `${subject.padEnd(48)} id ${id}`).join('\n'));
    });
  contracts
    .command('check')
    .description('exit 1 when the registry lacks a schema of this build, or would refuse it')
    .option('--json', 'print as JSON')
    .action(async ({ json }: JsonOption) => {
      const drift = await createRegistry(connections().registryUrl).check();
      print(json, drift, () =>
        drift.length === 0
          ? 'All schemas are registered.'
          : drift.map(({ subject, problem }) => `${subject}: ${problem}`).join('\n'),
      );
      if (drift.length > 0) process.exitCode = 1;
    });
}

function registerActivate(program: Command): void {
  program
    .command('activate')
    .description('put this engine version and a configuration in force, from the end of the tape on')
    .option('--config <file>', 'engine configuration', DEFAULT_CONFIGURATION_FILE)
    .option('--json', 'print as JSON')
    .action(async ({ config, json }: JsonOption & { config: string }) => {
      const configuration = await readConfiguration(config);
      const report = await activate({
        connections: connections(),
        configuration: canonicalConfiguration(configuration),
        engineVersion: ENGINE_VERSION,
        gitCommit: await gitCommit(),
        log: createLog('activate', 'error'),
      });
      print(json, report, () => describeActivation(report));
      await sayDoubts(Object.keys(configuration.instruments), report.partitions.length);
    });
}

/** A name that was mistyped is no error, for its first trade may be still to come. */
async function sayDoubts(configured: readonly string[], partitions: number): Promise<void> {
  if (configured.length === 0) return;
  const where = connections();
  const reader = createLogReader(where.kafkaBrokers);
  try {
    const known = await knownInstruments(new EventLog(reader, createRegistry(where.registryUrl)), partitions);
    for (const doubt of doubtsAbout(configured, known)) process.stderr.write(`${doubt}\n`);
  } finally {
    await reader.close();
  }
}

function describeActivation(report: Awaited<ReturnType<typeof activate>>): string {
  const lines = report.partitions.map(
    ({ partition, offset, action }) => `  partition ${partition}  offset ${offset}  ${action}`,
  );
  return [
    `Engine ${ENGINE_VERSION}, configuration ${report.configHash.slice(0, 12)}, tape ${report.tapeId}:`,
    ...lines,
  ].join('\n');
}

function registerDeadLetters(program: Command): void {
  program
    .command('dead-letters')
    .description('list what was refused: where it came from, and why')
    .addOption(new Option('--reason <code>', 'only this reason').choices(DEAD_LETTER_REASONS))
    .option('--limit <n>', 'at most so many, newest last', wholeNumber, 100)
    .option('--json', 'print as JSON, payloads in base64')
    .action(async ({ reason, limit, json }: JsonOption & { reason?: DeadLetterReason; limit: number }) => {
      const where = connections();
      const reader = createLogReader(where.kafkaBrokers);
      try {
        const partitions = await partitionCount(kafkaFor('dead-letters'));
        const found = await deadLetters(reader, createRegistry(where.registryUrl), { partitions, reason, limit });
        const inBase64 = found.letters.map((letter) => ({ ...letter, payload: letter.payload.toString('base64') }));
        print(json, { ...found, letters: inBase64 }, () => {
          const passedOver = passedOverText(found.passedOver);
          if (found.total === 0) return ['No dead letters.', ...passedOver].join('\n');
          const table = new Table({
            head: ['source', 'position', 'reader', 'reason', 'detail'],
            style: { head: [], border: [] },
          });
          for (const { source, reader: by, reason: why, detail } of found.letters) {
            table.push([
              source.partition === null ? source.name : `${source.name}-${source.partition}`,
              source.position,
              by,
              why,
              detail,
            ]);
          }
          const count = `${found.letters.length} of ${counted(found.total, 'dead letter')}.`;
          return [table.toString(), count, ...passedOver].join('\n');
        });
      } finally {
        await reader.close();
      }
    });
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d{1,6}$/.test(text) || value < 1)
    throw new TapeproofError('USAGE', `"${text}" is no whole number from 1 to 999999.`);
  return value;
}
