import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { createLog } from '../../platform/log.ts';
import { Metrics } from '../../platform/metrics/metrics.ts';
import { HealthBoard } from '../../platform/health/board.ts';
import { until } from '../../tests/support/until.ts';
import { alpaca } from '../venues/alpaca/venue.ts';
import { Backfill } from './backfill.adapter.ts';
import { venuePlans, type VenuesIngestOptions } from './ingest-venues.adapter.ts';
import { InstrumentStream } from './instrument-stream.ts';
import { planOf } from './live-options.ts';
import { openPages } from './page-source.adapter.ts';
import { createLiveTelemetry } from './telemetry.adapter.ts';
import { NO_TELEMETRY } from './telemetry.ts';
import { LIVE_TIMING } from './timing.ts';
import { VenueStream } from './venue-stream.adapter.ts';

/** Searched for in everything that is logged, reported or thrown. */
const CANARY = 'c4n4ry-s3cr3t-of-the-account';
const CREDENTIALS = { key: `${CANARY}-key`, secret: `${CANARY}-secret` };
const { account } = alpaca;
if (account === undefined) throw new RangeError('Alpaca requires an account');

let servers: Server[] = [];
afterEach(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  servers = [];
});

async function listening(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** Logs in to a server that answers the first message with this frame. */
async function logIn(answer: string) {
  const received: string[] = [];
  const lines: string[] = [];
  const frames: string[] = [];
  const server = createServer();
  const port = await listening(server);
  new WebSocketServer({ server }).on('connection', (socket) => {
    socket.send('[{"T":"success","msg":"connected"}]');
    socket.on('message', (data: Buffer) => {
      received.push(data.toString());
      if (received.length === 1) socket.send(answer);
    });
  });
  const log = createLog('ingest-live', 'trace', { write: (line) => lines.push(line) });
  const processTelemetry = { metrics: new Metrics('ingest-live'), health: new HealthBoard() };
  const telemetry = createLiveTelemetry({
    venue: 'alpaca',
    transport: 'stream',
    processTelemetry,
    log,
    healthPart: 'venue',
  });
  const stream = new VenueStream({
    url: `ws://127.0.0.1:${port}/v2/iex`,
    subscriptions: alpaca.stream.subscriptions(['AAPL']),
    keepAlive: undefined,
    login: { message: account?.login(CREDENTIALS) ?? '', isAccepted: (text) => account?.isAccepted(text) === true },
    ...{ limits: alpaca.limits, timing: LIVE_TIMING, telemetry },
    onFrame: (text) => {
      frames.push(text);
      const parsed = alpaca.stream.parseFrame(text, 1);
      if ('notice' in parsed) telemetry({ kind: 'notice', ...parsed });
    },
    onUp: () => undefined,
    onDown: () => undefined,
  });
  stream.start();
  await until('the answer arrived', () => frames.length >= 2);
  return { stream, received, lines };
}

describe('a venue that requires an account', () => {
  it('gets the subscription once it has accepted the login', async () => {
    const { stream, received, lines } = await logIn('[{"T":"success","msg":"authenticated"}]');
    await until('the subscription arrived', () => received.length === 2);
    expect(received).toEqual([
      JSON.stringify({ action: 'auth', ...CREDENTIALS }),
      '{"action":"subscribe","trades":["AAPL"]}',
    ]);
    stream.stop();
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.join('')).not.toContain(CANARY);
  });

  it('gets none where it refuses the login, and its words are logged, not the secret', async () => {
    const { stream, received, lines } = await logIn('[{"T":"error","code":402,"msg":"auth failed"}]');
    await until('its words are logged', () => lines.some((line) => line.includes('402 auth failed')));
    stream.stop();
    expect(received).toHaveLength(1);
    expect(lines.join('')).not.toContain(CANARY);
  });

  it('is sent its headers, and a refusal ends the start with the names of the variables', async () => {
    const headers: string[] = [];
    const port = await listening(
      createServer((request, response) => {
        headers.push(JSON.stringify(request.headers));
        response.writeHead(403).end(JSON.stringify({ message: 'forbidden.' }));
      }),
    );
    const stream = new InstrumentStream({
      ...{ instrument: 'AAPL@alpaca', symbol: 'AAPL', partition: 0, transport: 'stream', tradeIds: 'OPAQUE' },
      ...{ pageTradesMax: 1_000, asksFrom: false, waitingMax: 100, resumeTradesMax: 1_000, timing: LIVE_TIMING },
      ...{ telemetry: NO_TELEMETRY, onRefused: () => undefined },
    });
    const restUrl = `http://127.0.0.1:${port}`;
    const plan = planOf({
      ...{ venue: 'alpaca', instruments: ['AAPL'], transport: 'stream', endpoints: { restUrl } },
    });
    const backfill = new Backfill({
      ...{ venue: alpaca, restUrl, fetchPage: await openPages(plan, CREDENTIALS), streams: [stream] },
      ...{ timing: LIVE_TIMING, telemetry: NO_TELEMETRY, signal: new AbortController().signal },
      onAnswer: () => undefined,
      onAmendment: () => undefined,
    });
    const failure = await backfill.run().then(
      () => undefined,
      (error: unknown) => error as Error,
    );
    expect(headers[0]).toContain(CREDENTIALS.secret);
    expect(failure?.message).toBe(
      'The venue alpaca refuses the account of TAPEPROOF_ALPACA_KEY_ID and TAPEPROOF_ALPACA_SECRET_KEY: check both.',
    );
    expect(`${failure?.stack ?? ''}${JSON.stringify(failure)}`).not.toContain(CANARY);
  });

  it('is refused without its variables, with what to set', () => {
    const options: VenuesIngestOptions = {
      instruments: ['AAPL@alpaca'],
      transport: 'stream',
      log: createLog('ingest-live', 'silent'),
      connections: { kafkaBrokers: ['127.0.0.1:1'], registryUrl: 'http://127.0.0.1:1' },
      signal: AbortSignal.abort(),
    };
    expect(() => venuePlans(options)).toThrow(
      'The venue alpaca requires an account: set TAPEPROOF_ALPACA_KEY_ID and TAPEPROOF_ALPACA_SECRET_KEY',
    );
    const environment = { TAPEPROOF_ALPACA_KEY_ID: CREDENTIALS.key, TAPEPROOF_ALPACA_SECRET_KEY: CREDENTIALS.secret };
    expect(venuePlans({ ...options, environment })[0]?.credentials).toEqual(CREDENTIALS);
  });
});
