import Table from 'cli-table3';
import type { Command } from 'commander';
import {
  DEFAULT_STACK_OPTIONS,
  endpointsFile,
  stackDown,
  stackOptionsFromEnvironment,
  stackReset,
  stackStatus,
  stackUp,
  withoutPasswords,
} from '../../stack/main.ts';
import { print } from '../context.ts';
import { stackProgress } from '../progress.ts';

interface JsonOption {
  readonly json?: true;
}

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
    .option('--json', 'print the endpoints as JSON, without passwords')
    .addHelpText('after', SETTINGS)
    .action(async ({ json }: JsonOption) => {
      const options = stackOptionsFromEnvironment(process.env);
      const endpoints = withoutPasswords(await stackUp(options, stackProgress()));
      print(json, endpoints, () =>
        [
          ...Object.entries(endpoints).map(([name, value]) => `${name.padEnd(20)} ${value}`),
          `With their passwords, for you alone: ${endpointsFile(options.folder)}`,
        ].join('\n'),
      );
    });
  stack
    .command('down')
    .description('stop all of it; the data stays')
    .action(async () => {
      await stackDown(stackOptionsFromEnvironment(process.env), stackProgress());
    });
  stack
    .command('reset')
    .description('stop all of it and wipe its data; downloads stay')
    .action(async () => {
      await stackReset(stackOptionsFromEnvironment(process.env), stackProgress());
    });
  stack
    .command('status')
    .description('tell what runs; exit 3 unless all of it is healthy')
    .option('--json', 'print as JSON')
    .action(async ({ json }: JsonOption) => {
      const services = await stackStatus(stackOptionsFromEnvironment(process.env));
      print(json, services, () => {
        const table = new Table({
          head: ['service', 'state', 'pid', 'port', 'resident'],
          style: { head: [], border: [] },
        });
        for (const service of services) {
          table.push([
            service.name,
            service.state,
            service.pid ?? '',
            service.port,
            service.residentBytes === undefined ? '' : `${Math.round(service.residentBytes / 1_048_576)} MiB`,
          ]);
        }
        return table.toString();
      });
      if (services.some((service) => service.state !== 'running')) process.exitCode = 3;
    });
}
