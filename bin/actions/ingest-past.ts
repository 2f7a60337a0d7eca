import { basename } from 'node:path';
import { counted } from '../../platform/counted.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { pipeline } from '../../pipeline.ts';
import type { PastTradesReport } from '../../producers/main.ts';
import { REFUSED_PERCENT_MAX } from '../../producers/survey.ts';
import { print } from '../context.ts';
import { interruption } from '../interruption.ts';
import { assertNewFile } from '../new-file.ts';
import { progressBar } from '../progress.ts';
import { quotedForShell } from './file-survey.ts';
import { ingestFileOfTrades } from './ingest.ts';

export interface PastOptions {
  readonly venue: string;
  readonly instruments: string;
  /** Microseconds since 1970. */
  readonly from: number;
  readonly to: number;
  readonly out: string;
  readonly restUrl?: string;
  readonly append: boolean;
  readonly json?: true;
}

const US_PER_MS = 1_000;

export async function ingestPastTrades({ from, to, out, ...options }: PastOptions): Promise<void> {
  assertPast(from, to);
  await assertNewFile(out, '--out');
  const bar = progressBar(basename(out));
  const report = await pipeline.ingest
    .past({
      venue: options.venue,
      instruments: options.instruments.split(','),
      ...{ fromUs: from, toUs: to, path: out, restUrl: options.restUrl },
      environment: process.env,
      signal: interruption(),
      onPage: ({ pages }) => {
        bar.update({ done: 0, total: 1, unit: 'pages', count: pages, phase: 'requesting' });
      },
    })
    .finally(() => {
      bar.stop();
    });
  if (!report.complete || !options.append) {
    print(options.json, { past: report }, () => pastText(report));
    if (!report.complete) process.exitCode = 130;
    return;
  }
  process.stderr.write(`${pastText(report)}\n`);
  if (tradesIn(report) === 0) {
    print(options.json, { past: report }, () => 'Nothing is appended.');
    return;
  }
  const command = `npx tapeproof ingest file ${quotedForShell(out)}`;
  const asGiven = {
    speed: 'max',
    refusedMax: REFUSED_PERCENT_MAX,
    ...(options.json && { json: options.json }),
  } as const;
  await ingestFileOfTrades(out, asGiven, { command, past: report });
}

function assertPast(from: number, to: number): void {
  if (from >= to) throw new TapeproofError('USAGE', '--from is not before --to: nothing happened in between.');
  if (to <= Date.now() * US_PER_MS) return;
  throw new TapeproofError('USAGE', '--to is in the future: name a past moment, or use "ingest live" from now on.');
}

function tradesIn({ instruments }: PastTradesReport): number {
  return instruments.reduce((sum, { trades, refused }) => sum + trades + refused, 0);
}

function pastText(report: PastTradesReport): string {
  const { complete, path, pages, instruments } = report;
  if (!complete) return 'Stopped before the end: nothing is written.';
  return [
    `${path}: ${counted(tradesIn(report), 'row')} of ${counted(pages, 'page')}.`,
    ...instruments.map(({ instrument, trades, refused, takenBack }) => {
      const remarks = [
        ...(refused > 0 ? [`${refused.toLocaleString('en')} that cannot be read`] : []),
        ...(takenBack > 0 ? [`${takenBack.toLocaleString('en')} taken back since: suspicious`] : []),
      ];
      const rest = remarks.length > 0 ? `; ${remarks.join(', ')}` : '';
      return `  ${instrument.padEnd(24)} ${counted(trades, 'trade')}${rest}`;
    }),
  ].join('\n');
}
