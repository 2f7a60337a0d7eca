import { Option, type Command } from 'commander';
import type { DashboardCommandOptions } from '../actions/dashboard.ts';
import { collect, parsePort, withHttpOptions, type HttpOptions } from './options.ts';

const DEFAULT_PORT = 18_080;

export function registerDashboard(program: Command): void {
  withHttpOptions(program.command('dashboard'))
    .description('serve the read-only API and the web page until it is stopped')
    .addOption(
      new Option('--port <port>', 'port of the API and the page; 0 takes a free one')
        .env('TAPEPROOF_DASHBOARD_PORT')
        .default(DEFAULT_PORT)
        .argParser(parsePort),
    )
    .option('--host <host>', 'address of the API and the page; any other than loopback requires a token', '127.0.0.1')
    .option('--token-file <file>', 'file with the token that every request to the API must hold')
    .option('--log-key <key>', 'verifier key that checkpoints are held to, or a file of them', collect, [])
    .option('--witness-key <key>', 'verifier key of a witness, or a file of them', collect, [])
    .option('--json', 'print the address as JSON')
    .addHelpText(
      'after',
      `
The token may also be in TAPEPROOF_DASHBOARD_TOKEN, or in the file that TAPEPROOF_DASHBOARD_TOKEN_FILE names.
Exit codes: 0 stopped, 2 an address that needs a token, or bad usage, 3 the address cannot be listened on.`,
    )
    .action(async (options: DashboardCommandOptions & HttpOptions) => {
      const { runDashboardProcess } = await import('../actions/dashboard.ts');
      await runDashboardProcess(options);
    });
}
