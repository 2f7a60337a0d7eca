import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A relay to a schema registry that records its requests: `METHOD /path status`, in order. */
export interface WitnessedRegistry {
  readonly url: string;
  readonly requests: readonly string[];
  close(): Promise<void>;
}

export async function witnessedRegistry(registryUrl: string): Promise<WitnessedRegistry> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const [method = 'GET', path = '/'] = [request.method, request.url];
      const hasBody = chunks.length > 0;
      void fetch(`${registryUrl}${path}`, {
        method,
        headers: { 'content-type': request.headers['content-type'] ?? 'application/json' },
        ...(hasBody ? { body: Buffer.concat(chunks) } : {}),
      }).then(async (answer) => {
        requests.push(`${method} ${path} ${answer.status}`);
        response.writeHead(answer.status, { 'content-type': 'application/json' });
        response.end(await answer.text());
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
