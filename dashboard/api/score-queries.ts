import { SCORE_ROWS_MAX, type ScoresQuery, type ScoreSpansQuery } from '../contract/scores.ts';
import type { Spans, StoredBin, StoredGroup, StoredScore, StoredSpan } from './read-models.ts';
import { numberOf, timeOf, usOf, type Ask, type Row } from './sql.ts';

const GROUP = ['instrument', 'forecast', 'hit_rule_kind', 'horizon_ms', 'least_move', 'config_hash', 'engine_version'];
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

function groupOf(row: Row): StoredGroup {
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

/** Σ w·(p − o)² of one of an outcome's probabilities. */
const lossOf = (column: string): string => {
  const miss = `(${column} - CASE verdict WHEN 'HIT' THEN 1 ELSE 0 END)`;
  return `coalesce(sum(overlap_weight * ${miss} * ${miss}), 0)`;
};

const SPAN_SUMS = `count(*) AS n, count(reference_rate) AS referenced, coalesce(sum(overlap_weight), 0) AS weight,
  coalesce(sum(overlap_weight) FILTER (WHERE verdict = 'HIT'), 0) AS hit_weight, ${lossOf('probability')} AS published_loss,
  ${lossOf('reference_rate')} AS reference_loss, ${lossOf('raw_probability')} AS raw_loss,
  ${lossOf('calibrated_probability')} AS calibrated_loss`;

/** Hits and misses of an instrument's forecast; its configuration, and its horizon in milliseconds. */
const COUNTED = `instrument = $1 AND coalesce(strategy, 'DECISION') = $2 AND verdict <> 'VOID'`;
const CONFIGURATION = 'coalesce(forecast_config_hash, config_hash)';
const HORIZON_MS = '(extract(epoch FROM due_time - forecast_time) * 1000)::bigint';
const OF_GROUP = `FROM tapeproof.outcomes WHERE ${COUNTED} AND ${CONFIGURATION} = $3 AND ${HORIZON_MS} = $4`;

export async function readScoreSpans(
  ask: Ask,
  instrument: string,
  { forecast, configHash, horizonMs, fromUs, toUs, limit }: ScoreSpansQuery,
): Promise<Spans | undefined> {
  const [chosen] = await ask(
    `SELECT ${CONFIGURATION} AS hash, ${HORIZON_MS} AS horizon FROM tapeproof.outcomes
      WHERE ${COUNTED} AND ($3::text IS NULL OR ${CONFIGURATION} = $3) AND ($4::bigint IS NULL OR ${HORIZON_MS} = $4)
      ORDER BY event_time DESC LIMIT 1`,
    [instrument, forecast, configHash ?? null, horizonMs ?? null],
  );
  if (chosen === undefined) return undefined;
  const group = [instrument, forecast, chosen['hash'], chosen['horizon']];
  const [ends] = await ask(
    `SELECT ${usOf('min(event_time)')} AS first, ${usOf('max(event_time)')} AS last ${OF_GROUP}`,
    group,
  );
  const from = fromUs ?? Number(ends?.['first']);
  const to = Math.max(toUs ?? Number(ends?.['last']) + 1, from + 1);
  const spanUs = Math.ceil((to - from) / limit);
  const rows = await ask(
    `SELECT CASE WHEN event_time < ${timeOf('$5')} THEN -1
                 ELSE (${usOf('event_time')} - $5::bigint) / $6::bigint END AS number, ${SPAN_SUMS}
       ${OF_GROUP} AND event_time < ${timeOf('$7')} GROUP BY number ORDER BY number`,
    [...group, from, spanUs, to],
  );
  const all = rows.map(spanOf);
  return {
    configHash: chosen['hash'] ?? '',
    horizonMs: Number(chosen['horizon']),
    fromUs: from,
    spanUs,
    before: all.find(({ index }) => index < 0) ?? NOTHING,
    spans: all.filter(({ index }) => index >= 0),
  };
}

const NOTHING: Omit<StoredSpan, 'index'> = {
  n: 0,
  weight: 0,
  hitWeight: 0,
  publishedLoss: 0,
  referenceLoss: 0,
  rawLoss: 0,
  calibratedLoss: 0,
  referenced: 0,
};

function spanOf(row: Row): StoredSpan {
  return {
    index: Number(row['number']),
    n: Number(row['n']),
    weight: Number(row['weight']),
    hitWeight: Number(row['hit_weight']),
    publishedLoss: Number(row['published_loss']),
    referenceLoss: Number(row['reference_loss']),
    rawLoss: Number(row['raw_loss']),
    calibratedLoss: Number(row['calibrated_loss']),
    referenced: Number(row['referenced']),
  };
}
