import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A stand-in for the registry: the real one, or one that gives other ids, or lacks some. */
export interface ReplacedRegistry {
  readonly url: string;
  /** From now on the ids change places in pairs: `[[1, 2]]` gives 1 the meaning of 2, and 2 that of 1. */
  swap(pairs: readonly (readonly [number, number])[]): void;
  /** From now on it does not know these ids. */
  hide(ids: readonly number[]): void;
  /** From now on it is empty: it knows neither ids nor subjects. */
  empty(): void;
  /** From now on it is the real one. */
  mend(): void;
  close(): Promise<void>;
}

const UNKNOWN_ID = { error_code: 40403, message: 'Schema not found' };
const UNKNOWN_SUBJECT = { error_code: 40401, message: 'Subject not found' };

export async function replacedRegistry(registryUrl: string): Promise<ReplacedRegistry> {
  let swapped = new Map<number, number>();
  let hidden = new Set<number>();
  let isEmpty = false;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = 'GET', url = '/' } = request;
      const asked = Number(/^\/schemas\/ids\/(\d+)/.exec(url)?.[1] ?? 0);
      const isHidden = asked > 0 && (isEmpty || hidden.has(asked));
      const isGone = isEmpty && url.startsWith('/subjects/');
      if (isHidden || isGone) {
        response.writeHead(404, { 'content-type': 'application/json' });
        response.end(JSON.stringify(isHidden ? UNKNOWN_ID : UNKNOWN_SUBJECT));
        return;
      }
      const path = asked > 0 ? url.replace(`/ids/${asked}`, `/ids/${swapped.get(asked) ?? asked}`) : url;
      void fetch(`${registryUrl}${path}`, {
        method,
        headers: { 'content-type': request.headers['content-type'] ?? 'application/json' },
        ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}),
      }).then(async (answer) => {
        const text = await answer.text();
        response.writeHead(answer.status, { 'content-type': 'application/json' });
        // A look-up of a schema under its subject returns its id here.
        response.end(text.replace(/"id":(\d+)/, (_, id) => `"id":${swapped.get(Number(id)) ?? String(id)}`));
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const mend = (): void => {
    swapped = new Map();
    hidden = new Set();
    isEmpty = false;
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    swap(pairs) {
      mend();
      swapped = new Map(pairs.flatMap(([left, right]) => [[left, right] as const, [right, left] as const]));
    },
    hide(ids) {
      mend();
      hidden = new Set(ids);
    },
    empty() {
      mend();
      isEmpty = true;
    },
    mend,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
