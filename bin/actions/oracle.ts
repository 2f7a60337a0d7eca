import Table from 'cli-table3';
import { isoTimeOf } from '../../contracts/iso-time.ts';
import { counted } from '../../platform/counted.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { createPool, withClient, type Client } from '../../platform/postgres.ts';
import type { JsonOption } from '../commands/options.ts';
import { connections, print } from '../context.ts';

/** Divergences that are listed; further ones are only counted. */
const LISTED_MAX = 20;

interface ResultRow {
  readonly instrument: string;
  readonly result: 'AGREES' | 'DIVERGES' | 'NOT_CHECKED';
  readonly reason: string | null;
  readonly snapshots: number;
  /** Microseconds. */
  readonly toTime: number;
}

interface DivergenceRow {
  readonly eventId: string;
  readonly instrument: string;
  readonly partition: number;
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly divergent: readonly string[];
  readonly field: string;
  readonly published: string;
  readonly recomputed: string;
}

interface OracleReport {
  readonly results: readonly ResultRow[];
  readonly divergences: readonly DivergenceRow[];
}

const RESULTS = `
  SELECT instrument, result, reason, snapshots::float8 AS snapshots,
         floor(extract(epoch FROM to_time) * 1000000)::float8 AS "toTime"
    FROM tapeproof.oracle_results ORDER BY instrument, result, reason`;
const DIVERGENCES = `
  SELECT event_id AS "eventId", instrument, partition, first_offset::float8 AS "firstOffset",
         last_offset::float8 AS "lastOffset", divergent, field, published, recomputed
    FROM tapeproof.oracle_checks WHERE result = 'DIVERGES' ORDER BY partition, sequence LIMIT ${LISTED_MAX}`;

/** @throws TapeproofError NOT_FOUND where nothing was checked yet; UNREACHABLE. */
export async function printOracle({ json }: JsonOption): Promise<void> {
  const pool = createPool(connections().postgresUrl, 'tapeproof-oracle');
  try {
    const report = await withClient(pool, reportOf);
    print(json, report, () => textOf(report));
    if (report.divergences.length > 0) process.exitCode = 1;
  } finally {
    void pool.end();
  }
}

async function reportOf(client: Client): Promise<OracleReport> {
  const { rows } = await client.query<{ present: string | null }>(
    `SELECT to_regclass('tapeproof.oracle_results') AS present`,
  );
  const results = rows[0]?.present == null ? [] : (await client.query<ResultRow>(RESULTS)).rows;
  if (results.length === 0) {
    throw new TapeproofError(
      'NOT_FOUND',
      'No snapshot was checked yet: run "npx tapeproof projector run oracle-check", and ask again once it has read some.',
    );
  }
  return { results, divergences: (await client.query<DivergenceRow>(DIVERGENCES)).rows };
}

function textOf({ results, divergences }: OracleReport): string {
  const total = (wanted: ResultRow['result']): number =>
    results.filter(({ result }) => result === wanted).reduce((sum, { snapshots }) => sum + snapshots, 0);
  const table = new Table({
    head: ['instrument', 'result', 'reason', 'snapshots', 'until'],
    style: { head: [], border: [] },
  });
  for (const { instrument, result, reason, snapshots, toTime } of results) {
    table.push([instrument, result, reason ?? '', snapshots.toLocaleString('en'), isoTimeOf(toTime)]);
  }
  const diverging = total('DIVERGES');
  return [
    `${counted(total('AGREES'), 'snapshot')} recomputed from the trades and equal, ${diverging.toLocaleString('en')} divergent, ${total('NOT_CHECKED').toLocaleString('en')} not checked.`,
    table.toString(),
    ...divergences.map(
      ({ eventId, partition, firstOffset, lastOffset, field, published, recomputed, divergent }) =>
        `✗ ${eventId}: ${field} ${published} is published, ${recomputed} recomputed from offsets ${firstOffset} to ${lastOffset} of partition ${partition}${divergent.length > 1 ? `; also ${divergent.slice(1).join(', ')}` : ''}`,
    ),
    ...(diverging > divergences.length
      ? [`and ${(diverging - divergences.length).toLocaleString('en')} more: table tapeproof.oracle_checks`]
      : []),
  ].join('\n');
}
