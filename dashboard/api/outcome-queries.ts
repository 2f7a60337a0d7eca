import { SCORE_ROWS_MAX, type ScoreSpansQuery, type SkillQuery } from '../contract/scores.ts';
import type { Spans, StoredSkill, StoredSpan } from './read-models.ts';
import { GROUP, groupOf } from './score-queries.ts';
import { timeOf, usOf, type Ask, type Row } from './sql.ts';

/** Σ w·(p − o)² of one of an outcome's probabilities. */
const lossOf = (column: string): string => {
  const miss = `(${column} - CASE verdict WHEN 'HIT' THEN 1 ELSE 0 END)`;
  return `coalesce(sum(overlap_weight * ${miss} * ${miss}), 0)`;
};

const SPAN_SUMS = `count(*) AS n, count(reference_rate) AS referenced, coalesce(sum(overlap_weight), 0) AS weight,
  coalesce(sum(overlap_weight) FILTER (WHERE verdict = 'HIT'), 0) AS hit_weight, ${lossOf('probability')} AS published_loss,
  ${lossOf('reference_rate')} AS reference_loss, ${lossOf('raw_probability')} AS raw_loss,
  ${lossOf('calibrated_probability')} AS calibrated_loss`;

/** The group of an outcome, by the columns of the projector `scores`, which counts them alike. */
const GROUP_OF_OUTCOME: Readonly<Record<string, string>> = {
  instrument: 'instrument',
  forecast: `coalesce(strategy, 'DECISION')`,
  hit_rule_kind: `coalesce(hit_rule_kind, 'MOVE')`,
  horizon_ms: '(extract(epoch FROM due_time - forecast_time) * 1000)::bigint',
  least_move: `CASE WHEN min_move_points IS NOT NULL THEN min_move_points || ' points'
                    WHEN min_move_bps IS NOT NULL THEN trim_scale(min_move_bps::numeric) || ' bp' ELSE '' END`,
  config_hash: 'coalesce(forecast_config_hash, config_hash)',
  engine_version: 'coalesce(forecast_engine_version, engine_version)',
};
/** Hits and misses of an instrument, with their groups. */
const COUNTED = `SELECT ${GROUP.map((name) => `${GROUP_OF_OUTCOME[name] ?? ''} AS ${name}`).join(', ')}, sequence, event_time,
    verdict, probability, reference_rate, raw_probability, calibrated_probability, overlap_weight
   FROM tapeproof.outcomes WHERE instrument = $1 AND verdict <> 'VOID'`;
/** As many as the batch means of the scoreboard keep. */
const BLOCKS = 64;

/** Every hit and miss of the instrument is read: where that takes too long, `tapeproof scoreboard` has the figures. */
export async function readSkills(
  ask: Ask,
  instrument: string,
  { configHash }: SkillQuery,
): Promise<{ readonly rows: readonly StoredSkill[]; readonly total: number }> {
  const group = GROUP.join(', ');
  const weight = 'coalesce(overlap_weight, 0)';
  // A block is at least one horizon long, like a batch's smallest part.
  const rows = await ask(
    `WITH placed AS (
       SELECT *, sum(${weight}) OVER (PARTITION BY ${group} ORDER BY sequence) - ${weight} / 2 AS middle,
              sum(${weight}) OVER (PARTITION BY ${group}) AS total_weight,
              dense_rank() OVER (ORDER BY ${group}) AS number
         FROM (${COUNTED}) AS counted WHERE $2::text IS NULL OR config_hash = $2)
     SELECT ${group}, number, floor(middle * ${BLOCKS} / greatest(total_weight, ${BLOCKS})) AS block, ${SPAN_SUMS},
            (SELECT max(number) FROM placed) AS total
       FROM placed WHERE number <= ${SCORE_ROWS_MAX} GROUP BY ${group}, number, block ORDER BY number, block`,
    [instrument, configHash ?? null],
  );
  const groups = Map.groupBy(rows, (row) => row['number'] ?? '');
  return {
    rows: [...groups.values()].map((blocks) => ({
      group: groupOf(blocks[0] ?? {}),
      n: blocks.reduce((sum, row) => sum + Number(row['n']), 0),
      referenced: blocks.reduce((sum, row) => sum + Number(row['referenced']), 0),
      blocks: blocks.map((row) => {
        const [published, reference] = [Number(row['published_loss']), Number(row['reference_loss'])];
        return [Number(row['weight']), reference - published, reference] as const;
      }),
    })),
    total: Number(rows[0]?.['total'] ?? 0),
  };
}

export async function readScoreSpans(
  ask: Ask,
  instrument: string,
  { forecast, hitRuleKind, horizonMs, leastMove, configHash, engineVersion, fromUs, toUs, limit }: ScoreSpansQuery,
): Promise<Spans | undefined> {
  const [chosen] = await ask(
    `SELECT * FROM (${COUNTED}) AS counted
      WHERE forecast = $2 AND ($3::text IS NULL OR hit_rule_kind = $3) AND ($4::bigint IS NULL OR horizon_ms = $4)
        AND ($5::text IS NULL OR least_move = $5) AND ($6::text IS NULL OR config_hash = $6)
        AND ($7::text IS NULL OR engine_version = $7)
      ORDER BY event_time DESC, sequence DESC LIMIT 1`,
    [instrument, forecast, hitRuleKind, horizonMs, leastMove, configHash, engineVersion].map((value) => value ?? null),
  );
  if (chosen === undefined) return undefined;
  const group = GROUP.map((name) => chosen[name]);
  const ofGroup = `FROM (${COUNTED}) AS counted WHERE ${GROUP.map((name, at) => `${name} = $${at + 1}`).join(' AND ')}`;
  const [ends] = await ask(
    `SELECT ${usOf('min(event_time)')} AS first, ${usOf('max(event_time)')} AS last ${ofGroup}`,
    group,
  );
  const from = fromUs ?? Number(ends?.['first']);
  const to = Math.max(toUs ?? Number(ends?.['last']) + 1, from + 1);
  const spanUs = Math.ceil((to - from) / limit);
  const [begin, span, end] = [1, 2, 3].map((place) => `$${GROUP.length + place}`);
  const rows = await ask(
    `SELECT CASE WHEN event_time < ${timeOf(begin ?? '')} THEN -1
                 ELSE (${usOf('event_time')} - ${begin}::bigint) / ${span}::bigint END AS number, ${SPAN_SUMS}
       ${ofGroup} AND event_time < ${timeOf(end ?? '')} GROUP BY number ORDER BY number`,
    [...group, from, spanUs, to],
  );
  const all = rows.map(spanOf);
  return {
    group: groupOf(chosen),
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
