import Table from 'cli-table3';
import type { Command } from 'commander';
import {
  DEFAULT_STACK_OPTIONS,
  stackDown,
  stackOptionsFromEnvironment,
  stackReset,
  stackStatus,
  stackUp,
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
    .option('--secure', 'with TLS, passwords and access rules; it stays so until it is reset')
    .option('--json', 'print the endpoints as JSON')
    .addHelpText('after', SETTINGS)
    .action(async ({ secure, json }: JsonOption & { readonly secure?: true }) => {
      const options = { ...stackOptionsFromEnvironment(process.env), secure: secure === true };
      const endpoints = await stackUp(options, stackProgress());
      const { settings, ...addresses } = endpoints;
      const secured =
        settings === undefined ? {} : { security: 'TLS, passwords and access rules: docs/connections.md' };
      print(json, endpoints, () =>
        Object.entries({ ...addresses, ...secured })
          .map(([name, value]) => `${name.padEnd(20)} ${value}`)
          .join('\n'),
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
