import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { binance } from '../venues/binance/venue.ts';
import { RETRY_AFTER_MS_MAX } from './backoff.ts';
import { get, type RestAnswer } from './rest-client.adapter.ts';

/** The result of one request that a server answers with this. */
async function answerTo(
  status: number,
  retryAfter: string,
  waitStatuses: readonly number[] | undefined,
): Promise<RestAnswer> {
  const server = createServer((_, response) => response.writeHead(status, { 'retry-after': retryAfter }).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await get(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, {
      usedWeightHeader: undefined,
      limits: waitStatuses === undefined ? {} : { waitStatuses },
      timeoutMs: 5_000,
      signal: new AbortController().signal,
    });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

it('conceals in the words of a venue, before they are shortened', async () => {
  const secret = 's3cr3t'.repeat(10);
  const server = createServer((_request, response) => {
    response.writeHead(500).end(`${'x'.repeat(170)}${secret}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const answer = await get(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, {
    ...{ usedWeightHeader: undefined, limits: {}, timeoutMs: 5_000, signal: new AbortController().signal },
    conceal: (text) => text.replaceAll(secret, '[concealed]'),
  });
  server.close();
  expect(answer).toEqual({ outcome: 'failed', status: 500, detail: `${'x'.repeat(170)}[concealed]` });
});

it.each([301, 302, 303, 307, 308])('sends an account nowhere else, whatever a redirect %i says', async (status) => {
  const received: unknown[] = [];
  const listening = async (server: Server): Promise<string> => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  };
  const elsewhere = createServer(({ headers }, response) => {
    received.push(headers['apca-api-secret-key']);
    response.end('{}');
  });
  const location = await listening(elsewhere);
  const venue = createServer((_request, response) => response.writeHead(status, { location }).end());
  const answer = await get(await listening(venue), {
    ...{ usedWeightHeader: undefined, limits: {}, timeoutMs: 5_000, signal: new AbortController().signal },
    headers: { 'apca-api-secret-key': 'a secret' },
  });
  for (const server of [venue, elsewhere]) {
    server.closeAllConnections();
    server.close();
  }
  expect([answer.outcome, received]).toEqual(['failed', []]);
});

describe('a request that is refused', () => {
  it.each([
    [429, '9999999', RETRY_AFTER_MS_MAX],
    [429, '2', 2_000],
    [429, 'soon', 60_000],
  ])('with HTTP %i and Retry-After %j waits at any venue, a day at most', async (status, retryAfter, retryAfterMs) => {
    expect(await answerTo(status, retryAfter, undefined)).toEqual({ outcome: 'rate-limited', status, retryAfterMs });
  });

  it('with a status of the venue waits there, and nowhere else', async () => {
    const { waitStatuses } = binance.limits;
    const retryAfter = 'Thu, 01 Jan 2099 00:00:00 GMT';
    const banned = { outcome: 'rate-limited', status: 418, retryAfterMs: RETRY_AFTER_MS_MAX };
    expect(await answerTo(418, retryAfter, waitStatuses)).toEqual(banned);
    expect(await answerTo(418, retryAfter, undefined)).toMatchObject({ outcome: 'failed', status: 418 });
  });
});
