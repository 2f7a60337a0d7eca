import type { Command } from 'commander';
import type { TradeOptions, CorrectOptions, RevokeOptions, ListOptions } from '../actions/tape.ts';
import { Decimal } from '../../contracts/decimal.ts';
import { isInstrument, parseAmount } from '../../contracts/trade-rules.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { parseStatement, parseWholeNumber } from './options.ts';
import { registerTapeBackup } from './tape-backup.ts';
import { parseMoment } from './time-option.ts';

const LISTED_DEFAULT = 100;

/** The commands for the tape itself: amendments of its trades, and its backup. */
export function registerTape(program: Command): void {
  const tape = program
    .command('tape')
    .description(
      'take back, correct or vouch for trades by a record that follows them; copy the tape and bring it back',
    )
    .addHelpText(
      'after',
      `
Nothing on the tape is ever edited or removed. From the record on, sums are as if it had always been so; earlier
decisions stand, and their audit says so.

Examples:
  $ npx tapeproof tape cancel --trade 4611 --instrument BTC-USDT@binance --reason "busted by the exchange"
  $ npx tapeproof tape correct --trade 4611 --instrument BTC-USDT@binance --price 61837.6 --reason "one digit too many"
  $ npx tapeproof tape revoke-file trades.csv.gz --reason "of another venue" --dry-run
  $ npx tapeproof tape amendments --instrument BTC-USDT@binance`,
    );
  registerCancel(tape);
  registerCorrect(tape);
  registerRelease(tape);
  registerRevokeFile(tape);
  registerAmendments(tape);
  registerTapeBackup(tape);
}

function registerCancel(tape: Command): void {
  withTrade(tape.command('cancel').description('take a trade back: sums leave it out from here on'))
    .addHelpText(
      'after',
      `
Examples:
  $ npx tapeproof tape cancel --trade 4611 --instrument BTC-USDT@binance --reason "busted by the exchange"
  $ npx tapeproof tape cancel --trade 17 --instrument SPY@arca --at 2025-01-02T14:30:00.000125Z --reason "erroneous print"`,
    )
    .action(async (options: TradeOptions) => {
      const { amend } = await import('../actions/tape.ts');
      await amend({ kind: 'cancel' }, options);
    });
}

function registerCorrect(tape: Command): void {
  withTrade(tape.command('correct').description('give a trade other figures: sums use them from here on'))
    .option('--price <price>', 'the price in force from here on', parsePrice)
    .option('--size <size>', 'the size in force from here on', parseSize)
    .addHelpText(
      'after',
      `
Examples:
  $ npx tapeproof tape correct --trade 4611 --instrument BTC-USDT@binance --price 61837.6 --reason "one digit too many"
  $ npx tapeproof tape correct --trade 4611 --instrument BTC-USDT@binance --price 61837.6 --size 0.02 --reason "as reported"`,
    )
    .action(async ({ price, size, ...options }: CorrectOptions) => {
      if (price === undefined && size === undefined) {
        throw new TapeproofError('USAGE', 'There is nothing to correct: give --price, --size or both.');
      }
      const { amend } = await import('../actions/tape.ts');
      await amend({ kind: 'correct', price, size }, options);
    });
}

function registerRelease(tape: Command): void {
  withTrade(
    tape.command('release').description('vouch for the stamp of a trade that was set aside because of it: it counts'),
  )
    .addHelpText(
      'after',
      `
A trade stamped far after the others is set aside, and "npx tapeproof dead-letters --reason CLOCK_LEAD" lists it. Once
it is vouched for, the clock continues from its stamp: earlier trades that come later are late.

Example:
  $ npx tapeproof tape release --trade 4611 --instrument BTC-USDT@binance --reason "first trade after the outage"`,
    )
    .action(async (options: TradeOptions) => {
      const { amend } = await import('../actions/tape.ts');
      await amend({ kind: 'release' }, options);
    });
}

function withTrade(command: Command): Command {
  return withStatement(
    command
      .requiredOption('--trade <id>', "the trade's id, as on the tape")
      .requiredOption('--instrument <instrument>', 'such as BTC-USDT@binance', parseInstrument)
      .option('--at <time>', 'its event time (ISO 8601, or microseconds), where the id has several', parseMoment),
  );
}

function withStatement(command: Command): Command {
  return command
    .requiredOption('--reason <text>', 'why, for people', parseStatement)
    .option('--actor <name>', 'who requests it; by default you', parseStatement)
    .option('--json', 'print the report as JSON');
}

function registerRevokeFile(tape: Command): void {
  withStatement(
    tape
      .command('revoke-file')
      .argument('<file>', 'the file, packed or not, or its source as named on the tape: file:<16 hex digits>')
      .description('take back every trade that was appended from a file; run it again and nothing is taken back twice'),
  )
    .option('--format <name>', 'format of the file, where its first lines do not show it')
    .option('--instrument <instrument>', 'instrument of its rows, for formats whose rows name none')
    .option('--dry-run', 'only count, by instrument')
    .addHelpText(
      'after',
      `
A trade that is also in another file is on the tape once, from the file that came first, and is taken back with that
one: ingesting the other file again does not bring it back.

Examples:
  $ npx tapeproof tape revoke-file trades.csv.gz --reason "of another venue" --dry-run
  $ npx tapeproof tape revoke-file file:70fb695e7424a1b2 --reason "of another venue"`,
    )
    .action(async (target: string, options: RevokeOptions) => {
      const { revoke } = await import('../actions/tape.ts');
      await revoke(target, options);
    });
}

function registerAmendments(tape: Command): void {
  tape
    .command('amendments')
    .description('list the amendments on the tape: trades taken back, corrected, vouched for')
    .option('--instrument <instrument>', 'only of this one', parseInstrument)
    .option('--limit <n>', 'at most this many of each partition, the newest', parseWholeNumber, LISTED_DEFAULT)
    .option('--json', 'print as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ npx tapeproof tape amendments
  $ npx tapeproof tape amendments --instrument BTC-USDT@binance --json`,
    )
    .action(async (options: ListOptions) => {
      const { listAmendments } = await import('../actions/tape.ts');
      await listAmendments(options);
    });
}

function parseInstrument(text: string): string {
  if (isInstrument(text)) return text;
  throw new TapeproofError(
    'USAGE',
    `${JSON.stringify(text)} is not a valid instrument: one looks like BTC-USDT@binance.`,
  );
}

function parsePrice(text: string): Decimal {
  return amountOf('price', text);
}

function parseSize(text: string): Decimal {
  return amountOf('size', text);
}

function amountOf(name: 'price' | 'size', text: string): Decimal {
  const amount = parseAmount(name, text);
  if (amount instanceof Decimal) return amount;
  throw new TapeproofError('USAGE', `--${name} is wrong: ${amount.detail}.`);
}
