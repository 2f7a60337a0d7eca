import { afterEach, expect, it } from 'vitest';
import {
  startAlpaca,
  type AlpacaServer,
  type AlpacaTrade,
  type WrongAnswer,
} from '../../tests/exchange/alpaca-server.ts';
import { until } from '../../tests/support/until.ts';
import { alpaca } from '../venues/alpaca/venue.ts';
import { Backfill } from './backfill.adapter.ts';
import { InstrumentStream } from './instrument-stream.ts';
import { planOf } from './live-options.ts';
import { openPages } from './page-source.adapter.ts';
import type { Released } from './reorder-buffer.ts';
import type { LiveEvent } from './telemetry.ts';
import { LIVE_TIMING } from './timing.ts';

const CREDENTIALS = { key: 'a-key', secret: 'a-secret' };
const TIMING = { ...LIVE_TIMING, pollIntervalMs: 5, retryMinMs: 1, retryMaxMs: 2, gapRetryMs: 5 };
/** Most trades that a page of the server shows. */
const PAGE = 10;
const BEGAN_MS = Date.UTC(2026, 10, 2, 14, 30);

let server: AlpacaServer | undefined;
afterEach(() => server?.close());

/** Trades at the same time follow each other, so that only tokens can go on among them. */
function tradeOf(id: number): AlpacaTrade {
  const t = new Date(BEGAN_MS + Math.floor(id / 30) * 1_000).toISOString();
  return { i: id, x: 'V', p: 100 + id / 100, s: 10, t, c: ['@'], z: 'C' };
}

/** Polls until the newest of so many trades is on the tape. */
async function poll(alpacaServer: AlpacaServer, count: number) {
  const { restUrl } = alpacaServer;
  const events: LiveEvent[] = [];
  const tape: Released[] = [];
  const abort = new AbortController();
  const { history } = alpaca;
  const stream = new InstrumentStream({
    ...{ instrument: 'AAPL@alpaca', symbol: 'AAPL', partition: 0, transport: 'poll', tradeIds: 'OPAQUE' },
    ...{ pageTradesMax: history.pageTradesMax, asksFrom: false, asksSince: true },
    ...{ waitingMax: 1_000, resumeTradesMax: 1_000, timing: TIMING, telemetry: (event) => events.push(event) },
    onRefused: () => expect.fail('refused'),
  });
  const onAnswer = (): void => {
    stream.advance(0);
    for (let next = stream.next(0).append; next !== undefined; next = stream.next(0).append) {
      tape.push(next);
      stream.appended();
    }
  };
  const plan = planOf({ venue: 'alpaca', instruments: ['AAPL'], transport: 'poll', endpoints: { restUrl } });
  const backfill = new Backfill({
    ...{ venue: { ...alpaca, limits: { ...alpaca.limits, requestWeight: { weight: 1e6, windowMs: 1_000 } } }, restUrl },
    ...{ fetchPage: await openPages(plan, CREDENTIALS), streams: [stream], timing: TIMING },
    ...{ telemetry: (event) => events.push(event), signal: abort.signal, onAnswer },
    onAmendment: () => expect.fail('an amendment'),
  });
  const ended = backfill.run();
  await until(`${count} trades are published, and the last one is on the tape`, () => {
    const { shown } = alpacaServer;
    return shown.length >= count && idsOf(tape).at(-1) === `V-${shown.at(-1)?.i}`;
  });
  abort.abort();
  await ended;
  return { tape, events };
}

function idsOf(tape: readonly Released[]): string[] {
  return tape.map((each) => (each.kind === 'trade' ? each.trade.tradeId : `${each.gap.reason} gap`));
}

it('stocks polled by REST are on the tape each once, in order, however many happened between two pages', async () => {
  server = await startAlpaca('AAPL', CREDENTIALS);
  const { shown, asked } = server;
  server.pageTradesMax = PAGE;
  let next = 0;
  const publish = (count: number): void => {
    for (const end = next + count; next < end; next += 1) shown.push(tradeOf(next));
  };
  publish(1);
  const wrong: WrongAnswer[] = [
    { status: 500, text: 'oops' },
    { status: 429, text: '{}', headers: { 'retry-after': '0' } },
    { status: 200, text: '{"trades":[' },
    { status: 200, text: '{"message":"maintenance"}' },
  ];
  server.fault = (query) => {
    if (asked.length % 4 === 3 && wrong.length > 0) return wrong.shift();
    // A few that the next page shows, and twice far more.
    if (query.get('sort') === 'desc' && next < 200) publish(asked.length % 5 === 0 ? 60 : 3);
    return undefined;
  };
  const { tape, events } = await poll(server, 200);
  expect(idsOf(tape)).toEqual(
    Array.from({ length: tape.length }, (_, id) => `V-${id + Number(idsOf(tape)[0]?.slice(2))}`),
  );
  expect(events.filter(({ kind }) => kind === 'duplicate' || kind === 'forgotten')).toEqual([]);
  expect(asked.filter((query) => query.get('page_token') !== null).length).toBeGreaterThan(5);
  expect(wrong).toEqual([]);
});

it('a period that the venue refuses is a gap, and polling goes on', async () => {
  server = await startAlpaca('AAPL', CREDENTIALS);
  const { shown, asked } = server;
  server.pageTradesMax = PAGE;
  shown.push(tradeOf(0));
  server.fault = (query) => {
    if (query.get('sort') === 'asc') return { status: 400, text: '{"message":"invalid start"}' };
    // After the first page, more than the second one shows; then one after the other.
    const end = [1, 1, 60][asked.length] ?? Math.min(65, shown.length + 1);
    for (let id = shown.length; id < end; id += 1) shown.push(tradeOf(id));
    return undefined;
  };
  const { tape } = await poll(server, 65);
  const after = Array.from({ length: 15 }, (_, id) => `V-${50 + id}`);
  expect(idsOf(tape)).toEqual(['V-0', 'NOT_SERVED gap', ...after]);
});
