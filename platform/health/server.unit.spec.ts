import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { parsePrometheus } from '../../tests/support/prometheus-text.ts';
import { unobserved, type Observation } from '../observation.ts';
import { startHealthServer, type HealthServer } from './server.ts';

const open: HealthServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

interface Subject {
  readonly observation: Observation;
  readonly server: HealthServer;
  readonly eventLoop: { delayMs: number; isResponsive: boolean; close(): void };
  readonly ask: (path: string, method?: string) => Promise<Response>;
}

async function start(port = 0): Promise<Subject> {
  const observation = unobserved();
  const eventLoop = { delayMs: 1, isResponsive: true, close: () => undefined };
  const server = await startHealthServer({ service: 'engine', host: '127.0.0.1', port, observation, eventLoop });
  open.push(server);
  const ask = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${server.port}${path}`, { method });
  return { observation, server, eventLoop, ask };
}

/** Sends bytes as they are, and returns all that comes back. */
async function sendRaw({ server }: Subject, bytes: string): Promise<string> {
  const socket = connect(server.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(bytes);
  return await text(socket);
}

describe('the health server', () => {
  it('answers /metrics as a scraper reads them', async () => {
    const { ask, observation } = await start();
    observation.metrics.set('tapeproof_dependency_up', { dependency: 'kafka' }, 1);
    const response = await ask('/metrics?name=any');
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(parsePrometheus(await response.text()).get('tapeproof_dependency_up')?.samples).toMatchObject([
      { labels: { dependency: 'kafka' }, value: 1 },
    ]);
  });

  it('tells alive from ready', async () => {
    const { ask, observation, eventLoop } = await start();
    const statuses = async () => [(await ask('/health')).status, (await ask('/ready')).status];
    observation.health.set('consumer', { alive: true, ready: true, detail: 'has partitions' });
    expect(await statuses()).toEqual([200, 200]);
    observation.health.set('redis', { alive: true, ready: false, detail: 'ECONNREFUSED' });
    expect(await statuses()).toEqual([200, 503]);
    const body: unknown = await (await ask('/ready')).json();
    expect(body).toMatchObject({
      status: 'failing',
      service: 'engine',
      checks: { consumer: { ok: true }, redis: { ok: false, detail: 'ECONNREFUSED' }, 'event-loop': { ok: true } },
    });
    observation.health.set('redis', { alive: true, ready: true, detail: 'answers' });
    observation.health.set('consumer', { alive: false, ready: false, detail: 'records are gone' });
    expect(await statuses()).toEqual([503, 503]);
    observation.health.set('consumer', { alive: true, ready: true, detail: 'has partitions' });
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
    expect(await sendRaw(subject, `GET /health HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 431/,
    );
    expect(await sendRaw(subject, 'nonsense\r\n\r\n')).toMatch(/^HTTP\/1.1 400/);
    // A client that never ends its headers is cut off.
    expect(await sendRaw(subject, 'GET /health HTTP/1.1\r\nhost: a\r\n')).toMatch(/^HTTP\/1.1 408/);
    expect((await subject.ask('/health')).status).toBe(200);
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
