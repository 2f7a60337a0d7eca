import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { parsePrometheus } from '../../tests/support/prometheus-text.ts';
import { until } from '../../tests/support/until.ts';
import { noTelemetry, type Telemetry } from '../telemetry.ts';
import { allowedHosts } from './allowed-hosts.ts';
import { startHealthServer, type HealthServer } from './server.ts';

const open: HealthServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

interface Subject {
  readonly telemetry: Telemetry;
  readonly server: HealthServer;
  readonly eventLoop: { delayMs: number; isResponsive: boolean; close(): void };
  readonly ask: (path: string, method?: string) => Promise<Response>;
}

async function start(port = 0, names: readonly string[] = []): Promise<Subject> {
  const telemetry = noTelemetry();
  const eventLoop = { delayMs: 1, isResponsive: true, close: () => undefined };
  const server = await startHealthServer({ service: 'engine', host: '127.0.0.1', port, names, telemetry, eventLoop });
  open.push(server);
  const ask = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${server.port}${path}`, { method });
  return { telemetry, server, eventLoop, ask };
}

/** Sends bytes unchanged, and returns the whole answer. */
async function sendRaw({ server }: Subject, bytes: string): Promise<string> {
  const socket = connect(server.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(bytes);
  return await text(socket);
}

describe('the health server', () => {
  it('answers /metrics as a scraper reads them', async () => {
    const { ask, telemetry } = await start();
    telemetry.metrics.set('tapeproof_dependency_up', { dependency: 'kafka' }, 1);
    const response = await ask('/metrics?name=any');
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(parsePrometheus(await response.text()).get('tapeproof_dependency_up')?.samples).toMatchObject([
      { labels: { dependency: 'kafka' }, value: 1 },
    ]);
  });

  it('distinguishes alive from ready', async () => {
    const { ask, telemetry, eventLoop } = await start();
    const statuses = async () => [(await ask('/health')).status, (await ask('/ready')).status];
    telemetry.health.set('consumer', { alive: true, ready: true, detail: 'has partitions' });
    expect(await statuses()).toEqual([200, 200]);
    telemetry.health.set('redis', { alive: true, ready: false, detail: 'ECONNREFUSED' });
    expect(await statuses()).toEqual([200, 503]);
    const body: unknown = await (await ask('/ready')).json();
    expect(body).toMatchObject({
      status: 'failing',
      service: 'engine',
      checks: { consumer: { ok: true }, redis: { ok: false, detail: 'ECONNREFUSED' }, 'event-loop': { ok: true } },
    });
    telemetry.health.set('redis', { alive: true, ready: true, detail: 'answers' });
    telemetry.health.set('consumer', { alive: false, ready: false, detail: 'records are gone' });
    expect(await statuses()).toEqual([503, 503]);
    telemetry.health.set('consumer', { alive: true, ready: true, detail: 'has partitions' });
    eventLoop.isResponsive = false;
    expect(await statuses()).toEqual([503, 503]);
  });

  it('answers GET and HEAD only, and nothing else', async () => {
    const { ask } = await start();
    expect((await ask('/')).status).toBe(404);
    expect((await ask('/metrics/')).status).toBe(404);
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      const response = await ask('/metrics', method);
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    }
    const head = await ask('/health', 'HEAD');
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect(Number(head.headers.get('content-length'))).toBeGreaterThan(10);
  });

  it('bounds what is sent to it', async () => {
    const subject = await start();
    expect(
      await sendRaw(subject, `GET /health HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`),
    ).toMatch(/^HTTP\/1.1 431/);
    expect(await sendRaw(subject, 'nonsense\r\n\r\n')).toMatch(/^HTTP\/1.1 400/);
    // A client that never ends its headers is cut off.
    expect(await sendRaw(subject, 'GET /health HTTP/1.1\r\nhost: localhost\r\n')).toMatch(/^HTTP\/1.1 408/);
    expect((await subject.ask('/health')).status).toBe(200);
  });

  it.each(['', 'GET /metrics HTTP/1.1\r\nhost: loc'])(
    'answers while 200 clients have sent %j and hang',
    async (sent) => {
      const subject = await start();
      const hanging = await Promise.all(
        Array.from({ length: 200 }, async () => {
          const socket = connect(subject.server.port, '127.0.0.1');
          socket.on('error', () => undefined);
          await once(socket, 'connect');
          socket.write(sent);
          return socket;
        }),
      );
      for (let round = 0; round < 10; round += 1) {
        for (const path of ['/metrics', '/health', '/ready']) expect((await subject.ask(path)).status).toBe(200);
      }
      await until('the oldest were dropped', () => hanging.filter(({ closed }) => closed).length >= 200 - 64);
      for (const socket of hanging) socket.destroy();
    },
  );

  it('refuses requests for another host, and answers by address and by its given names', async () => {
    const subject = await start(0, ['engine-1', 'Engine.internal']);
    const { port } = subject.server;
    const statusOf = async (host: string) => {
      const answer = await sendRaw(subject, `GET /metrics HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
      return answer.split(' ')[1];
    };
    for (const host of [
      'localhost',
      `localhost:${port}`,
      '127.0.0.1',
      '[::1]:80',
      'ENGINE-1:9090',
      'engine.internal',
    ]) {
      expect([host, await statusOf(host)]).toEqual([host, '200']);
    }
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      '127.0.0.1.evil.example',
      'localhost.evil',
      '10.1.2.3',
      '[::2]',
      '',
    ]) {
      expect([host, await statusOf(host)]).toEqual([host, '421']);
    }
    expect(await sendRaw(subject, 'GET /ready HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n')).toMatch(
      /--http-names/,
    );
    expect(await sendRaw(subject, 'GET /ready HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1.1 200/);
  });

  it('answers to any address where it listens on all of them', () => {
    const isAllowed = allowedHosts('0.0.0.0', []);
    expect(['10.1.2.3:9090', '[fe80::1]:9090', 'localhost'].map(isAllowed)).toEqual([true, true, true]);
    expect(['evil.example', '10.1.2.3.evil.example', 'evil.example:9090'].map(isAllowed)).toEqual([
      false,
      false,
      false,
    ]);
  });

  it('says in a sentence that a port is in use', async () => {
    const { server } = await start();
    await expect(start(server.port)).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringMatching(/^Port \d+ of 127\.0\.0\.1 is in use: /) as string,
    });
  });

  it('closes while a client holds its connection', async () => {
    const { server } = await start();
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    const closed = once(socket, 'close');
    socket.resume();
    await server.close();
    await closed;
  });
});
