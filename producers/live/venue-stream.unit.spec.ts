import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { RETRY_AFTER_MS_MAX } from './backoff.ts';
import type { LiveTelemetry } from './telemetry.ts';
import { VenueStream } from './venue-stream.adapter.ts';
import { LIVE_TIMING, type LiveTiming } from './timing.ts';

const TIMING: LiveTiming = {
  ...LIVE_TIMING,
  pingIntervalMs: 50,
  silenceMs: 400,
  reconnectMinMs: 5,
  reconnectMaxMs: 20,
  overlapMs: 1_000,
};
const LIMITS = {
  connections: { count: 300, windowMs: 300_000 },
  clientMessagesPerSecond: 1_000,
  requestWeight: { weight: 1, windowMs: 1 },
  connectionLifetimeMs: 86_400_000,
  instrumentsPerConnection: 1,
};

/** The resources that a test has opened. */
const opened: { stream: VenueStream; server: Server; sockets: Set<Socket> }[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const { stream, server, sockets } of opened.splice(0)) {
    stream.stop();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
});

interface Scene {
  readonly stream: VenueStream;
  readonly reported: string[];
  /** Server sides, in the order in which they came. */
  readonly clients: WebSocket[];
  readonly messages: string[];
}

async function play(
  options: {
    timing?: Partial<LiveTiming>;
    refuse?: (attempt: number) => string | undefined;
    autoPong?: boolean;
    waitStatuses?: readonly number[];
  } = {},
): Promise<Scene> {
  const clients: WebSocket[] = [];
  const messages: string[] = [];
  const reported: string[] = [];
  const sockets = new Set<Socket>();
  const webSockets = new WebSocketServer({ noServer: true, autoPong: options.autoPong ?? true });
  let attempts = 0;
  const server = createServer();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    attempts += 1;
    const refusal = options.refuse?.(attempts);
    if (refusal !== undefined) {
      socket.end(refusal);
      return;
    }
    webSockets.handleUpgrade(request, socket, head, (client) => {
      clients.push(client);
      client.on('message', (data: Buffer) => messages.push(data.toString()));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const telemetry: LiveTelemetry = (event) => {
    if (event.kind === 'connected') reported.push(`connected ${event.connection}`);
    else if (event.kind === 'disconnected') reported.push(`${event.reason} ${event.connection}: ${event.detail}`);
    else if (event.kind === 'reconnect-scheduled' && event.delayMs > TIMING.reconnectMaxMs) {
      reported.push(`again in ${event.delayMs}`);
    }
  };
  const stream = new VenueStream({
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    subscriptions: ['one', 'two'],
    keepAlive: undefined,
    limits: { ...LIMITS, waitStatuses: options.waitStatuses ?? [] },
    timing: { ...TIMING, ...options.timing },
    telemetry,
    onFrame: (text) => reported.push(text),
    onUp: () => reported.push('up'),
    onDown: () => reported.push('down'),
  });
  opened.push({ stream, server, sockets });
  stream.start();
  return { stream, reported, clients, messages };
}

describe('a stream', () => {
  it('subscribes, delivers, and ends when it is stopped', async () => {
    const { stream, reported, clients, messages } = await play();
    await expect.poll(() => messages).toEqual(['one', 'two']);
    clients[0]?.send('a frame');
    await expect.poll(() => reported).toEqual(['connected 1', 'up', 'a frame']);
    stream.stop();
    expect(reported.at(-2)).toMatch(/^STOPPED 1/);
    expect(stream.isUp).toBe(false);
  });

  it('comes back after a cut', async () => {
    const { reported, clients } = await play();
    await expect.poll(() => clients.length).toBe(1);
    clients[0]?.terminate();
    await expect.poll(() => reported).toEqual(['connected 1', 'up', 'CLOSED 1: 1006', 'down', 'connected 2', 'up']);
  });

  it('gives up a silent connection, without even pongs', async () => {
    const { reported, clients } = await play({ autoPong: false });
    await expect.poll(() => clients.length).toBe(2);
    expect(reported[2]).toMatch(/^SILENT 1/);
  });

  it('keeps a quiet connection that answers pings', async () => {
    const { reported, clients } = await play();
    await expect.poll(() => clients.length).toBe(1);
    let pings = 0;
    clients[0]?.on('ping', () => (pings += 1));
    await expect.poll(() => pings).toBeGreaterThan(TIMING.silenceMs / TIMING.pingIntervalMs);
    expect(reported).toEqual(['connected 1', 'up']);
  });

  it('replaces a connection without a gap: the old one stays until the new one delivers, and is drained', async () => {
    const { stream, reported, clients } = await play();
    await expect.poll(() => clients.length).toBe(1);
    const [first] = clients;
    await expect.poll(() => stream.isUp).toBe(true);
    stream.replace('LIFETIME');
    stream.replace('LIFETIME');
    await expect.poll(() => reported).toContain('connected 2');
    stream.replace('DEAF');
    first?.send('1 from the old');
    await expect.poll(() => reported).toContain('1 from the old');
    expect(reported).not.toContain('down');
    // The old one still has frames to deliver when the new one begins.
    first?.pause();
    clients[1]?.send('3 from the new');
    await expect.poll(() => reported).toContain('3 from the new');
    first?.send('2 from the old');
    first?.resume();
    await expect.poll(() => reported.at(-1)).toMatch(/^LIFETIME 1/);
    expect(reported).toContain('2 from the old');
    expect(reported).not.toContain('down');
    expect(clients.length).toBe(2);
  });

  it.each([
    ['429 Too Many Requests', []],
    ["418 I'm a teapot", [418]],
  ])('waits as long as a handshake refused with %s demands', async (status, waitStatuses) => {
    const refusal = `HTTP/1.1 ${status}\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`;
    const { reported } = await play({ refuse: (attempt) => (attempt === 1 ? refusal : undefined), waitStatuses });
    await expect.poll(() => reported).toContain('connected 2');
    expect(reported[0]).toBe(`HANDSHAKE 1: HTTP ${status.slice(0, 3)}`);
    expect(Number(reported[1]?.replace('again in ', ''))).toBeGreaterThan(900);
  });

  // Both have more milliseconds than a timer can hold.
  it.each(['9999999', 'Thu, 01 Jan 2099 00:00:00 GMT'])(
    'does not reconnect early after a refused handshake with %j',
    async (retryAfter) => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
      const head = `HTTP/1.1 429 Too Many Requests\r\nretry-after: ${retryAfter}\r\ncontent-length: 0\r\n`;
      let attempts = 0;
      const { reported } = await play({
        refuse: (attempt) => {
          attempts = attempt;
          return `${head}connection: close\r\n\r\n`;
        },
      });
      await expect.poll(() => reported).toEqual(['HANDSHAKE 1: HTTP 429', `again in ${RETRY_AFTER_MS_MAX}`]);
      const refusedAtMs = performance.now();
      vi.advanceTimersToNextTimer();
      // No timer holds such a delay at once.
      expect(performance.now() - refusedAtMs).toBeLessThanOrEqual(60_000);
      vi.advanceTimersByTime(RETRY_AFTER_MS_MAX - 120_000);
      expect([attempts, vi.getTimerCount()]).toEqual([1, 1]);
      vi.advanceTimersByTime(60_000);
      await expect.poll(() => attempts).toBe(2);
    },
  );

  it('ends a connection whose frame is larger than any trade', async () => {
    const { reported, clients } = await play();
    await expect.poll(() => clients.length).toBe(1);
    clients[0]?.send('x'.repeat(2 * 1024 * 1024));
    await expect.poll(() => reported[2]).toMatch(/^ERROR 1: Max payload size exceeded/);
    await expect.poll(() => reported).toContain('connected 2');
  });
});
