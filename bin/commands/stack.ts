import type { Command } from 'commander';
import { DEFAULT_STACK_OPTIONS } from '../../stack/options.ts';
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
Two stacks live side by side with other ports and another folder.`;

export function registerStack(program: Command): void {
  const stack = program
    .command('stack')
    .description('the local services: Kafka, registry, Postgres, Redis; no container engine')
    .addHelpText('after', SETTINGS);
  stack
    .command('up')
    .description('start what is not running, and wait until all of it is healthy')
    .option('--secure', 'with TLS, and Kafka with passwords and access rules; it stays so until it is reset')
    .option('--json', 'print the endpoints as JSON, without passwords')
    .addHelpText('after', SETTINGS)
    .action(async (options: StackUpOptions) => {
      const { bringUp } = await import('../actions/stack.ts');
      await bringUp(options);
    });
  stack
    .command('down')
    .description('stop all of it; the data stays')
    .option('--json', 'print as JSON how each service is then')
    .action(async (options: JsonOption) => {
      const { bringDown } = await import('../actions/stack.ts');
      await bringDown(options);
    });
  stack
    .command('reset')
    .description('stop all of it and wipe its data; downloads stay')
    .option('--json', 'print as JSON how each service is then')
    .action(async (options: JsonOption) => {
      const { reset } = await import('../actions/stack.ts');
      await reset(options);
    });
  stack
    .command('status')
    .description('say what runs, and why where something does not; exit 3 unless all of it is healthy')
    .option('--json', 'print as JSON')
    .action(async (options: JsonOption) => {
      const { printStackStatus } = await import('../actions/stack.ts');
      await printStackStatus(options);
    });
}
