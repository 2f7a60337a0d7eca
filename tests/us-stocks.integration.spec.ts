import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { IngestReport } from '../producers/main.ts';
import { startAlpaca, type AlpacaServer, type AlpacaTrade } from './exchange/alpaca-server.ts';
import { TapeWitness } from './exchange/tape-witness.ts';
import { environmentOf, runCommand, type CommandResult } from './support/command.ts';
import { ObservedProcess } from './support/observed-process.ts';
import { resetStores, stackConnections } from './support/stack.ts';
import { until } from './support/until.ts';

/** Searched for in everything that is printed, logged, reported or appended. */
const CANARY = 'c4n4ry-s3cr3t-of-the-account';
const CREDENTIALS = { key: `${CANARY}-key`, secret: `${CANARY}-secret` };
const INSTRUMENT = 'AAPL@alpaca';
/** The market's time: of today, and past. */
const TIME = new Date(Date.now() - 10_000).toISOString();

const connections = stackConnections();
const started: ObservedProcess[] = [];
const printed: string[] = [];
let server: AlpacaServer;
let witness: TapeWitness;
let refusedExit: number | null;
let folder: string;
let past: IngestReport;
let pastAgain: CommandResult;

interface Amended {
  readonly name: string;
  readonly event: Readonly<Record<'tradeId' | 'price' | 'actor' | 'source', string>> & {
    readonly correctedPrice?: string;
  };
}

function tradeOf(id: number, price: number, changes: Partial<AlpacaTrade> = {}): AlpacaTrade {
  return { i: id, x: 'V', p: price, s: 100, t: TIME, c: ['@'], z: 'C', ...changes };
}

function ingest({ key, secret } = CREDENTIALS, ...more: readonly string[]): ObservedProcess {
  const words = ['ingest', 'live', '--venue', 'alpaca', '--instruments', 'AAPL'];
  const { webSocketUrl, restUrl } = server;
  const account = { TAPEPROOF_ALPACA_KEY_ID: key, TAPEPROOF_ALPACA_SECRET_KEY: secret };
  const process = new ObservedProcess(
    connections,
    [...words, ...(more.includes('--poll') ? [] : ['--ws-url', webSocketUrl]), '--rest-url', restUrl, ...more],
    account,
  );
  started.push(process);
  return process;
}

function play(...trades: readonly AlpacaTrade[]): void {
  server.shown.push(...trades);
  server.send(...trades.map((trade) => ({ T: 't', S: 'AAPL', ...trade })));
}

function cancel(id: number, price: number) {
  return { T: 'x', S: 'AAPL', i: id, x: 'V', p: price, s: 100, a: 'C', z: 'C', t: TIME };
}

function correct([from, to]: readonly [number, number], [before, after]: readonly [number, number]) {
  const known = { T: 'c', S: 'AAPL', x: 'V', z: 'C', t: TIME, oc: ['@'], cc: ['@'] };
  return { ...known, oi: from, op: before, os: 100, ci: to, cp: after, cs: 100 };
}

async function command(...words: string[]): Promise<string> {
  return (await result(words)).stdout;
}

async function result(words: readonly string[], more: Record<string, string> = {}): Promise<CommandResult> {
  const found = await runCommand(words, { ...environmentOf(connections), ...more });
  printed.push(found.stdout, found.stderr);
  return found;
}

/** All that the venue shows, as a user takes it. */
function ingestPast(): Promise<CommandResult> {
  const [from, to] = [Date.parse(TIME) - 1, Date.parse(TIME) + 1].map((ms) => new Date(ms).toISOString());
  const words = [
    'ingest',
    'past',
    '--venue',
    'alpaca',
    '--instruments',
    'AAPL',
    '--from',
    from ?? '',
    '--to',
    to ?? '',
  ];
  const { key, secret } = CREDENTIALS;
  const account = { TAPEPROOF_ALPACA_KEY_ID: key, TAPEPROOF_ALPACA_SECRET_KEY: secret };
  return result([...words, '--rest-url', server.restUrl, '--out', join(folder, 'past.csv'), '--json'], account);
}

async function amended(): Promise<readonly Amended[]> {
  const text = await command('tape', 'amendments', '--instrument', INSTRUMENT, '--json');
  return (JSON.parse(text) as { amendments: readonly Amended[] }).amendments;
}

async function untilCounted(live: ObservedProcess, outcome: string, count: number): Promise<void> {
  await until(`${count} ${outcome}`, async () => {
    return (await live.metric('tapeproof_live_amendments_total', { outcome })) >= count;
  });
}

beforeAll(async () => {
  await resetStores();
  folder = await mkdtemp(join(tmpdir(), 'tapeproof-us-stocks-'));
  server = await startAlpaca('AAPL', CREDENTIALS);
  witness = await TapeWitness.from(connections, [INSTRUMENT]);
  // A venue that repeats what it was sent, for another account.
  const refused = ingest({ key: `${CANARY}-other`, secret: `${CANARY}-other-secret` });
  await refused.line('live-history-failed');
  refusedExit = await refused.stop();

  server.shown.push(tradeOf(1, 126.5));
  const first = ingest();
  await until('it subscribed', () => server.subscribers === 1);
  play(tradeOf(2, 126.55), tradeOf(3, 126.6));
  server.send(cancel(2, 126.55), correct([3, 30], [126.6, 126.61]), cancel(99, 1), {
    ...cancel(2, 1),
    i: CREDENTIALS.secret,
  });
  server.send({ ...cancel(2, 126.55), S: 'MSFT' });
  await untilCounted(first, 'cancelled', 1);
  await untilCounted(first, 'corrected', 1);
  server.send(cancel(2, 126.55));
  await untilCounted(first, 'already', 1);
  expect(await first.metric('tapeproof_live_unasked_trades_total')).toBe(1);
  await first.stop();

  // Pages show the corrected trade under its new id, and what was cancelled while nobody listened.
  server.shown.splice(
    0,
    server.shown.length,
    tradeOf(1, 126.5, { u: 'canceled' }),
    tradeOf(2, 126.55, { u: 'canceled' }),
  );
  server.shown.push(tradeOf(3, 126.6, { u: 'incorrect' }), tradeOf(30, 126.61, { u: 'corrected' }), tradeOf(4, 126.7));
  const second = ingest();
  await until('it subscribed', () => server.subscribers === 1);
  await untilCounted(second, 'cancelled', 1);
  server.send(correct([30, 31], [126.61, 126.62]));
  await untilCounted(second, 'corrected', 1);
  play(tradeOf(5, 126.8));
  await until('all trades are on the tape', async () => {
    await witness.catchUp();
    return witness.count(INSTRUMENT) >= 5;
  });
  await second.stop();

  // Far more than a page of the newest shows, while nobody listened; then one that only the past has.
  server.pageTradesMax = 4;
  server.shown.push(...Array.from({ length: 25 }, (_, index) => tradeOf(100 + index, 127)));
  const polling = ingest(CREDENTIALS, '--poll');
  await until('the rest is on the tape', async () => {
    await witness.catchUp();
    return witness.count(INSTRUMENT) >= 30;
  });
  await polling.stop();
  server.shown.push(tradeOf(200, 127.5));
  const taken = await ingestPast();
  past = JSON.parse(taken.stdout) as IngestReport;
  pastAgain = await ingestPast();
  await witness.catchUp();
});
afterAll(async () => {
  for (const process of started) if (process.isAlive) await process.kill();
  await witness.close();
  await server.close();
  await rm(folder, { recursive: true });
});

describe('US stocks of Alpaca', () => {
  it('are on the tape once each, whatever ids they were given since', () => {
    const polled = Array.from({ length: 25 }, (_, index) => `V-${100 + index}`);
    const ids = ['V-1', 'V-2', 'V-3', 'V-4', 'V-5', ...polled, 'V-200'];
    expect(witness.trades(INSTRUMENT).map(({ tradeId }) => tradeId)).toEqual(ids);
    expect(witness.gaps(INSTRUMENT)).toEqual([]);
  });

  it('of a past period are appended from a file, but for those that the tape has, also under new ids', () => {
    // Those and V-30, which is V-3.
    expect(past).toMatchObject({ complete: true, appended: 1, alreadyThere: 31, deadLetters: 0 });
    expect([pastAgain.exitCode, pastAgain.stderr]).toEqual([2, expect.stringContaining('past.csv exists already')]);
  });

  it('are cancelled and corrected there, by streams and pages, across a restart', async () => {
    const all = await amended();
    expect(all.map(({ event }) => [event.actor, event.source])).toEqual(all.map(() => ['alpaca', 'live:alpaca']));
    const lines = all.map(({ name, event }) => [name, event.tradeId, event.price, event.correctedPrice ?? '']);
    expect(lines.toSorted()).toEqual(
      [
        ['TradeCancelled', 'V-1', '126.5', ''],
        ['TradeCancelled', 'V-2', '126.55', ''],
        ['TradeCorrected', 'V-3', '126.6', '126.61'],
        ['TradeCorrected', 'V-3', '126.6', '126.62'],
      ].toSorted(),
    );
  });

  it('have a dead letter for each amendment that could not be applied', async () => {
    const { letters } = JSON.parse(await command('dead-letters', '--json')) as { letters: readonly object[] };
    const text = JSON.stringify(letters);
    expect(text).toContain('takes back its trade V-99, but the process ended before its trade was found on the tape');
    expect(text).toContain('the amendment has no trade id that can be read');
  });

  it('do not spread the account: not in logs, errors, dead letters or status', async () => {
    expect(refusedExit).toBe(0);
    await command('status', '--json');
    await command('dead-letters');
    const logged = started.flatMap(({ lines, otherLines, exposition }) => [
      JSON.stringify(lines),
      ...otherLines,
      exposition,
    ]);
    expect(logged.join('').length).toBeGreaterThan(1_000);
    expect(logged.join('')).toContain('[concealed]');
    expect([...logged, ...printed].join('')).not.toContain(CANARY);
  });
});
