import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { until } from '../support/until.ts';
import { REAL_CAPTURE_IS_PRESENT, realCapture, syntheticCapture } from './captures.ts';
import { startExchange, type Exchange, type ExchangeOptions } from './exchange.ts';
import { faultsNamed, type FaultName } from './faults.ts';
import type { Market } from './market.ts';

const STREAMS = '/stream?streams=btcusdt@trade/ethusdt@trade';
const MARKETS = syntheticCapture(600);
const AT_ONCE = 1_000_000;

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

async function exchangeWith(options: Partial<ExchangeOptions> = {}): Promise<Exchange> {
  const exchange = await startExchange({
    markets: MARKETS,
    tradesPerSecond: AT_ONCE,
    seed: 1,
    faults: {},
    opens: 'when-told',
    ...options,
  });
  closers.push(() => exchange.close());
  return exchange;
}

/** The frames that a purely listening client receives. */
interface Listener {
  readonly webSocket: WebSocket;
  readonly messages: string[];
  readonly closed: Promise<number>;
}

async function listen(exchange: Exchange, path = STREAMS): Promise<Listener> {
  const webSocket = new WebSocket(`${exchange.webSocketUrl}${path}`, { perMessageDeflate: false });
  const messages: string[] = [];
  const { promise: closed, resolve } = Promise.withResolvers<number>();
  webSocket.on('message', (data: Buffer) => messages.push(data.toString('latin1')));
  webSocket.on('error', () => undefined);
  webSocket.on('close', resolve);
  await Promise.race([once(webSocket, 'open'), closed]);
  closers.push(() => {
    webSocket.terminate();
    return Promise.resolve();
  });
  return { webSocket, messages, closed };
}

interface Row {
  readonly id: number;
}

async function get(exchange: Exchange, path: string): Promise<{ status: number; headers: Headers; body: unknown }> {
  const response = await fetch(`${exchange.restUrl}${path}`);
  return { status: response.status, headers: response.headers, body: await response.json() };
}

const idOf = (message: string): number => (JSON.parse(message) as { data: { t: number } }).data.t;
const sum = (markets: readonly Market[]): number => markets.reduce((total, { trades }) => total + trades.length, 0);

describe('the exchange without faults', () => {
  it('streams each trade after the first, in the order of the times, each market in the order of its ids', async () => {
    const exchange = await exchangeWith();
    const { messages } = await listen(exchange);
    exchange.open();
    await exchange.finished;
    await until('all has arrived', () => messages.length === sum(MARKETS) - 2);
    expect(JSON.parse(messages.find((message) => message.includes('btcusdt')) ?? '')).toEqual({
      stream: 'btcusdt@trade',
      data: expect.objectContaining({ e: 'trade', s: 'BTCUSDT', t: 4_711_000_002, M: true }) as unknown,
    });
    for (const { symbol, trades } of MARKETS) {
      const received = messages.filter((message) => message.includes(`"${symbol}"`)).map(idOf);
      expect(received).toEqual(trades.slice(1).map(({ id }) => id));
    }
    expect(exchange.limitsBroken()).toEqual([]);
  });

  it('serves the newest trades and those from an id on, with their weight', async () => {
    const exchange = await exchangeWith();
    expect(await get(exchange, '/api/v3/trades?symbol=BTCUSDT&limit=1000')).toMatchObject({
      status: 200,
      body: [{ id: 4_711_000_001, price: MARKETS[0]?.trades[0]?.price, isBestMatch: true }],
    });
    exchange.open();
    await exchange.finished;
    const newest = await get(exchange, '/api/v3/trades?symbol=BTCUSDT&limit=3');
    expect((newest.body as Row[]).map(({ id }) => id)).toEqual([4_711_000_598, 4_711_000_599, 4_711_000_600]);
    expect(newest.headers.get('x-mbx-used-weight-1m')).toBe('50');
    const page = await get(exchange, '/api/v3/historicalTrades?symbol=BTCUSDT&fromId=4711000100&limit=5000');
    expect((page.body as Row[]).map(({ id }) => id)).toEqual(
      Array.from({ length: 501 }, (_, index) => 4_711_000_100 + index),
    );
    expect(await get(exchange, '/api/v3/trades?symbol=__proto__')).toMatchObject({
      status: 400,
      body: { code: -1121, msg: 'Invalid symbol.' },
    });
    expect(await get(exchange, '/api/v3/time')).toMatchObject({ status: 200 });
  });

  it('begins when the first trade of each market was shown, so that a client misses none', async () => {
    const exchange = await exchangeWith({ opens: 'when-seen' });
    await get(exchange, '/api/v3/trades?symbol=BTCUSDT&limit=1');
    expect(exchange.published('BTCUSDT')).toBe(1);
    await get(exchange, '/api/v3/historicalTrades?symbol=ETHUSDT&fromId=0&limit=1');
    await exchange.finished;
    expect(exchange.published('BTCUSDT')).toBe(600);
  });

  it('never shows an id that is withheld', async () => {
    const withheld = { BTCUSDT: [4_711_000_101, 4_711_000_102] };
    const exchange = await exchangeWith({ withheld });
    const { messages } = await listen(exchange);
    exchange.open();
    await exchange.finished;
    await until('all has arrived', () => messages.length === sum(MARKETS) - 4);
    const page = await get(exchange, '/api/v3/historicalTrades?symbol=BTCUSDT&fromId=4711000100&limit=2');
    expect((page.body as Row[]).map(({ id }) => id)).toEqual([4_711_000_100, 4_711_000_103]);
    expect(exchange.shown('BTCUSDT').length).toBe(598);
  });

  it('stamps trades with the time of their publication on request', async () => {
    const from = Date.now();
    const exchange = await exchangeWith({ stamps: 'publication' });
    exchange.open();
    await exchange.finished;
    const times = exchange.shown('ETHUSDT').map(({ timeMs }) => timeMs);
    expect(times.every((time) => time >= from && time <= Date.now())).toBe(true);
  });

  it('accepts subscriptions on the stream, answers pings and records answers to its own', async () => {
    const exchange = await exchangeWith({ pingIntervalMs: 20 });
    const { webSocket, messages } = await listen(exchange, '/ws');
    webSocket.send('{"method":"SUBSCRIBE","params":["ethusdt@trade"],"id":7}');
    await until('it is confirmed', () => messages.includes('{"result":null,"id":7}'));
    webSocket.ping('here');
    expect((await once(webSocket, 'pong')).toString()).toBe('here');
    const [connection] = exchange.stats.connections;
    await until('our pings are answered', () => (connection?.pongsReceived ?? 0) > 1);
    expect(connection).toMatchObject({ symbols: ['ETHUSDT'], pingsReceived: 1, refused: false });
  });
});

describe('the exchange misbehaves', () => {
  /** Everything sent to one client on its first connection, under a seed. */
  async function heard(seed: number, names: readonly FaultName[]) {
    const exchange = await exchangeWith({ seed, faults: faultsNamed(...names) });
    const { webSocket, messages, closed } = await listen(exchange);
    exchange.open();
    await exchange.finished;
    // The pong follows everything sent before it.
    webSocket.ping();
    await Promise.race([once(webSocket, 'pong'), closed]);
    return { messages, happened: exchange.stats.happened };
  }

  it('the same with the same seed, otherwise with another', async () => {
    // How many sent bytes survive a cut depends on the network: cuts are not among these.
    const names: FaultName[] = ['out-of-order', 'duplicated-frame', 'dropped-frame', 'malformed-besides', 'going-away'];
    const { messages } = await heard(5, names);
    expect(messages.length).toBeGreaterThan(10);
    expect((await heard(5, names)).messages).toEqual(messages);
    expect((await heard(6, names)).messages).not.toEqual(messages);
  });

  it.each(['out-of-order', 'duplicated-frame', 'dropped-frame'] as const)('%s', async (name) => {
    const { messages, happened } = await heard(3, [name]);
    const times = happened.get(name) ?? 0;
    expect(times).toBeGreaterThan(0);
    const unique = sum(MARKETS) - 2 - (name === 'dropped-frame' ? times : 0);
    expect(new Set(messages).size).toBe(unique);
    expect(messages.length).toBe(unique + (name === 'duplicated-frame' ? times : 0));
    const ids = messages.filter((message) => message.includes('BTCUSDT')).map(idOf);
    const isInOrder = ids.every((id, index) => index === 0 || id > (ids[index - 1] ?? 0));
    expect(isInOrder).toBe(name === 'dropped-frame');
  });

  it('malformed-instead', async () => {
    // A seed without the two frames after which a client must close.
    const { messages, happened } = await heard(4, ['malformed-instead']);
    const sound = new Set(MARKETS.flatMap(({ trades }) => trades.map(({ id }) => id)));
    const isSound = (message: string): boolean => {
      try {
        const { stream, data } = JSON.parse(message) as { stream: string; data: { t: number; s: string; p: unknown } };
        return stream.startsWith(data.s.toLowerCase()) && sound.has(data.t) && /^\d+\.\d{8}$/.test(String(data.p));
      } catch {
        return false;
      }
    };
    const isBad = (message: string): boolean => !isSound(message);
    expect(messages.filter(isBad).length).toBe(happened.get('malformed-instead'));
  });

  it.each([
    ['cut', [1006]],
    ['cut-mid-frame', [1006]],
    ['going-away', [1001, 1008]],
  ] as const)('%s', async (name, codes) => {
    const exchange = await exchangeWith({ faults: { [name]: 100 } });
    const { messages, closed } = await listen(exchange);
    exchange.open();
    expect(codes).toContain(await closed);
    const [connection] = exchange.stats.connections;
    expect(connection?.fault?.name).toBe(name);
    expect(messages.length).toBeLessThanOrEqual(connection?.framesSent ?? 0);
    expect([...exchange.stats.happened]).toEqual([[name, 1]]);
  });

  it.each([
    ['deaf', true],
    ['half-open', false],
  ] as const)('%s', async (name, isAnswered) => {
    const exchange = await exchangeWith({ faults: { [name]: 50 } });
    const { webSocket, messages } = await listen(exchange);
    exchange.open();
    await exchange.finished;
    const [connection] = exchange.stats.connections;
    await until('what was sent has arrived', () => messages.length === connection?.framesSent);
    expect(messages.length).toBeLessThan(100);
    const answers: unknown[] = [];
    webSocket.on('pong', (payload) => answers.push(payload));
    webSocket.ping();
    if (isAnswered) await until('the ping is answered', () => answers.length === 1);
    // Another client is still served, and after it the first one has still heard nothing.
    const second = await listen(exchange);
    second.webSocket.close();
    expect(await second.closed).toBe(1005);
    expect(answers.length).toBe(isAnswered ? 1 : 0);
    expect(webSocket.readyState).toBe(WebSocket.OPEN);
  });

  it('refused-connection', async () => {
    const exchange = await exchangeWith({ faults: faultsNamed('refused-connection') });
    const states: number[] = [];
    for (let attempt = 0; attempt < 12; attempt += 1) states.push((await listen(exchange)).webSocket.readyState);
    const refused = exchange.stats.connections.map((connection) => connection.refused);
    expect(states.map((state) => state !== WebSocket.OPEN)).toEqual(refused);
    expect(new Set(refused)).toEqual(new Set([true, false]));
  });

  it('in its answers: rate limits with Retry-After, which it enforces', async () => {
    const exchange = await exchangeWith({ faults: { 'rate-limited': 1 } });
    const first = await get(exchange, '/api/v3/time');
    expect([first.status, first.headers.get('retry-after')]).toEqual([429, '1']);
    await until('a request is noted as too early', async () => {
      expect((await get(exchange, '/api/v3/time')).status).toBe(429);
      return exchange.limitsBroken().some((sentence) => sentence.includes('Retry-After'));
    });
  });

  it.each([
    ['banned', [418]],
    ['server-error', [500, 503]],
  ] as const)('in its answers: %s', async (name, statuses) => {
    const exchange = await exchangeWith({ seed: 2, faults: { [name]: 1 } });
    const response = await fetch(`${exchange.restUrl}/api/v3/trades?symbol=BTCUSDT`);
    expect(statuses).toContain(response.status);
  });

  it.each(['truncated-page', 'lagging-page', 'page-with-holes', 'slow-answer', 'endless-answer'] as const)(
    'in its answers: %s',
    async (name) => {
      const exchange = await exchangeWith({ faults: { [name]: 1 } });
      exchange.open();
      await exchange.finished;
      const controller = new AbortController();
      const response = await fetch(`${exchange.restUrl}/api/v3/trades?symbol=BTCUSDT&limit=100`, {
        signal: controller.signal,
      });
      expect(response.status).toBe(200);
      if (name === 'endless-answer') {
        const first = (await response.body?.getReader().read()) as { value?: Uint8Array } | undefined;
        expect(first?.value?.length).toBeLessThan(Number(response.headers.get('content-length')));
        controller.abort();
        return;
      }
      const text = await response.text();
      if (name === 'truncated-page') {
        expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
        return;
      }
      const ids = (JSON.parse(text) as Row[]).map(({ id }) => id);
      const all = Array.from({ length: 100 }, (_, index) => 4_711_000_501 + index);
      if (name === 'slow-answer') expect(ids).toEqual(all);
      if (name === 'lagging-page') expect(ids.at(-1)).toBeLessThan(4_711_000_600);
      if (name === 'page-with-holes') expect(ids.length).toBeLessThan(100);
    },
  );
});

describe('captures', () => {
  it('of our own are dense, with trades at one time, from ids of ten digits on', () => {
    const markets = syntheticCapture();
    expect(syntheticCapture()).toEqual(markets);
    for (const { trades } of markets) {
      expect(trades.length).toBe(2_000);
      expect(new Set(trades.map(({ timeMs }) => timeMs)).size).toBeLessThan(1_500);
      expect(trades.every(({ price, size }) => /^\d+\.\d{8}$/.test(price) && /^\d\.\d{8}$/.test(size))).toBe(true);
      expect(trades.every(({ timeMs }, index) => timeMs >= (trades[index - 1]?.timeMs ?? 0))).toBe(true);
    }
  });

  if (!REAL_CAPTURE_IS_PRESENT)
    it.skip('of a real market are absent here: there is no ../shared/data', () => undefined);

  it.runIf(REAL_CAPTURE_IS_PRESENT)('of a real market are whole', async () => {
    const ends = (await realCapture()).map(({ symbol, trades }) => [
      symbol,
      trades.length,
      trades[0]?.id,
      trades.at(-1)?.id,
    ]);
    expect(ends).toEqual([
      ['BTCUSDT', 19_904, 3_735_683_259, 3_735_703_162],
      ['ETHUSDT', 14_515, 1_520_538_925, 1_520_553_439],
    ]);
  });
});
