import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { RETRY_AFTER_MS_MAX } from './backoff.ts';
import { SILENT_OBSERVER, type LiveObserver } from './observer.ts';
import { Stream } from './stream.adapter.ts';
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

/** What a test has opened. */
const opened: { stream: Stream; server: Server; sockets: Set<Socket> }[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const { stream, server, sockets } of opened.splice(0)) {
    stream.stop();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
});

interface Scene {
  readonly stream: Stream;
  readonly told: string[];
  /** Server sides, in the order in which they came. */
  readonly clients: WebSocket[];
  readonly messages: string[];
}

async function play(
  options: { timing?: Partial<LiveTiming>; refuse?: (attempt: number) => string | undefined; autoPong?: boolean } = {},
): Promise<Scene> {
  const clients: WebSocket[] = [];
  const messages: string[] = [];
  const told: string[] = [];
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
  const observer: LiveObserver = {
    ...SILENT_OBSERVER,
    connected: ({ connection }) => told.push(`connected ${connection}`),
    reconnectScheduled: ({ delayMs }) => {
      if (delayMs > TIMING.reconnectMaxMs) told.push(`again in ${delayMs}`);
    },
    disconnected: ({ connection, reason, detail }) => told.push(`${reason} ${connection}: ${detail}`),
  };
  const stream = new Stream({
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    subscriptions: ['one', 'two'],
    keepAlive: undefined,
    limits: LIMITS,
    timing: { ...TIMING, ...options.timing },
    observer,
    onFrame: (text) => told.push(text),
    onUp: () => told.push('up'),
    onDown: () => told.push('down'),
  });
  opened.push({ stream, server, sockets });
  stream.start();
  return { stream, told, clients, messages };
}

describe('a stream', () => {
  it('subscribes, delivers, and ends when it is told', async () => {
    const { stream, told, clients, messages } = await play();
    await expect.poll(() => messages).toEqual(['one', 'two']);
    clients[0]?.send('a frame');
    await expect.poll(() => told).toEqual(['connected 1', 'up', 'a frame']);
    stream.stop();
    expect(told.at(-2)).toMatch(/^STOPPED 1/);
    expect(stream.isUp).toBe(false);
  });

  it('comes back after a cut', async () => {
    const { told, clients } = await play();
    await expect.poll(() => clients.length).toBe(1);
    clients[0]?.terminate();
    await expect.poll(() => told).toEqual(['connected 1', 'up', 'CLOSED 1: 1006', 'down', 'connected 2', 'up']);
  });

  it('gives a connection up that says nothing, pongs included', async () => {
    const { told, clients } = await play({ autoPong: false });
    await expect.poll(() => clients.length, { timeout: 5_000 }).toBe(2);
    expect(told[2]).toMatch(/^SILENT 1/);
  });

  it('keeps a quiet connection that answers pings', async () => {
    const { told, clients } = await play();
    await expect.poll(() => clients.length).toBe(1);
    let pings = 0;
    clients[0]?.on('ping', () => (pings += 1));
    await expect.poll(() => pings, { timeout: 5_000 }).toBeGreaterThan(TIMING.silenceMs / TIMING.pingIntervalMs);
    expect(told).toEqual(['connected 1', 'up']);
  });

  it('replaces a connection without a gap: the old one stays until the new one delivers, and is drained', async () => {
    const { stream, told, clients } = await play();
    await expect.poll(() => clients.length).toBe(1);
    const [first] = clients;
    await expect.poll(() => stream.isUp).toBe(true);
    stream.replace('LIFETIME');
    stream.replace('LIFETIME');
    await expect.poll(() => told).toContain('connected 2');
    stream.replace('DEAF');
    first?.send('1 from the old');
    await expect.poll(() => told).toContain('1 from the old');
    expect(told).not.toContain('down');
    // The old one has still something to say when the new one speaks.
    first?.pause();
    clients[1]?.send('3 from the new');
    await expect.poll(() => told).toContain('3 from the new');
    first?.send('2 from the old');
    first?.resume();
    await expect.poll(() => told.at(-1)).toMatch(/^LIFETIME 1/);
    expect(told).toContain('2 from the old');
    expect(told).not.toContain('down');
    expect(clients.length).toBe(2);
  });

  it('waits as long as a refused handshake says', async () => {
    const refusal =
      'HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n';
    const { told } = await play({ refuse: (attempt) => (attempt === 1 ? refusal : undefined) });
    await expect.poll(() => told, { timeout: 5_000 }).toContain('connected 2');
    expect(told[0]).toBe('HANDSHAKE 1: HTTP 429');
    expect(Number(told[1]?.replace('again in ', ''))).toBeGreaterThan(900);
  });

  // Both of more milliseconds than a timer holds.
  it.each(['9999999', 'Thu, 01 Jan 2099 00:00:00 GMT'])(
    'does not come back before its time where a refused handshake says %j',
    async (retryAfter) => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
      const head = `HTTP/1.1 429 Too Many Requests\r\nretry-after: ${retryAfter}\r\ncontent-length: 0\r\n`;
      let attempts = 0;
      const { told } = await play({
        refuse: (attempt) => {
          attempts = attempt;
          return `${head}connection: close\r\n\r\n`;
        },
      });
      await expect.poll(() => told).toEqual(['HANDSHAKE 1: HTTP 429', `again in ${RETRY_AFTER_MS_MAX}`]);
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
    const { told, clients } = await play();
    await expect.poll(() => clients.length).toBe(1);
    clients[0]?.send('x'.repeat(2 * 1024 * 1024));
    await expect.poll(() => told[2]).toMatch(/^ERROR 1: Max payload size exceeded/);
    await expect.poll(() => told).toContain('connected 2');
  });
});
