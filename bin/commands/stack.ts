import type { Command } from 'commander';
import { TapeproofError } from '../../platform/errors.ts';
import { BROKER_COUNTS, DEFAULT_STACK_OPTIONS, type BrokerCount } from '../../stack/options.ts';
import type { StackUpOptions } from '../actions/stack.ts';
import type { JsonOption } from './options.ts';

const { ports, folder, partsFolder } = DEFAULT_STACK_OPTIONS;
const SETTINGS = `
Environment:
${[
  ...Object.entries(ports).map(([name, port]) => [
    `TAPEPROOF_STACK_PORT_${name.toUpperCase()}`,
    `${port} on 127.0.0.1`,
  ]),
  ['TAPEPROOF_STACK_FOLDER', `data and logs: ${folder}`],
  ['TAPEPROOF_STACK_PARTS_FOLDER', `downloads: ${partsFolder}`],
]
  .map(([name = '', value = '']) => `  ${name.padEnd(33)}${value}`)
  .join('\n')}
Two stacks can run side by side with different ports and folders.`;

export function registerStack(program: Command): void {
  const stack = program
    .command('stack')
    .description('the local services: Kafka, registry, Postgres, Redis; no container engine')
    .addHelpText('after', SETTINGS);
  stack
    .command('up')
    .description('start the services that are not running, and wait until all are healthy')
    .option('--secure', 'with TLS, and Kafka with passwords and access rules; stays so until reset')
    .option(
      '--brokers <n>',
      'brokers of Kafka: 1, or 3 that each have every record; stays so until reset (default: 1)',
      parseBrokers,
    )
    .option('--json', 'print the endpoints as JSON, without passwords')
    .addHelpText('after', SETTINGS)
    .action(async (options: StackUpOptions) => {
      const { bringUp } = await import('../actions/stack.ts');
      await bringUp(options);
    });
  stack
    .command('down')
    .description('stop all services; the data stays')
    .option('--json', 'print the state of each service afterwards as JSON')
    .action(async (options: JsonOption) => {
      const { bringDown } = await import('../actions/stack.ts');
      await bringDown(options);
    });
  stack
    .command('reset')
    .description('stop all services and wipe their data; downloads stay')
    .option('--json', 'print the state of each service afterwards as JSON')
    .action(async (options: JsonOption) => {
      const { reset } = await import('../actions/stack.ts');
      await reset(options);
    });
  stack
    .command('status')
    .description('show which services run, and why the others do not; exit 3 unless all are healthy')
    .option('--json', 'print as JSON')
    .action(async (options: JsonOption) => {
      const { printStackStatus } = await import('../actions/stack.ts');
      await printStackStatus(options);
    });
}

function parseBrokers(text: string): BrokerCount {
  const count = BROKER_COUNTS.find((each) => String(each) === text);
  if (count !== undefined) return count;
  throw new TapeproofError(
    'USAGE',
    `"${text}" is not a valid number of brokers: give 1, or 3, of which one may fail without a record lost or a write refused.`,
  );
}
