import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { RETRY_AFTER_MS_MAX } from './backoff.ts';
import { ask } from './history-client.adapter.ts';

describe('a request that is refused', () => {
  it.each([
    [429, '9999999', RETRY_AFTER_MS_MAX],
    [418, 'Thu, 01 Jan 2099 00:00:00 GMT', RETRY_AFTER_MS_MAX],
    [429, '2', 2_000],
    [429, 'soon', 60_000],
  ])('with HTTP %i and Retry-After %j waits, a day at most', async (status, retryAfter, retryAfterMs) => {
    const server = createServer((_, response) => response.writeHead(status, { 'retry-after': retryAfter }).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
      const answer = await ask(url, undefined, 5_000, new AbortController().signal);
      expect(answer).toEqual({ outcome: 'rate-limited', status, retryAfterMs });
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
