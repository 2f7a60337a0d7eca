import Table from 'cli-table3';
import type { Command } from 'commander';
import { Decimal } from '../../contracts/decimal.ts';
import { isoTimeOf, parseIsoTime } from '../../contracts/iso-time.ts';
import { partitionOf } from '../../contracts/partitioner.ts';
import { isInstrument, parseAmount } from '../../contracts/trade-rules.ts';
import { counted } from '../../platform/counted.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { createLogReader } from '../../platform/kafka/log-reader.ts';
import { createRegistry } from '../../platform/kafka/registry.ts';
import { partitionCount } from '../../platform/kafka/topics.ts';
import { createLog } from '../../platform/log.ts';
import {
  amendTrade,
  revokeFile,
  sourceOfFile,
  type AmendmentReport,
  type RevocationReport,
} from '../../producers/tape-amendments.adapter.ts';
import type { Statement, Wish } from '../../producers/tape-amendments.ts';
import { EventLog, type AmendmentRecord } from '../../proofs/event-log.ts';
import { connections, interruption, kafkaFor, print } from '../context.ts';
import { operatorName } from '../operator-name.ts';
import { progressBar } from '../progress.ts';

/** A reason and a name are read by people, in one line. */
const TEXT_LENGTH_MAX = 500;
const LISTED_DEFAULT = 100;
const CANCELLED_EXIT_CODE = 130;

interface StatementOptions {
  readonly reason: string;
  readonly actor?: string;
  readonly json?: true;
}

interface TradeOptions extends StatementOptions {
  readonly trade: string;
  readonly instrument: string;
  readonly at?: number;
}

interface CorrectOptions extends TradeOptions {
  readonly price?: Decimal;
  readonly size?: Decimal;
}

interface RevokeOptions extends StatementOptions {
  readonly format?: string;
  readonly instrument?: string;
  readonly dryRun?: true;
}

interface ListOptions {
  readonly instrument?: string;
  readonly limit: number;
  readonly json?: true;
}

/** What a wish's record is in words: now, and where it was there already. */
const WORDS = {
  cancel: { done: 'is taken back', already: 'was taken back before' },
  correct: { done: 'is corrected', already: 'has these figures already' },
  release: { done: 'is vouched for', already: 'was vouched for before' },
} as const;

/** The commands that append to the tape what is to be said of trades that lie on it. */
export function registerTape(program: Command): void {
  const tape = program
    .command('tape')
    .description('take back, correct or vouch for trades on the tape, by a record that follows them')
    .addHelpText(
      'after',
      `
Nothing on the tape is ever edited or removed. From the record on, sums are as if it had been so; what was decided before
stands, and its audit says so.

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
    .action((options: TradeOptions) => amend({ kind: 'cancel' }, options));
}

function registerCorrect(tape: Command): void {
  withTrade(tape.command('correct').description('give a trade other figures: sums hold them from here on'))
    .option('--price <price>', 'the price that holds from here on', parsePrice)
    .option('--size <size>', 'the size that holds from here on', parseSize)
    .addHelpText(
      'after',
      `
Examples:
  $ npx tapeproof tape correct --trade 4611 --instrument BTC-USDT@binance --price 61837.6 --reason "one digit too many"
  $ npx tapeproof tape correct --trade 4611 --instrument BTC-USDT@binance --price 61837.6 --size 0.02 --reason "as reported"`,
    )
    .action(async ({ price, size, ...options }: CorrectOptions) => {
      if (price === undefined && size === undefined) {
        throw new TapeproofError('USAGE', 'Nothing is to be corrected: name --price, --size or both.');
      }
      await amend({ kind: 'correct', price, size }, options);
    });
}

function registerRelease(tape: Command): void {
  withTrade(tape.command('release').description('vouch for the stamp of a trade that was set aside for it: it counts'))
    .addHelpText(
      'after',
      `
A trade stamped far after the others is set aside, and "npx tapeproof dead-letters --reason CLOCK_LEAD" lists it. Once it is
vouched for, the clock goes on from its stamp: earlier trades that come later are late.

Example:
  $ npx tapeproof tape release --trade 4611 --instrument BTC-USDT@binance --reason "first trade after the outage"`,
    )
    .action((options: TradeOptions) => amend({ kind: 'release' }, options));
}

function withTrade(command: Command): Command {
  return withStatement(
    command
      .requiredOption('--trade <id>', "the trade's id, as the tape has it")
      .requiredOption('--instrument <instrument>', 'such as BTC-USDT@binance', parseInstrument)
      .option('--at <time>', 'its event time (ISO 8601, or microseconds), where the id stands with several', parseTime),
  );
}

function withStatement(command: Command): Command {
  return command
    .requiredOption('--reason <text>', 'why, for people', parseText)
    .option('--actor <name>', 'who says so; you where left out', parseText)
    .option('--json', 'print the report as JSON');
}

async function amend(wish: Wish, options: TradeOptions): Promise<void> {
  const report = await amendTrade({
    connections: connections(),
    log: createLog('tape', 'error'),
    instrument: options.instrument,
    tradeId: options.trade,
    atUs: options.at,
    wish,
    by: await statementOf(options),
  });
  print(options.json, report, () => amendmentText(wish, report));
}

function amendmentText({ kind }: Wish, { action, trade: { trade, figures }, appended }: AmendmentReport): string {
  const { instrument, tradeId, eventTime } = trade;
  const what = `The trade ${tradeId} of ${instrument} at ${isoTimeOf(eventTime)}`;
  const held = `${figures.price.toString()} × ${figures.size.toString()}`;
  if (action === 'already') return `${what}, ${held}, ${WORDS[kind].already}: nothing was appended.`;
  const now =
    appended?.name === 'TradeCorrected'
      ? ` to ${appended.amendment.correctedPrice.toString()} × ${appended.amendment.correctedSize.toString()}`
      : '';
  return `${what}, ${held}, ${WORDS[kind].done}${now}. What was decided before stands.`;
}

function registerRevokeFile(tape: Command): void {
  withStatement(
    tape
      .command('revoke-file')
      .argument('<file>', 'the file, packed or not, or its source as the tape names it: file:<16 hex digits>')
      .description('take back every trade that was appended from a file; run it again and nothing is taken back twice'),
  )
    .option('--format <name>', 'format of the file, where its first lines do not tell')
    .option('--instrument <instrument>', 'instrument of its rows, for formats whose rows name none')
    .option('--dry-run', 'only count, by instrument')
    .addHelpText(
      'after',
      `
A trade that another file holds too is on the tape once, from the file that came first, and is taken back with that one:
ingesting the other file again does not bring it back.

Examples:
  $ npx tapeproof tape revoke-file trades.csv.gz --reason "of another venue" --dry-run
  $ npx tapeproof tape revoke-file file:70fb695e7424a1b2 --reason "of another venue"`,
    )
    .action(async (target: string, options: RevokeOptions) => {
      const where = connections();
      const signal = interruption();
      const source = await sourceOfFile(target, options);
      const bar = progressBar(source);
      const report = await revokeFile({
        connections: where,
        log: createLog('tape', 'error'),
        source,
        by: await statementOf(options),
        isDryRun: options.dryRun === true,
        signal,
        progress: (done, total, count) => {
          bar.update({ done, total, unit: 'trades', count });
        },
      }).finally(() => {
        bar.stop();
      });
      print(options.json, report, () => revocationText(report));
      if (!report.complete) process.exitCode = CANCELLED_EXIT_CODE;
    });
}

/** What a revocation did, in words. */
function revocationText({ source, isDryRun, complete, appended, perInstrument }: RevocationReport): string {
  const number = (value: number) => value.toLocaleString('en');
  const all = Object.entries(perInstrument).sort(([left], [right]) => (left < right ? -1 : 1));
  const sum = (of: 'cancelled' | 'alreadyCancelled' | 'heldFromElsewhere') =>
    all.reduce((total, [, counts]) => total + counts[of], 0);
  const elsewhere = sum('heldFromElsewhere');
  const before = `${number(sum('alreadyCancelled'))} were taken back before`;
  return [
    isDryRun
      ? `${counted(sum('cancelled'), 'trade')} of ${source} would be taken back; ${before}.`
      : `${counted(appended, 'trade')} of ${source} taken back; ${before}.`,
    ...all.map(([instrument, { cancelled }]) => `  ${instrument.padEnd(24)} ${number(cancelled)}`),
    ...(elsewhere > 0
      ? [`  Left as they are: ${counted(elsewhere, 'trade')} that another source appended first.`]
      : []),
    '  Trades that another file holds too were appended once, and are taken back with this one.',
    ...(complete ? [] : ['  It was stopped before the end: run it again, and it goes on.']),
  ].join('\n');
}

function registerAmendments(tape: Command): void {
  tape
    .command('amendments')
    .description('list what the tape says of its trades: taken back, corrected, vouched for')
    .option('--instrument <instrument>', 'only of this one', parseInstrument)
    .option('--limit <n>', 'at most so many of each partition, the newest', parseLimit, LISTED_DEFAULT)
    .option('--json', 'print as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ npx tapeproof tape amendments
  $ npx tapeproof tape amendments --instrument BTC-USDT@binance --json`,
    )
    .action(async (options: ListOptions) => {
      const where = connections();
      const reader = createLogReader(where.kafkaBrokers);
      try {
        const log = new EventLog(reader, createRegistry(where.registryUrl));
        const found = await amendmentsOf(log, options, await partitionCount(kafkaFor('tape')));
        print(options.json, found, () => listText(found));
      } finally {
        await reader.close();
      }
    });
}

interface AmendmentList {
  readonly total: number;
  readonly amendments: readonly AmendmentRecord[];
}

async function amendmentsOf(
  log: EventLog,
  { instrument, limit }: ListOptions,
  partitions: number,
): Promise<AmendmentList> {
  const [first, last] =
    instrument === undefined
      ? [0, partitions - 1]
      : [partitionOf(instrument, partitions), partitionOf(instrument, partitions)];
  const amendments: AmendmentRecord[] = [];
  let total = 0;
  for (let partition = first; partition <= last; partition += 1) {
    const newest: AmendmentRecord[] = [];
    for await (const record of log.amendmentsAfter(partition, -1)) {
      if (instrument !== undefined && record.event.instrument !== instrument) continue;
      total += 1;
      newest.push(record);
      if (newest.length > limit) newest.shift();
    }
    amendments.push(...newest);
  }
  return { total, amendments };
}

function listText({ total, amendments }: AmendmentList): string {
  if (total === 0) return 'No amendments.';
  const table = new Table({
    head: ['place', 'what', 'instrument', 'trade', 'event time', 'figures', 'by', 'at', 'reason'],
    style: { head: [], border: [] },
  });
  for (const { event, name, partition, offset, ...rest } of amendments) {
    const figures = `${event.price.toString()} × ${event.size.toString()}`;
    const corrected =
      'correctedPrice' in event ? ` → ${event.correctedPrice.toString()} × ${event.correctedSize.toString()}` : '';
    table.push([
      `${rest.topic}-${partition} @ ${offset}`,
      name,
      event.instrument,
      event.tradeId,
      isoTimeOf(event.eventTime),
      `${figures}${corrected}`,
      event.actor,
      event.receivedAt === 0 ? '' : isoTimeOf(event.receivedAt),
      event.reason,
    ]);
  }
  return `${table.toString()}\n${amendments.length} of ${counted(total, 'amendment')}.`;
}

async function statementOf({ reason, actor }: StatementOptions): Promise<Statement> {
  return { reason, actor: actor ?? (await operatorName()), receivedAt: Date.now() * 1_000 };
}

function parseInstrument(text: string): string {
  if (isInstrument(text)) return text;
  throw new TapeproofError(
    'USAGE',
    `${JSON.stringify(text)} is not a valid instrument: one looks like BTC-USDT@binance.`,
  );
}

function parseTime(text: string): number {
  const timeUs = parseIsoTime(text);
  if (timeUs !== undefined) return timeUs;
  throw new TapeproofError(
    'USAGE',
    `${JSON.stringify(text)} is not a valid time: one looks like 2025-03-25T23:08:00.000125Z, or 1742944080000125.`,
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

function parseText(text: string): string {
  const line = text.trim();
  if (line !== '' && line.length <= TEXT_LENGTH_MAX && !/\p{Cc}/u.test(line)) return line;
  throw new TapeproofError(
    'USAGE',
    `A reason and a name are one line of 1 to ${TEXT_LENGTH_MAX} characters, not ${JSON.stringify(line.slice(0, 60))}.`,
  );
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (/^\d{1,6}$/.test(text) && limit > 0) return limit;
  throw new TapeproofError('USAGE', `"${text}" is not a valid number: give a whole one from 1 to 999999.`);
}
