import type { Command } from 'commander';
import { TapeproofError } from '../../platform/errors.ts';
import type { StatusOptions } from '../actions/status.ts';

const PLACE = /^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/;

export function registerStatus(program: Command): void {
  program
    .command('status')
    .description('one screen: services, topics, what is in force, processes, lag, instruments, problems')
    .option(
      '--processes <places>',
      'processes of other machines: host:port, several separated by commas',
      parsePlaces,
      [],
    )
    .option('--watch', 'refresh every five seconds')
    .option('--json', 'print as JSON')
    .addHelpText(
      'after',
      `
Exit codes: 0 all is well, 1 something needs attention, 3 no service answers.

Examples:
  $ npx tapeproof status
  $ npx tapeproof status --watch
  $ npx tapeproof status --processes 10.0.0.7:9464,10.0.0.8:9464 --json`,
    )
    .action(async (options: StatusOptions) => {
      const { printStatus } = await import('../actions/status.ts');
      await printStatus(options);
    });
}

function parsePlaces(text: string): StatusOptions['processes'] {
  return text.split(',').map((place) => {
    const [, host, port] = PLACE.exec(place.trim()) ?? [];
    if (host !== undefined && Number(port) >= 1 && Number(port) <= 65_535) {
      return { name: 'process', host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
    }
    throw new TapeproofError('USAGE', `${JSON.stringify(place)} is not a valid address: give host:port.`);
  });
}
