/**
 * A separate process that ingests a file, for tests that kill it: `ingest-process.ts <path> <connections as JSON>`.
 * Writes the number of trades that Kafka has acknowledged, one number per line.
 */
import type { Connections } from '../../platform/connections.ts';
import { createLog } from '../../platform/log.ts';
import { ingestFile } from '../../producers/main.ts';

const [path = '', connections = ''] = process.argv.slice(2);
await ingestFile({
  path,
  speed: 'max',
  connections: JSON.parse(connections) as Connections,
  log: createLog('ingest', 'silent'),
  signal: new AbortController().signal,
  progress: ({ phase, trades }) => {
    if (phase === 'append') process.stdout.write(`${trades}\n`);
  },
});
