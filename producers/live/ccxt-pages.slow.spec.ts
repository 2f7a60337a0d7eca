import { existsSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../../tests/support/until.ts';
import { isAmendment, isRefusedTrade, isTrades } from '../venue.ts';
import { ccxtVenue } from '../venues/ccxt/venue.ts';
import { Backfill } from './backfill.adapter.ts';
import { openCcxtPages, type Ccxt } from './ccxt-pages.adapter.ts';
import { InstrumentStream } from './instrument-stream.ts';
import type { Released } from './reorder-buffer.ts';
import type { LiveEvent } from './telemetry.ts';
import { LIVE_TIMING } from './timing.ts';

/** A package of its own: `npm ci --prefix bench/peers/ccxt` installs it. */
const CCXT = join(import.meta.dirname, '../../bench/peers/ccxt/node_modules/ccxt/js/ccxt.js');
const isInstalled = existsSync(CCXT);
if (!isInstalled) console.warn('The tests with ccxt are skipped: run "npm ci --prefix bench/peers/ccxt" to have them.');

const TIMEOUT_MS = 1_500;
const TIMING = { ...LIVE_TIMING, pollIntervalMs: 20, retryMinMs: 20, retryMaxMs: 40 };
const BITFINEX_MARKETS = '[[["BTCUSD",[null,null,null,"0.0001","2000.0"]]],[],[],["BTCUSD"]]';
const BITFINEX_CURRENCIES = '[["BTC","USD"],[],[],[],[],[],[],[],[],[],[]]';
const KRAKEN_ASSETS =
  '{"error":[],"result":{"XXBT":{"aclass":"currency","altname":"XBT","decimals":10,"display_decimals":5},"ZUSD":{"aclass":"currency","altname":"USD","decimals":4,"display_decimals":2}}}';
const KRAKEN_MARKETS =
  '{"error":[],"result":{"XXBTZUSD":{"altname":"XBTUSD","wsname":"XBT/USD","aclass_base":"currency","base":"XXBT","aclass_quote":"currency","quote":"ZUSD","lot":"unit","pair_decimals":1,"lot_decimals":8,"lot_multiplier":1,"leverage_buy":[2],"leverage_sell":[2],"fees":[[0,0.26]],"fees_maker":[[0,0.16]],"fee_volume_currency":"ZUSD","ordermin":"0.0001","status":"online"}}}';

type Answer = string | ((response: ServerResponse) => void);

/** Two of ccxt's exchanges on loopback, whose lists of markets are right and whose trades are the test's. */
async function startServer(trades: (query: URLSearchParams) => Answer): Promise<{ server: Server; restUrl: string }> {
  const server = createServer(({ url = '' }, response) => {
    response.setHeader('content-type', 'application/json');
    const answer = url.includes('/Assets')
      ? KRAKEN_ASSETS
      : url.includes('/AssetPairs')
        ? KRAKEN_MARKETS
        : url.includes('pub:info:pair')
          ? BITFINEX_MARKETS
          : url.includes('/conf/')
            ? BITFINEX_CURRENCIES
            : trades(new URL(url, 'http://127.0.0.1').searchParams);
    if (typeof answer === 'string') response.end(answer);
    else answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, restUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe.skipIf(!isInstalled)('pages by ccxt itself', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  const open = async (exchange: string, trades: () => Answer) => {
    const { server, restUrl } = await startServer(trades);
    servers.push(server);
    const load = async () => ((await import(CCXT)) as { default: Ccxt }).default;
    return { restUrl, fetchPage: await openCcxtPages({ exchange, restUrl, timeoutMs: TIMEOUT_MS, load }) };
  };

  const ask = async (exchange: string, answer: Answer, symbol = 'BTC/USD') => {
    const { fetchPage } = await open(exchange, () => answer);
    return await fetchPage(ccxtVenue(exchange).history.newest(symbol, 1_000), new AbortController().signal);
  };

  const tradesOf = async (exchange: string, answer: string): Promise<string[]> => {
    const page = await ask(exchange, answer);
    if (page.outcome !== 'ok') expect.fail(JSON.stringify(page));
    const parsed = ccxtVenue(exchange).history.parsePage(page.text, 'BTC/USD', Date.now() * 1_000);
    if (!isTrades(parsed)) expect.fail(parsed.detail);
    return parsed.map((item) => {
      if (isAmendment(item)) expect.fail('an amendment');
      return isRefusedTrade(item)
        ? item.refusal.detail
        : [item.tradeId, item.price.toString(), item.size.toString(), item.side, item.eventTime].join(' ');
    });
  };

  it('have every digit of prices and sizes that the exchange writes as text', async () => {
    const rows =
      '["61837.63000","0.02000000",1695628177.7087063,"s","m","",4665906],["123456789012.123456789012","1e-8",1695628178.5,"b","m","",4665907]';
    await expect(
      tradesOf('kraken', `{"error":[],"result":{"XXBTZUSD":[${rows}],"last":"1695628177708706300"}}`),
    ).resolves.toEqual([
      '4665906 61837.63 0.02 SELL 1695628177708000',
      '4665907 123456789012.123456789012 0.00000001 BUY 1695628178500000',
    ]);
  });

  it('have every digit of those that it writes as numbers of JSON', async () => {
    await expect(
      tradesOf(
        'bitfinex',
        '[[402,1574694478808,-0.005000000001,123456789012.123456789012],[401,1574694478807,1e-8,61837]]',
      ),
    ).resolves.toEqual([
      '401 61837 0.00000001 BUY 1574694478807000',
      '402 123456789012.123456789012 0.005000000001 SELL 1574694478808000',
    ]);
  });

  it('are waited for where the exchange says so, by the status or in its own words', async () => {
    const limited: Answer = (response) => response.writeHead(429, { 'retry-after': '7' }).end('{}');
    await expect(ask('kraken', limited)).resolves.toEqual({
      outcome: 'rate-limited',
      status: 429,
      retryAfterMs: 7_000,
    });
    const inWords = await ask('kraken', '{"error":["EAPI:Rate limit exceeded"]}');
    expect(inWords).toMatchObject({ outcome: 'rate-limited', status: 200 });
  });

  it('are a failure with its words where the answer is broken, endless, too large or missing', async () => {
    const endless: Answer = (response) => response.write('{"error":');
    const large: Answer = (response) => {
      const mebibyte = ' '.repeat(1_048_576);
      for (let count = 0; count < 65; count += 1) response.write(mebibyte);
      response.end('[]');
    };
    const cut: Answer = (response) => response.destroy();
    const moved: Answer = (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
    let answer: Answer = '';
    const { fetchPage } = await open('bitfinex', () => answer);
    for (answer of [endless, large, cut, moved, '[[402,157', '<html>', '']) {
      const failed = await fetchPage(
        ccxtVenue('bitfinex').history.newest('BTC/USD', 1_000),
        new AbortController().signal,
      );
      expect(failed.outcome).toBe('failed');
      expect(failed.outcome === 'failed' && failed.detail).toMatch(/\w/);
      expect(JSON.stringify(failed)).not.toContain('127.0.0.1');
    }
  });

  it('are never requested elsewhere, whatever a redirect says', async () => {
    let visits = 0;
    const elsewhere = createServer((_request, response) => {
      visits += 1;
      response.setHeader('content-type', 'application/json');
      response.end('[[402,1574694478808,-0.005,61837]]');
    });
    servers.push(elsewhere);
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
    const location = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/trades`;
    for (const status of [301, 302, 303, 307, 308]) {
      const page = await ask('bitfinex', (response) => response.writeHead(status, { location }).end());
      expect(page.outcome).toBe('failed');
    }
    expect(visits).toBe(0);
  });

  it('are refused for good where the exchange has no such market', async () => {
    await expect(ask('kraken', '[]', 'BTC/XYZ')).resolves.toEqual({
      ...{ outcome: 'failed', status: 400, detail: 'kraken does not have market symbol BTC/XYZ' },
    });
  });

  it('end with the process, whatever is waited for', async () => {
    const { fetchPage } = await open('kraken', () => () => undefined);
    const abort = new AbortController();
    const page = fetchPage(ccxtVenue('kraken').history.newest('BTC/USD', 1_000), abort.signal);
    abort.abort();
    await expect(page).resolves.toMatchObject({ outcome: 'failed', detail: 'the process is stopping' });
  });
});

describe.skipIf(!isInstalled)('polling by ccxt itself', () => {
  const PAGE = 10;
  const JUMP = 30;

  /** An exchange of numbered trades, 30 of which happen between two pages of 10; until so many requests are answered. */
  async function poll(requestsMax: number, heedsSince: boolean) {
    let newest = 5;
    let requests = 0;
    const rowOf = (id: number) => `[${id},${1_574_694_478_000 + id},${id % 2 === 0 ? '-' : ''}0.0${id},61837.${id}]`;
    const { server, restUrl } = await startServer((query) => {
      requests += 1;
      if (requests === 3) return (response) => response.writeHead(429, { 'retry-after': '0' }).end('{}');
      if (requests === 5) return '[[1,2,';
      const start = heedsSince && query.has('start') ? Number(query.get('start')) - 1_574_694_478_000 : undefined;
      // Up to 4 new ones a page of the newest: pages of 10 overlap.
      if (!query.has('start')) newest += requests === 8 ? JUMP : requests % 5;
      const first = start === undefined ? Math.max(1, newest - PAGE + 1) : Math.max(1, start);
      const ids = Array.from({ length: Math.min(PAGE, newest - first + 1) }, (_, index) => first + index);
      return `[${ids.map(rowOf).join(',')}]`;
    });
    const load = async () => ((await import(CCXT)) as { default: Ccxt }).default;
    const fetchPage = await openCcxtPages({ exchange: 'bitfinex', restUrl, timeoutMs: TIMEOUT_MS, load });
    const events: LiveEvent[] = [];
    const abort = new AbortController();
    const venue = ccxtVenue('bitfinex');
    const stream = new InstrumentStream({
      ...{ instrument: 'BTC-USD@ccxt-bitfinex', symbol: 'BTC/USD', partition: 0, transport: 'poll' },
      ...{ tradeIds: venue.tradeIds, pageTradesMax: 1_000, asksFrom: false, asksSince: true },
      ...{ waitingMax: 1_000, resumeTradesMax: 1_000, timing: TIMING, telemetry: (event) => events.push(event) },
      onRefused: () => expect.fail('refused'),
    });
    const tape: Released[] = [];
    const onAnswer = () => {
      for (let next = stream.next(0).append; next !== undefined; next = stream.next(0).append) {
        tape.push(next);
        stream.appended();
      }
    };
    const backfill = new Backfill({
      ...{ venue, restUrl, fetchPage, streams: [stream], timing: TIMING, telemetry: (event) => events.push(event) },
      ...{ signal: abort.signal, onAnswer, onAmendment: () => expect.fail('an amendment') },
    });
    const ended = backfill.run();
    await until(`${requestsMax} requests are answered`, () => requests >= requestsMax);
    abort.abort();
    await ended;
    server.closeAllConnections();
    server.close();
    const outcomes = events.flatMap((event) => (event.kind === 'history-request' ? [event.outcome] : []));
    expect(outcomes).toContain('rate-limited');
    expect(outcomes).toContain('failed');
    const ids = tape.flatMap((each) => (each.kind === 'trade' ? [Number(each.trade.tradeId)] : []));
    // Each once, in order.
    expect(ids).toEqual([...new Set(ids)].toSorted((left, right) => left - right));
    return { tape, ids };
  }

  it('takes every trade where the exchange heeds since, however many happened between two pages', async () => {
    const { tape, ids } = await poll(18, true);
    expect(tape.filter(({ kind }) => kind === 'gap')).toEqual([]);
    const [first = 0] = ids;
    expect(ids.length).toBeGreaterThan(JUMP + PAGE);
    expect(ids).toEqual(Array.from(ids, (_, index) => first + index));
  });

  it('states what no page shows where the exchange does not heed it', async () => {
    const { tape, ids } = await poll(18, false);
    const gapAt = tape.findIndex(({ kind }) => kind === 'gap');
    const [before = 0, after = 0] = [ids[gapAt - 1], ids[gapAt]];
    const around = { firstTradeId: `after:${before}`, lastTradeId: `before:${after}`, reason: 'NOT_SERVED' };
    expect(tape.filter(({ kind }) => kind === 'gap')).toMatchObject([{ gap: around }]);
    // All but those of the gap, and of these none: everything that any page showed.
    expect(ids).toHaveLength((ids.at(-1) ?? 0) - (ids[0] ?? 0) + 1 - (after - before - 1));
    expect(after - before).toBeGreaterThan(JUMP - PAGE);
  });
});
