import type { Command } from 'commander';
import type { AuditCommandOptions } from '../actions/audit.ts';
import { collect } from './options.ts';
import { parseLength, parseMoment } from './time-option.ts';

export function registerAudit(program: Command): void {
  program
    .command('audit')
    .argument('[id]', 'a decision, outcome, strategy result or snapshot, for example decision-3-10411-0')
    .description('walk a decision back to its trades, straight from Kafka, and check each link')
    .option('--latest <instrument>', 'the latest decision of an instrument')
    .option(
      '--at <time>',
      'the decision in force at a market time (ISO 8601 with its zone), and whether it was published by then',
      parseMoment,
    )
    .option('--instrument <instrument>', 'instrument of --at')
    .option('--max-age <length>', 'with --at: how old a decision in force may be, by default its horizon', parseLength)
    .option('--trades', 'list every trade')
    .option('--verify', 'derive it again from the nearest anchor, and compare the bytes')
    .option(
      '--proof <file>',
      'write a proof that a signed checkpoint has the event, for "verify-proof" and other tools',
    )
    .option('--log-key <key>', "the log's verifier key, or a file of such keys, to hold checkpoints to", collect, [])
    .option('--witness-key <key>', "a witness's verifier key, or a file of such keys; again for each", collect, [])
    .option('--json', 'print as JSON')
    .addHelpText(
      'after',
      `
Exit codes: 0 every check passed (or the outcome is pending), 1 a check failed, the event does not exist, no decision was in
force, --verify could not derive it again, or no checkpoint has what --proof asks for, 2 the id or the time is malformed.

Examples:
  $ npx tapeproof audit --latest BTC-USD@bitstamp
  $ npx tapeproof audit decision-3-10411-0 --trades
  $ npx tapeproof audit decision-3-10411-0 --proof decision.tlog-proof --log-key log.pub --witness-key witness.pub
  $ npx tapeproof audit --at 2025-03-25T23:08:00Z --instrument BTC-USDT@binance --verify
  $ npx tapeproof audit --at 2025-03-26T00:08:00+01:00 --instrument BTC-USDT@binance --max-age 30s`,
    )
    .action(async (id: string | undefined, options: AuditCommandOptions) => {
      const { runAudit } = await import('../actions/audit.ts');
      await runAudit(id, options);
    });
}
