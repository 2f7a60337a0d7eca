import { once } from 'node:events';
import { mkdtemp, rm, mkdir, writeFile } from 'node:fs/promises';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { parsePrometheus } from '../../tests/support/prometheus-text.ts';
import { noTelemetry } from '../../platform/telemetry.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { createLog } from '../../platform/log.ts';
import { decisionsResponse } from '../contract/decisions.ts';
import { instrumentsResponse } from '../contract/instruments.ts';
import { problem, type Problem } from '../contract/problem.ts';
import { ROUTES, type RouteName } from '../contract/routes.ts';
import { fakeModels, placedDecisions, startServer, storedState, type FakeModels } from './fixtures/read-models.ts';
import { storeDown } from './problems.ts';
import type { DashboardServer, DashboardServerSettings } from './server.ts';

const TOKEN = 'a-token-of-some-length';
const open: DashboardServer[] = [];
const folders: string[] = [];
afterEach(async () => {
  for (const { app } of open.splice(0)) await app.close();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function start(models: FakeModels = {}, changes: Partial<DashboardServerSettings> = {}) {
  const server = await startServer(fakeModels(models), changes);
  open.push(server);
  const ask = (url: string, headers: Record<string, string> = {}) => server.app.inject({ url, headers });
  const refused = async (url: string, headers: Record<string, string> = {}): Promise<Problem> => {
    const answer = await ask(url, headers);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    const body = problem.parse(answer.json());
    expect(body.status).toBe(answer.statusCode);
    return body;
  };
  return { ...server, ask, refused };
}

/** Address of a route with parts that may exist. */
function addressOf(name: RouteName): string {
  return ROUTES[name].path.replace(':instrument', 'BTC-USDT@binance').replace(':eventId', 'decision-3-1-0');
}

describe('an instrument', () => {
  const latest = {
    read: () =>
      Promise.resolve(
        new Map([
          ['BTC-USDT@binance', storedState()],
          ['XBT~2FUSD@kraken', storedState({ clockUs: '' })],
          ['~E5~B8~81@binance', { clockUs: '1' }],
        ]),
      ),
  };

  it.each([
    ['XBT~2FUSD@kraken', 'XBT~2FUSD@kraken'],
    ['~E5~B8~81@binance', '~E5~B8~81@binance'],
    ['币@binance', '~E5~B8~81@binance'],
  ])('%s is found as %s', async (asked, found) => {
    const { ask } = await start({ latest });
    const answer = await ask(`/api/v1/instruments/${encodeURIComponent(asked)}`);
    expect(answer.json()).toMatchObject({ instrument: { state: { instrument: found } } });
  });

  it.each(['BTC/USDT@binance', '../../etc/passwd', 'BTC USDT@binance', 'btc@binance', '\0', '@', 'A'.repeat(300)])(
    '%j is refused with what to write, or as unknown',
    async (name) => {
      const { refused } = await start({ latest });
      const { status, detail } = await refused(`/api/v1/instruments/${encodeURIComponent(name)}`);
      expect([400, 404]).toContain(status);
      expect(detail).not.toMatch(/at .*\.ts|node_modules/);
    },
  );

  it('is stale by the tape, by the clock, and without a price', async () => {
    const states = {
      FRESH: storedState(),
      BYTAPE: storedState({ stale: '1' }),
      OLD: storedState({ clockUs: '1' }),
      FILE: storedState({ clockUs: '', priceTimeUs: '1' }),
      EMPTY: { clockUs: '1723161299000000' },
    };
    const read = () =>
      Promise.resolve(new Map(Object.entries(states).map(([symbol, state]) => [`${symbol}@x`, state])));
    const { ask } = await start({ latest: { read } });
    const { instruments } = instrumentsResponse.parse((await ask('/api/v1/instruments')).json());
    const stale = instruments.filter(({ state }) => state.isStale).map(({ state }) => state.instrument);
    expect(stale).toEqual(['BYTAPE@x', 'EMPTY@x', 'FILE@x', 'OLD@x']);
    const fresh = instruments.find(({ state }) => state.instrument === 'FRESH@x')?.state;
    expect(fresh).toMatchObject({ ageMs: 2_000, decision: { rawProbability: 0.6, referenceRate: 0.49 } });
  });

  it('is listed without its prices while Postgres is down', async () => {
    const { ask } = await start({ latest, history: { sparklines: () => Promise.reject(storeDown('postgres')) } });
    const { instruments } = instrumentsResponse.parse((await ask('/api/v1/instruments')).json());
    expect(instruments.map(({ sparkline }) => sparkline)).toEqual([null, null, null]);
  });
});

describe('pages', () => {
  it('lead through all decisions, each once', async () => {
    const all = placedDecisions(25);
    const { ask } = await start({
      history: {
        decisions: (_instrument, _query, before, count) =>
          Promise.resolve(all.filter(({ timeUs }) => before === undefined || timeUs < before.timeUs).slice(0, count)),
      },
    });
    const found: string[] = [];
    let cursor: string | null = '';
    for (let page = 0; cursor !== null && page < 10; page += 1) {
      const query: string = `limit=10${cursor === '' ? '' : `&cursor=${cursor}`}`;
      const answer = decisionsResponse.parse((await ask(`${addressOf('decisions')}?${query}`)).json());
      found.push(...answer.decisions.map(({ decisionId }) => decisionId));
      cursor = answer.nextCursor;
    }
    expect(found).toEqual(all.map(({ decision }) => decision.decisionId));
  });

  it.each(['x', 'bnVsbA', Buffer.from('[1]').toString('base64url'), Buffer.from('["a","b"]').toString('base64url')])(
    'refuse the cursor %s',
    async (cursor) => {
      const { refused } = await start();
      expect((await refused(`${addressOf('decisions')}?cursor=${cursor}`)).detail).toMatch(/cursor/);
    },
  );
});

describe('what is not valid', () => {
  it.each(Object.keys(ROUTES) as RouteName[])('of %s is refused: an unknown query parameter', async (name) => {
    const { refused } = await start();
    expect(await refused(`${addressOf(name)}?unheard=1`)).toMatchObject({
      status: 400,
      detail: expect.stringContaining('"unheard"') as string,
    });
  });

  it.each([
    ['decisions', 'limit=0'],
    ['decisions', 'limit=501'],
    ['decisions', 'limit=1e2'],
    ['decisions', 'limit=5&limit=6'],
    ['decisions', 'status=WON'],
    ['decisions', 'direction=UP'],
    ['series', 'fromUs=-1'],
    ['series', 'fromUs=99999999999999999999'],
    ['series', 'fromUs=2&toUs=1'],
    ['audit', 'verify=yes'],
    ['scoreSpans', 'configHash=abc'],
  ] as const)('%s?%s', async (name, query) => {
    const { refused } = await start();
    expect(await refused(`${addressOf(name)}?${query}`)).toMatchObject({ status: 400 });
  });

  it('an address that cannot be decoded, one that is too long, one that does not exist', async () => {
    const { refused } = await start();
    expect(await refused('/api/v1/instruments/%E0%A4%A')).toMatchObject({ status: 400 });
    expect(await refused(`/api/v1/scores?forecast=${'x'.repeat(3_000)}`)).toMatchObject({ status: 414 });
    expect(await refused(`/api/v1/instruments/${'x'.repeat(700)}`)).toMatchObject({ status: 414 });
    expect(await refused('/api/v1/nothing')).toMatchObject({ status: 404 });
    expect(await refused('/api/v1/instruments/')).toMatchObject({ status: 400 });
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'] as const)('the method %s, everywhere', async (method) => {
    const { app } = await start();
    for (const url of ['/api/v1/instruments', '/api/v1/nothing', '/']) {
      const answer = await app.inject({ method, url });
      expect([answer.statusCode, answer.headers['allow']]).toEqual([405, 'GET, HEAD']);
    }
  });

  it('the stream as anything else', async () => {
    const { refused } = await start();
    expect(await refused('/api/v1/events', { accept: 'application/json' })).toMatchObject({ status: 406 });
  });

  it('a body', async () => {
    const { app } = await start();
    const answer = await app.inject({ method: 'GET', url: '/api/v1/scores', payload: 'x' });
    expect(answer.statusCode).toBe(413);
  });

  it('another host’s name', async () => {
    const { refused, ask } = await start({}, { names: ['board.internal'] });
    expect(await refused('/api/v1/scores', { host: 'evil.example' })).toMatchObject({ status: 421 });
    expect((await ask('/api/v1/scores', { host: 'board.internal:18080' })).statusCode).toBe(200);
  });

  it('bytes that are not a request, or larger than one may be', async () => {
    const { app } = await start();
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const sent = async (bytes: string): Promise<string> => {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      socket.write(bytes);
      return await text(socket);
    };
    expect(await sent('nonsense\r\n\r\n')).toMatch(/^HTTP\/1.1 400.*problem\+json/s);
    expect(await sent(`GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 431.*problem\+json/s,
    );
  });
});

describe('a failure', () => {
  it.each([
    ['a store that is down', storeDown('postgres'), 503, 'Postgres'],
    [
      'a broken chain',
      new TapeproofError('CHECK_FAILED', 'The chain is broken here.'),
      409,
      'The chain is broken here.',
    ],
    ['a mistake of ours', new TypeError('secret.ts:1 postgres://user:password@host'), 500, 'its log says why'],
  ])('by %s', async (_what, error, status, says) => {
    const { refused } = await start({ history: { scores: () => Promise.reject(error) } });
    const body = await refused('/api/v1/scores');
    expect(body).toMatchObject({ status, detail: expect.stringContaining(says) as string });
    expect(JSON.stringify(body)).not.toMatch(/password|\.ts/);
  });

  it('of one store leaves the others', async () => {
    const { ask, refused } = await start({ latest: { read: () => Promise.reject(storeDown('redis')) } });
    expect(await refused('/api/v1/instruments')).toMatchObject({ status: 503, service: 'redis' });
    expect((await ask('/api/v1/scores')).statusCode).toBe(200);
  });

  it('is counted by its kind', async () => {
    const telemetry = noTelemetry();
    const { refused } = await start({}, { telemetry });
    await refused('/api/v1/scores?x=1');
    await refused('/api/v1/nothing');
    const families = parsePrometheus(await telemetry.metrics.text());
    const samples = families.get('tapeproof_dashboard_refusals_total')?.samples;
    expect(samples?.map(({ labels, value }) => [labels['problem'], value])).toEqual([
      ['INVALID_REQUEST', 1],
      ['NOT_FOUND', 1],
    ]);
    const requests = families.get('tapeproof_dashboard_requests_total')?.samples;
    expect(requests?.map(({ labels }) => labels)).toContainEqual({ route: '/api/v1/scores', status: '400' });
  });
});

describe('too much', () => {
  it('from one address is refused, and also a guessed token counts', async () => {
    const { ask, refused } = await start({}, { requestsPerMinuteMax: 3, token: TOKEN });
    const guess = { authorization: 'Bearer guessed-guessed-guessed' };
    for (let request = 0; request < 3; request += 1) expect((await ask('/api/v1/scores', guess)).statusCode).toBe(401);
    expect(await refused('/api/v1/scores', { authorization: `Bearer ${TOKEN}` })).toMatchObject({ status: 429 });
  });
});

describe('a token', () => {
  it('is required of the API, and of nothing else', async () => {
    const { ask, refused } = await start({}, { token: TOKEN });
    for (const header of [
      undefined,
      'Bearer',
      `Basic ${TOKEN}`,
      'Bearer another-token-of-length',
      `Bearer ${TOKEN}x`,
    ]) {
      const headers: Record<string, string> = header === undefined ? {} : { authorization: header };
      for (const url of ['/api/v1/scores', '/api/v1/events', '/openapi.json']) {
        expect([url, header, (await refused(url, headers)).status]).toEqual([url, header, 401]);
      }
    }
    expect((await ask('/api/v1/scores', { authorization: `Bearer ${TOKEN}` })).statusCode).toBe(200);
    expect((await ask('/')).body).toContain('not built');
  });

  it('reaches no log', async () => {
    const lines: string[] = [];
    const log = createLog('dashboard', 'trace', { write: (line) => lines.push(line) });
    const { ask } = await start({ history: { scores: () => Promise.reject(new Error('oh')) } }, { token: TOKEN, log });
    await ask('/api/v1/scores', { authorization: `Bearer ${TOKEN}` });
    expect(lines.join('\n')).toContain('"oh"');
    expect(lines.join('\n')).not.toContain(TOKEN);
  });
});

describe('the stream', () => {
  it('begins at once, also for a viewer that missed nothing, and ends with the server', async () => {
    const { app } = await start();
    await app.listen({ host: '127.0.0.1', port: 0 });
    const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/api/v1/events`;
    const first = await fetch(url);
    const begun = await first.body?.getReader().read();
    const id = /^id: (.*)$/m.exec(Buffer.from(begun?.value ?? []).toString())?.[1] ?? '';
    const second = await fetch(url, { headers: { 'last-event-id': id }, signal: AbortSignal.timeout(4_000) });
    expect([second.status, second.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    expect(second.headers.get('content-security-policy')).toContain("default-src 'self'");
    await app.close();
    await expect(second.text()).rejects.toThrow();
  });
});

describe('headers', () => {
  it('keep pages of others out, and answers out of caches', async () => {
    const { ask } = await start();
    for (const url of ['/api/v1/scores', '/api/v1/nothing', '/']) {
      const { headers } = await ask(url);
      expect(headers).toMatchObject({
        'content-security-policy': expect.stringMatching(/default-src 'self'.*frame-ancestors 'none'/) as string,
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
      });
      expect(String(headers['content-security-policy'])).not.toContain('unsafe');
      expect(headers['strict-transport-security']).toBeUndefined();
      expect(headers['access-control-allow-origin']).toBeUndefined();
    }
  });
});

describe('the web page', () => {
  it('is served with its files, also at the addresses of its views', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tapeproof-web-'));
    folders.push(folder);
    await mkdir(join(folder, 'assets'));
    await writeFile(join(folder, 'index.html'), '<p>the page');
    await writeFile(join(folder, 'assets', 'page-abc.js'), '1');
    await writeFile(join(folder, 'assets', '..secret'), 'no');
    const { ask, refused } = await start({}, { webFolder: folder });
    const html = { accept: 'text/html,*/*' };
    for (const url of ['/', '/index.html', '/audit/decision-3-1-0']) {
      const { statusCode, body, headers } = await ask(url, html);
      expect([url, statusCode, body, headers['cache-control']]).toEqual([url, 200, '<p>the page', 'no-cache']);
    }
    expect((await ask('/assets/page-abc.js')).headers['cache-control']).toContain('immutable');
    expect(await refused('/assets/gone.js')).toMatchObject({ status: 404 });
    expect(await refused('/api/v1/nothing', html)).toMatchObject({ status: 404 });
    expect((await ask('/..%2f..%2fpackage.json')).statusCode).toBe(404);
  });

  it('says where it is not built', async () => {
    const { ask } = await start();
    expect((await ask('/')).body).toMatch(/npm run build:web/);
  });
});
