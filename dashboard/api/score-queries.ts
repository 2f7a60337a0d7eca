import { SCORE_ROWS_MAX, type ScoresQuery } from '../contract/scores.ts';
import type { StoredBin, StoredGroup, StoredScore } from './read-models.ts';
import { numberOf, type Ask, type Row } from './sql.ts';

/** The columns of a group, as the projector names them. */
export const GROUP = [
  'instrument',
  'forecast',
  'hit_rule_kind',
  'horizon_ms',
  'least_move',
  'config_hash',
  'engine_version',
];
const GROUP_COLUMNS = GROUP.join(', ');

export async function readScores(
  ask: Ask,
  query: ScoresQuery,
): Promise<{ readonly rows: readonly StoredScore[]; readonly total: number }> {
  const { conditions, values } = conditionsOf(query);
  const rows = await ask(
    `SELECT *, count(*) OVER () AS total FROM tapeproof.scores ${conditions}
      ORDER BY ${GROUP_COLUMNS} LIMIT ${SCORE_ROWS_MAX}`,
    values,
  );
  return { rows: rows.map(scoreOf), total: Number(rows[0]?.['total'] ?? 0) };
}

export async function readBins(
  ask: Ask,
  query: ScoresQuery,
): Promise<{ readonly rows: readonly StoredBin[]; readonly total: number }> {
  const { conditions, values } = conditionsOf(query);
  const rows = await ask(
    `WITH grouped AS (
       SELECT ${GROUP_COLUMNS}, bin, sum(n) AS n, sum(weight) AS weight, sum(hit_weight) AS hit_weight,
              sum(published_sum) AS published_sum, dense_rank() OVER (ORDER BY ${GROUP_COLUMNS}) AS number
         FROM tapeproof.score_bins ${conditions} GROUP BY ${GROUP_COLUMNS}, bin)
     SELECT *, (SELECT max(number) FROM grouped) AS total FROM grouped
      WHERE number <= ${SCORE_ROWS_MAX} ORDER BY number, bin`,
    values,
  );
  return {
    rows: rows.map((row) => ({
      ...groupOf(row),
      bin: Number(row['bin']),
      n: Number(row['n']),
      weight: Number(row['weight']),
      hitWeight: Number(row['hit_weight']),
      publishedSum: Number(row['published_sum']),
    })),
    total: Number(rows[0]?.['total'] ?? 0),
  };
}

function conditionsOf({ instrument, forecast }: ScoresQuery): {
  readonly conditions: string;
  readonly values: readonly string[];
} {
  const values: string[] = [];
  const conditions: string[] = [];
  if (instrument !== undefined) conditions.push(`instrument = $${values.push(instrument)}`);
  if (forecast !== undefined) conditions.push(`forecast = $${values.push(forecast)}`);
  return { conditions: conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`, values };
}

export function groupOf(row: Row): StoredGroup {
  return {
    instrument: row['instrument'] ?? '',
    forecast: row['forecast'] ?? '',
    hitRuleKind: row['hit_rule_kind'] as StoredGroup['hitRuleKind'],
    horizonMs: Number(row['horizon_ms']),
    leastMove: row['least_move'] ?? '',
    configHash: row['config_hash'] ?? '',
    engineVersion: row['engine_version'] ?? '',
  };
}

function scoreOf(row: Row): StoredScore {
  return {
    ...groupOf(row),
    hits: Number(row['hits']),
    misses: Number(row['misses']),
    voids: Number(row['voids']),
    effectiveN: Number(row['effective_n']),
    hitRate: numberOf(row['hit_rate']),
    meanPublished: numberOf(row['mean_published']),
    referenceRate: numberOf(row['reference_rate']),
    brierPublished: numberOf(row['brier_published']),
    brierReference: numberOf(row['brier_reference']),
    logLossPublished: numberOf(row['log_loss_published']),
    skillAgainstReference: numberOf(row['skill_against_reference']),
    regret: numberOf(row['regret']),
  };
}
