import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { until } from '../../tests/support/until.ts';
import { binance } from '../venues/binance/venue.ts';
import { BackPressure, HOLD_MS_MAX } from './back-pressure.ts';
import { LIVE_TIMING } from './timing.ts';
import { VenueStream } from './venue-stream.adapter.ts';

describe('back pressure', () => {
  it('holds from half of the room on, until a tenth is left', () => {
    const pressure = new BackPressure();
    const held = [0.1, 0.49, 0.5, 0.9, 0.2, 0.11, 0.1, 0.49, 0.5].map((share, index) =>
      pressure.holds(share, 0, index),
    );
    expect(held).toEqual([false, false, true, true, true, true, false, false, true]);
  });

  it('ends after some seconds, and begins again only once there was room', () => {
    const pressure = new BackPressure();
    expect(pressure.holds(0.6, 0, 0)).toBe(true);
    expect(pressure.holds(0.9, 0, HOLD_MS_MAX - 1)).toBe(true);
    expect(pressure.holds(0.9, 0, HOLD_MS_MAX)).toBe(false);
    expect(pressure.holds(1, 0, HOLD_MS_MAX + 1)).toBe(false);
    expect(pressure.holds(0.1, 0, HOLD_MS_MAX + 2)).toBe(false);
    expect(pressure.holds(0.5, 0, HOLD_MS_MAX + 3)).toBe(true);
  });

  it('holds nothing while trades are missing: only requests bring them', () => {
    const pressure = new BackPressure();
    expect(pressure.holds(0.9, 1, 0)).toBe(false);
    expect(pressure.holds(0.9, 0, 1)).toBe(true);
    expect(pressure.holds(0.9, 1, 2)).toBe(false);
  });
});

describe('a stream that is held', () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });

  it('reads nothing, is not given up as silent, and then reads everything, in order', async () => {
    const sockets: WebSocket[] = [];
    server = createServer();
    new WebSocketServer({ server }).on('connection', (socket) => sockets.push(socket));
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const frames: string[] = [];
    const ends: string[] = [];
    const stream = new VenueStream({
      url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
      ...{ subscriptions: [], keepAlive: undefined, limits: binance.limits },
      timing: { ...LIVE_TIMING, pingIntervalMs: 50, silenceMs: 300 },
      telemetry: (event) => {
        if (event.kind === 'disconnected') ends.push(event.reason);
      },
      onFrame: (text) => frames.push(text),
      onUp: () => undefined,
      onDown: () => undefined,
    });
    stream.start();
    await until('it is connected', () => stream.isUp && sockets.length === 1);
    stream.hold(true);
    const sent = Array.from({ length: 500 }, (_, index) => String(index));
    for (const text of sent) sockets[0]?.send(text);
    // Longer than the silence after which a connection is given up.
    await sleep(1_000);
    expect(frames.length).toBeLessThan(sent.length);
    expect(ends).toEqual([]);
    stream.hold(false);
    await until('everything is read', () => frames.length === sent.length);
    expect(frames).toEqual(sent);
    stream.stop();
  });
});
