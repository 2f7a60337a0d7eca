/**
 * Measures an anchor of a large state: `npm run bench:anchors`, with `-- --trades 1200000`. Needs no services.
 */
import { parseArgs } from 'node:util';
import { encodeBody, FINGERPRINTS } from '../contracts/codec.ts';
import { parseConfiguration } from '../evaluators/configuration.ts';
import { activationOf } from '../evaluators/derive.ts';
import { createPartitionTask } from '../evaluators/partition-task.ts';
import { syntheticTrades } from './trades.ts';

const TRADES = 1_200_000;
/** So that nearly all forecasts stay pending: they are what makes a state large. */
const HORIZON_MS = 604_800_000;
const TRADES_PER_SECOND = 8;
const INTERVAL_RECORDS = 50_000;
const NO_BODY = Buffer.alloc(0);
const BYTES_PER_MEGABYTE = 1_000_000;

const { values } = parseArgs({ options: { trades: { type: 'string', default: String(TRADES) } } });
const configuration = parseConfiguration({
  anchorIntervalRecords: INTERVAL_RECORDS,
  hitRules: [{ horizonMs: HORIZON_MS }],
});
const activation = activationOf(configuration, { tapeId: 'bench', activationId: 'bench', gitCommit: 'unknown' });
const task = createPartitionTask(0);
task.advance({
  ...{ partition: 0, offset: 0 },
  content: {
    ...{ kind: 'activation', activation, fingerprint: FINGERPRINTS.EngineActivated },
    body: encodeBody('EngineActivated', activation),
  },
});
const rows: Record<string, number>[] = [];
let stateBytes = 0;
for (const trade of syntheticTrades(Number(values.trades), TRADES_PER_SECOND)) {
  const startedAt = performance.now();
  const { anchor } = task.advance({
    ...{ partition: 0, offset: task.nextOffset },
    content: { kind: 'trade', trade, fingerprint: FINGERPRINTS.Trade, body: NO_BODY },
  });
  if (anchor === undefined) continue;
  const written = [...anchor.pages, ...anchor.chunks].reduce((sum, { body }) => sum + body.length, 0);
  stateBytes += written;
  rows.push({
    'tape offset': task.nextOffset,
    ms: Math.round(performance.now() - startedAt),
    'MB written': Number((written / BYTES_PER_MEGABYTE).toFixed(2)),
    'MB head': Number((anchor.manifest.stateBytes / BYTES_PER_MEGABYTE).toFixed(3)),
    'pages written': anchor.pages.length,
    'pages held': anchor.origins.size,
  });
}
console.table(rows.slice(-10));
console.log(`${(stateBytes / BYTES_PER_MEGABYTE).toFixed(1)} MB written by ${rows.length} anchors.`);
