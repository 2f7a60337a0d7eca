/**
 * Beside a process that is scaled by its lag on ECS, in the same task and image: has CloudWatch know that lag.
 * `node deploy/cloudwatch/lag.ts SERVICE METRIC ADDRESS_OF_METRICS`. Imports nothing else of the repository: only this folder is in the image.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { lagLine } from './lag-line.ts';

const EVERY_MS = 15_000;
const ANSWER_MS_MAX = 5_000;

const [service = '', metric = '', address = ''] = process.argv.slice(2);
// The first process of a container is not ended by a signal that it does not handle.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit());
while (true) {
  const exposition = await fetch(address, { signal: AbortSignal.timeout(ANSWER_MS_MAX) }).then(
    (response) => response.text(),
    () => '',
  );
  const line = lagLine(exposition, metric, service, Date.now());
  if (line !== undefined) process.stdout.write(`${line}\n`);
  await sleep(EVERY_MS);
}
