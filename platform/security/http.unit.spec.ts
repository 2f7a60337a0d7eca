import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { requestHttp, type HttpRequest } from './http.ts';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A server that counts its connections. */
async function serve(answer: RequestListener): Promise<{ readonly url: string; readonly connections: () => number }> {
  let connections = 0;
  const server = createServer(answer);
  server.on('connection', () => (connections += 1));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, connections: () => connections };
}

function ask(url: string, more: Partial<HttpRequest> = {}) {
  return requestHttp(url, { method: 'POST', headers: {}, body: 'asked', deadlineMs: 5_000, tls: {}, ...more });
}

describe('a request over HTTP', () => {
  it('has a connection for itself, or that of the request before', async () => {
    const { url, connections } = await serve((_request, response) => response.end('answered'));
    for (let count = 0; count < 3; count += 1) expect((await ask(url)).text).toBe('answered');
    expect(connections()).toBe(3);
    for (let count = 0; count < 3; count += 1) await ask(url, { keepsConnection: true });
    expect(connections()).toBe(4);
  });

  it('is sent again where a kept connection has ended, with all that it contains', async () => {
    let isClosing = false;
    const received: string[] = [];
    const { url, connections } = await serve((request, response) => {
      if (isClosing) {
        isClosing = false;
        request.socket.resetAndDestroy();
        return;
      }
      request.on('data', (bytes: Buffer) => received.push(bytes.toString()));
      request.on('end', () => response.end(request.headers['x-header']));
    });
    const kept = { keepsConnection: true, headers: { 'x-header': 'named' } };
    await ask(url, kept);
    isClosing = true;
    expect(await ask(url, kept)).toMatchObject({ status: 200, text: 'named' });
    expect(received).toEqual(['asked', 'asked']);
    expect(connections()).toBe(2);
  });

  it('fails where a new connection ends without an answer', async () => {
    const { url, connections } = await serve((request) => request.socket.resetAndDestroy());
    await expect(ask(url, { keepsConnection: true })).rejects.toThrow('ECONNRESET');
    expect(connections()).toBe(1);
  });

  it('says that no answer came, and leaves no connection that waits for it', async () => {
    const { url, connections } = await serve(() => undefined);
    const impatient = { keepsConnection: true, deadlineMs: 50 };
    await expect(ask(url, impatient)).rejects.toThrow('no answer within 0.05 s');
    await expect(ask(url, impatient)).rejects.toThrow('no answer within 0.05 s');
    expect(connections()).toBe(2);
  });
});
