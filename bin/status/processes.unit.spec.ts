import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { stateOf, type ProcessState } from './processes.ts';

const READY = JSON.stringify({ checks: { consumer: { ok: true, detail: 'reads 6 partitions' } } });
const METRICS = `# TYPE tapeproof_consumer_rebalances_total counter
tapeproof_consumer_rebalances_total{group="tapeproof.scores.g1"} 3
tapeproof_consumer_rebalances_total{group="tapeproof.scores.g2"} 1
tapeproof_consumer_lag_records{group="tapeproof.scores.g2"} 7
`;

async function stateBehind(answer: RequestListener): Promise<ProcessState> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    return await stateOf({ name: 'scores', host: '127.0.0.1', port });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

it('a process says whether it is ready, and how often its groups were rebalanced', async () => {
  const state = await stateBehind((request, response) => response.end(request.url === '/ready' ? READY : METRICS));
  expect(state).toMatchObject({ ready: true, detail: 'consumer: reads 6 partitions', rebalances: 4 });
});

it('a process without a consumer has no rebalances', async () => {
  const state = await stateBehind((request, response) => response.end(request.url === '/ready' ? READY : 'up 1\n'));
  expect(state).toMatchObject({ ready: true, rebalances: null });
});

it('metrics that fail make no process unready', async () => {
  const state = await stateBehind((request, response) => {
    if (request.url === '/ready') response.end(READY);
    else response.destroy();
  });
  expect(state).toMatchObject({ ready: true, rebalances: null });
});

it('a process that does not answer is not ready', async () => {
  const state = await stateBehind((_request, response) => response.destroy());
  expect(state).toMatchObject({ ready: false, rebalances: null });
});
