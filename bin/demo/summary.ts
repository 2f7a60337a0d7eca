import type { Connections } from '../../platform/connections.ts';
import { createKafka } from '../../platform/kafka/client.ts';
import { createLogReader } from '../../platform/kafka/log-reader.ts';
import { createRegistry } from '../../platform/kafka/registry.ts';
import { createTapeDecoder } from '../../platform/kafka/tape-decoder.ts';
import { partitionCount } from '../../platform/kafka/topics.ts';
import { createPool } from '../../platform/postgres.ts';
import { auditText } from '../../proofs/audit-text.ts';
import { audit } from '../../proofs/audit.ts';
import { EventLog } from '../../proofs/event-log.ts';
import { scoreboardText } from '../../proofs/scoreboard/scoreboard-text.ts';
import { scoreboard, type Scoreboard } from '../../proofs/scoreboard/scoreboard.ts';
import { tapeCountsText } from '../../proofs/set-aside-text.ts';
import { countTape, type TapeCounts } from '../../proofs/set-aside.ts';

export interface Summary extends Scoreboard {
  /** The events that the engine derived from the tape's trades. */
  readonly tape: TapeCounts;
  /** The number of trade records on the tape. */
  readonly tradesOnTape: number;
  /** Rows of Postgres by view. */
  readonly inPostgres: Readonly<Record<string, number>>;
  /** One resolved decision, audited. */
  readonly audit: string;
}

/** The events derived from the tape's trades, counted in Kafka and in Postgres, and one resolved decision audited. */
export async function summarise(where: Connections): Promise<Summary> {
  const reader = createLogReader(where.kafkaBrokers);
  const pool = createPool(where.postgresUrl, 'tapeproof-demo');
  try {
    const registry = createRegistry(where.registryUrl);
    const log = new EventLog(reader, registry);
    const partitions = await partitionCount(createKafka(where.kafkaBrokers, 'tapeproof-demo'));
    const access = { reader, registry, decode: createTapeDecoder(registry) };
    const board = await scoreboard(log, partitions);
    const inPostgres: Record<string, number> = {};
    for (const view of ['indicator_snapshots', 'strategy_evaluations', 'decisions', 'outcomes']) {
      const result = await pool.query<{ count: string }>(`SELECT count(*) FROM tapeproof.${view}`);
      inPostgres[view] = Number(result.rows[0]?.count);
    }
    const mostConfident = await pool.query<{ event_id: string }>(MOST_CONFIDENT);
    const id = mostConfident.rows[0]?.event_id;
    const report =
      id === undefined
        ? undefined
        : await audit(log, id, {
            listTrades: false,
            verifyWith: access,
          });
    return {
      ...board,
      tape: await countTape(access, partitions),
      tradesOnTape: await log.tradeCount(partitions),
      inPostgres,
      audit: report === undefined ? 'No decision is resolved yet.' : auditText(report),
    };
  } finally {
    await reader.close();
    await pool.end();
  }
}

/** The resolved decision with the greatest confidence; the latest of equals. */
const MOST_CONFIDENT = `
  SELECT decisions.event_id FROM tapeproof.decisions
  JOIN tapeproof.outcomes ON outcomes.forecast_id = decisions.event_id AND outcomes.verdict <> 'VOID'
  ORDER BY decisions.confidence DESC, decisions.event_time DESC, decisions.event_id COLLATE "C" LIMIT 1`;

export function summaryText(summary: Summary): string {
  const number = (value: number) => value.toLocaleString('en');
  const inPostgres = (view: string) => `(${number(summary.inPostgres[view] ?? 0)} in Postgres)`;
  return [
    `${number(summary.tradesOnTape)} trades on the tape → ${number(summary.events['indicator.snapshots'])} snapshots ${inPostgres('indicator_snapshots')}`,
    `  → ${number(summary.events['strategy.results'])} strategy results ${inPostgres('strategy_evaluations')}`,
    `  → ${number(summary.events['probability.decisions'])} decisions ${inPostgres('decisions')}`,
    `  → ${number(summary.events['decision.outcomes'])} outcomes ${inPostgres('outcomes')}`,
    '',
    scoreboardText(summary),
    ...tapeCountsText(summary.tape),
  ].join('\n');
}
