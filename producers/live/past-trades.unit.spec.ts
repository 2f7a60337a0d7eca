import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Trade } from '../../contracts/generated/events.ts';
import { TapeproofError } from '../../platform/errors.ts';
import {
  startAlpaca,
  type AlpacaServer,
  type AlpacaTrade,
  type WrongAnswer,
} from '../../tests/exchange/alpaca-server.ts';
import { surveyFile, tradesOf } from '../survey-file.adapter.ts';
import { writePastTrades, type PastTradesOptions, type PastTradesReport } from './past-trades.adapter.ts';

/** Searched for in everything that is written, reported or thrown. */
const CANARY = 'c4n4ry-s3cr3t-of-the-account';
const CREDENTIALS = { key: `${CANARY}-key`, secret: `${CANARY}-secret` };
const ENVIRONMENT = {
  TAPEPROOF_ALPACA_KEY_ID: CREDENTIALS.key,
  TAPEPROOF_ALPACA_SECRET_KEY: CREDENTIALS.secret,
};
const DAY_US = Date.UTC(2026, 10, 2, 14, 30) * 1_000;

let folder: string;
let server: AlpacaServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tapeproof-past-'));
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  server = await startAlpaca('AAPL', CREDENTIALS);
});
afterEach(() => server.close());

/** A trade so many seconds after the beginning. */
function tradeAt(second: number, changes: Partial<AlpacaTrade> = {}): AlpacaTrade {
  const t = new Date(DAY_US / 1_000 + second * 1_000).toISOString().replace('Z', '001Z');
  return { i: 100 + second, x: 'V', p: 126.5, s: 10, t, c: ['@', 'I'], z: 'C', ...changes };
}

let runs = 0;
function write(changes: Partial<PastTradesOptions> = {}): Promise<PastTradesReport> {
  runs += 1;
  return writePastTrades({
    ...{ venue: 'alpaca', instruments: ['AAPL'], fromUs: DAY_US, toUs: DAY_US + 3_600_000_000 },
    ...{ path: join(folder, `${runs}.csv`), restUrl: server.restUrl, environment: ENVIRONMENT },
    ...{ signal: new AbortController().signal, timing: { retryMinMs: 1, retryMaxMs: 2 } },
    ...changes,
  });
}

async function refusal(changes: Partial<PastTradesOptions> = {}): Promise<string> {
  const error = await write(changes).then(
    () => expect.fail('it is accepted'),
    (failure: unknown) => failure,
  );
  if (!(error instanceof TapeproofError)) throw error;
  expect(`${error.stack ?? ''}${JSON.stringify(error)}`).not.toContain(CANARY);
  // Neither the file nor a part of it.
  expect((await readdir(folder)).filter((name) => name.startsWith(`${runs}.`))).toEqual([]);
  return `${error.code}: ${error.message}`;
}

async function idsIn(path: string): Promise<string[]> {
  return (await tradesIn(path)).map(({ tradeId }) => tradeId);
}

async function tradesIn(path: string): Promise<readonly Trade[]> {
  const options = { path, refusedPercentMax: 100 };
  const trades: Trade[] = [];
  for await (const trade of tradesOf(await surveyFile(options), options)) trades.push(trade);
  return trades;
}

describe('the past trades of Alpaca', () => {
  it('are requested page by page by its tokens, each once, and none beside the period', async () => {
    server.shown.push(...Array.from({ length: 25 }, (_, index) => tradeAt(index)));
    server.pageTradesMax = 7;
    const report = await write({ fromUs: DAY_US + 2_000_000, toUs: DAY_US + 22_000_001 });
    expect(report).toMatchObject({
      complete: true,
      pages: 4,
      instruments: [{ instrument: 'AAPL@alpaca', trades: 20 }],
    });
    await expect(idsIn(report.path)).resolves.toEqual(Array.from({ length: 20 }, (_, index) => `V-${102 + index}`));
    expect(server.asked.map((query) => query.get('page_token') !== null)).toEqual([false, true, true, true]);
    const rest = server.asked.map((query) => [
      query.get('start'),
      query.get('end'),
      query.get('sort'),
      query.get('feed'),
    ]);
    expect(new Set(rest.map(String)).size).toBe(1);
  });

  it('keep every digit, the conditions, and what was set aside', async () => {
    server.shown.push(
      tradeAt(1, { p: 126.123456789, c: [' ', '7'], z: 'A' }),
      tradeAt(2, { u: 'canceled' }),
      tradeAt(3, { s: 0 }),
      tradeAt(4, { c: ['"', 'a,b'] }),
    );
    const report = await write();
    expect(report.instruments).toEqual([{ instrument: 'AAPL@alpaca', trades: 3, refused: 1, takenBack: 1 }]);
    const text = await readFile(report.path, 'utf8');
    expect(text).toContain('V-101,1793629801000001,AAPL@alpaca,126.123456789,10,UNKNOWN,');
    expect((await surveyFile({ path: report.path, refusedPercentMax: 100 })).survey.refused).toBe(1);
    const trades = await tradesIn(report.path);
    expect(trades.map(({ tradeId, suspicious, conditions }) => [tradeId, suspicious, conditions])).toEqual([
      ['V-101', true, ['7']],
      ['V-102', true, ['@', 'I']],
      ['V-104', false, ['"', 'a,b']],
    ]);
  });

  it('may be none: of a holiday', async () => {
    const report = await write();
    expect(report).toMatchObject({ complete: true, pages: 1, instruments: [{ trades: 0, refused: 0 }] });
  });

  it('are requested again where an answer is late, broken, or an error, and then are whole', async () => {
    server.shown.push(...Array.from({ length: 6 }, (_, index) => tradeAt(index)));
    server.pageTradesMax = 2;
    const wrong: WrongAnswer[] = [
      { status: 500, text: 'oops' },
      { status: 200, text: '{"trades":[{"t":' },
      { status: 429, text: '{}', headers: { 'retry-after': '0' } },
      { status: 200, text: '<html>maintenance</html>' },
      { status: 302, text: '', headers: { location: 'http://127.0.0.1:1/' } },
    ];
    server.fault = () => (server.asked.length % 2 === 0 ? wrong.shift() : undefined);
    const report = await write();
    await expect(idsIn(report.path)).resolves.toEqual([100, 101, 102, 103, 104, 105].map((id) => `V-${id}`));
  });

  it.each<[string, WrongAnswer, RegExp]>([
    ['401', { status: 401, text: '{"message":"unauthorized"}' }, /^CONFIGURATION: .*TAPEPROOF_ALPACA_KEY_ID and/],
    [
      '403 that repeats the account',
      { status: 403, text: `{"message":"subscription of ${CREDENTIALS.key} does not permit it"}` },
      /^CONFIGURATION: .*does not permit it.*what the account includes\.$/,
    ],
    [
      '422',
      { status: 422, text: '{"message":"invalid start"}' },
      /^USAGE: .*refuses this period of AAPL: .*invalid start/,
    ],
    ['404', { status: 404, text: '{"message":"not found"}' }, /^USAGE: .*AAPL.*not found/],
    ['500 for ever', { status: 500, text: 'oops' }, /^UNREACHABLE: .*no page of AAPL after 6 attempts \("oops"\)/],
    [
      'a wait of a day',
      { status: 429, text: '{}', headers: { 'retry-after': '86400' } },
      /^UNREACHABLE: The venue alpaca demands a wait of 1440 minutes: try again after that/,
    ],
    ['no JSON for ever', { status: 200, text: '' }, /^UNREACHABLE: .*not a JSON object/],
    [
      'a page that never ends',
      { status: 200, text: '{"trades":[],"symbol":"AAPL","next_page_token":"again"}' },
      /^NOT_USABLE: The venue alpaca repeats a page of AAPL@alpaca/,
    ],
  ])('leave no file after %s', async (_name, answer, words) => {
    server.fault = () => answer;
    await expect(refusal()).resolves.toMatch(words);
  });

  it('leave no file where the process is stopped', async () => {
    server.shown.push(tradeAt(1), tradeAt(2));
    server.pageTradesMax = 1;
    const abort = new AbortController();
    server.fault = () => {
      if (server.asked.length === 2) abort.abort();
      return undefined;
    };
    const report = await write({ signal: abort.signal });
    expect(report.complete).toBe(false);
    expect((await readdir(folder)).filter((name) => name.startsWith(`${runs}.`))).toEqual([]);
  });

  it.each<[string, Partial<PastTradesOptions>, RegExp]>([
    ['another venue', { venue: 'binance', instruments: ['BTC-USDT'] }, /^USAGE: .*binance does not serve past trades/],
    ['ccxt', { venue: 'ccxt:kraken', instruments: ['BTC-USD'] }, /^USAGE: .*ccxt-kraken does not serve past trades/],
    ['an unknown venue', { venue: 'alpacca' }, /^USAGE: "alpacca" is not a known venue/],
    ['no stock', { instruments: ['BTC-USDT'] }, /^USAGE: The venue alpaca has no symbol for BTC-USDT@alpaca/],
    ['no account', { environment: {} }, /^CONFIGURATION: .*requires an account: set TAPEPROOF_ALPACA_KEY_ID/],
    ['a folder that does not exist', { path: '/nonexistent/a.csv' }, /^USAGE: The trades cannot be written beside/],
    ['an address that is none', { restUrl: 'alpaca' }, /^USAGE: "alpaca" is not a valid address/],
  ])('are refused for %s', async (_name, changes, words) => {
    await expect(refusal(changes)).resolves.toMatch(words);
  });
});
