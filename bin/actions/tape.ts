import Table from 'cli-table3';
import type { Decimal } from '../../contracts/decimal.ts';
import { isoTimeOf } from '../../contracts/iso-time.ts';
import { partitionOf } from '../../contracts/partitioner.ts';
import { counted } from '../../platform/counted.ts';
import { createLog } from '../../platform/log.ts';
import {
  amendTrade,
  revokeFile,
  sourceOfFile,
  type AmendmentReport,
  type RevocationReport,
} from '../../producers/tape-amendments.adapter.ts';
import type { Statement, Wish } from '../../producers/tape-amendments.ts';
import type { AmendmentRecord, EventLog } from '../../proofs/event-log.ts';
import { answeringKafka, connections, print } from '../context.ts';
import { interruption } from '../interruption.ts';
import { operatorName } from '../operator-name.ts';
import { progressBar } from '../progress.ts';
import { withEvents } from '../with-events.ts';

export interface StatementOptions {
  readonly reason: string;
  readonly actor?: string;
  readonly json?: true;
}

export interface TradeOptions extends StatementOptions {
  readonly trade: string;
  readonly instrument: string;
  readonly at?: number;
}

export interface CorrectOptions extends TradeOptions {
  readonly price?: Decimal;
  readonly size?: Decimal;
}

export interface RevokeOptions extends StatementOptions {
  readonly format?: string;
  readonly instrument?: string;
  readonly dryRun?: true;
}

export interface ListOptions {
  readonly instrument?: string;
  readonly limit: number;
  readonly json?: true;
}

const CANCELLED_EXIT_CODE = 130;

/** The words for an amendment: when it is new, and when it was already there. */
const WORDS = {
  cancel: { done: 'is taken back', already: 'was taken back before' },
  correct: { done: 'is corrected', already: 'has these figures already' },
  release: { done: 'is vouched for', already: 'was vouched for before' },
} as const;

export async function amend(wish: Wish, options: TradeOptions): Promise<void> {
  await answeringKafka('tape');
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
  return `${what}, ${held}, ${WORDS[kind].done}${now}. Earlier decisions stand.`;
}

export async function revoke(target: string, options: RevokeOptions): Promise<void> {
  const where = connections();
  const signal = interruption();
  await answeringKafka('tape');
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
}

/** The report of a revocation, in words. */
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
    ...(elsewhere > 0 ? [`  Left unchanged: ${counted(elsewhere, 'trade')} that another source appended first.`] : []),
    '  Trades that are also in another file were appended once, and are taken back with this one.',
    ...(complete ? [] : ['  It was stopped before the end: run it again to continue.']),
  ].join('\n');
}

export async function listAmendments(options: ListOptions): Promise<void> {
  await withEvents('tape', async ({ log, partitions }) => {
    const found = await amendmentsOf(log, options, partitions);
    print(options.json, found, () => listText(found));
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
