import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TapeproofError } from '../../platform/errors.ts';
import { parseContextConfiguration } from './context-configuration.ts';
import { textOfFeed } from './feed-text.adapter.ts';

const CANARY = 'canary-key';
let server: Server;
let address: string;
let folder: string;
let authorization: string | undefined;

function answer(request: IncomingMessage, response: ServerResponse): void {
  authorization = request.headers.authorization;
  const path = new URL(request.url ?? '', 'http://x').pathname;
  if (path === '/moved') response.writeHead(302, { location: '/feed' }).end();
  else if (path === '/busy') response.writeHead(429).end();
  else if (path === '/missing') response.writeHead(404).end('nothing here');
  else if (path === '/endless') response.end(Buffer.alloc(9 * 1024 * 1024, 'x'));
  else if (path === '/latin')
    response.setHeader('content-type', 'text/xml; charset=iso-8859-1').end(Buffer.from([0xfc]));
  else if (path === '/bytes') response.end(Buffer.from([0x4d, 0xfc]));
  else response.end('<rss/>');
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tapeproof-feed-'));
  server = createServer(answer).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

function read(from: string, more: object = {}, variables: Readonly<Record<string, string>> = {}): Promise<string> {
  const parsed = parseContextConfiguration({ feeds: [{ name: 'wire', from, ...more }] });
  if (typeof parsed === 'string') throw new Error(parsed);
  return textOfFeed(parsed.feeds[0]!, variables, new AbortController().signal);
}

async function failureOf(reading: Promise<string>): Promise<TapeproofError> {
  const error: unknown = await reading.catch((reason: unknown) => reason);
  if (!(error instanceof TapeproofError)) throw new Error('it did not fail as expected');
  return error;
}

describe('the text of a feed', () => {
  it('is requested, with the authorization that a variable holds', async () => {
    const variable = { authorizationVariable: 'WIRE_AUTHORIZATION' };
    expect(await read(`${address}/feed`)).toBe('<rss/>');
    expect(authorization).toBeUndefined();
    expect(await read(`${address}/feed`, variable, { WIRE_AUTHORIZATION: 'Bearer x' })).toBe('<rss/>');
    expect(authorization).toBe('Bearer x');
    expect(await failureOf(read(`${address}/feed`, variable))).toMatchObject({ code: 'CONFIGURATION' });
  });

  it.each([
    ['/missing', 'status 404'],
    ['/busy', 'fewer requests'],
    ['/moved', 'redirects'],
    ['/endless', 'too large'],
  ])('is not taken from %s, and no sentence has its address', async (path, words) => {
    const error = await failureOf(read(`${address}${path}?key=${CANARY}`));
    expect(error).toMatchObject({ code: 'UNREACHABLE' });
    expect(error.message).toContain(words);
    expect(error.message).not.toContain(CANARY);
  });

  it('is read in the encoding that it names, and refused where its bytes are not that', async () => {
    expect(await read(`${address}/latin`)).toBe('\u00fc');
    const file = join(folder, 'bytes.xml');
    await writeFile(file, Buffer.from([0x4d, 0xfc]));
    for (const from of [`${address}/bytes`, file]) {
      const error = await failureOf(read(from));
      expect(error).toMatchObject({ code: 'NOT_USABLE' });
      expect(error.message).toContain('not text in the encoding');
    }
  });

  it('is not taken from a server that is gone', async () => {
    const gone = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => gone.once('listening', resolve));
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    expect(await failureOf(read(`http://127.0.0.1:${port}/`))).toMatchObject({ code: 'UNREACHABLE' });
  });

  it('is read from a file of bounded size', async () => {
    const path = join(folder, 'feed.xml');
    await writeFile(path, '<rss/>');
    expect(await read(path)).toBe('<rss/>');
    await truncate(path, 9 * 1024 * 1024);
    expect(await failureOf(read(path))).toMatchObject({ code: 'NOT_USABLE' });
    expect(await failureOf(read(join(folder, 'none.xml')))).toMatchObject({ code: 'USAGE' });
    expect(await failureOf(read(folder))).toMatchObject({ code: 'USAGE' });
  });
});
