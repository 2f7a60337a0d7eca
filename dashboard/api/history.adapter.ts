import { withDeadline } from '../../platform/deadline.ts';
import { createReaderPool, withClient } from '../../platform/postgres.ts';
import type { Decision, DecisionsQuery, DecisionStatus } from '../contract/decisions.ts';
import { SPARKLINE_PRICES_MAX, type SparklinePoint } from '../contract/instruments.ts';
import type { LedgerEntry, TradeGap } from '../contract/pipeline.ts';
import type { SeriesPoint } from '../contract/series.ts';
import { Bounded } from './bounded.ts';
import { fromStore, storeDown } from './problems.ts';
import type { StoredRebuild } from './pipeline-answer.ts';
import type { DecisionPosition, History, LatestSnapshot, PlacedDecision } from './read-models.ts';
import { numberOf, timeOf, usOf, type Ask, type Row } from './sql.ts';
import { readScoreSpans, readSkills } from './outcome-queries.ts';
import { readBins, readScores } from './score-queries.ts';

/** The server gives up a statement after this long. */
export const STATEMENT_TIMEOUT_MS = 5_000;
/** For a server that does not even do that. */
const QUERY_DEADLINE_MS = STATEMENT_TIMEOUT_MS + 2_000;
/** Under way and waiting for a connection. */
const QUERIES_MAX = 64;
const GAPS_MAX = 50;
const ACTIVATION_PLACES_MAX = 600;
const US_PER_MS = 1_000;

/** A place on the tape where an activation is. */
export interface ActivationPlace {
  readonly partition: number;
  readonly offset: number;
}

/** The history, and the parts of the pipeline's state that Postgres has. */
export interface RunningHistory extends History {
  readonly activationPlaces: () => Promise<readonly ActivationPlace[]>;
  readonly ledger: () => Promise<readonly LedgerEntry[]>;
  readonly rebuilds: () => Promise<readonly StoredRebuild[]>;
  readonly newestGaps: () => Promise<readonly TradeGap[]>;
  close(): Promise<void>;
}

/** Reads the stable views of Postgres, in sessions that cannot write. */
export function readHistory(postgresUrl: string): RunningHistory {
  const pool = createReaderPool(postgresUrl, 'tapeproof-dashboard', STATEMENT_TIMEOUT_MS);
  const queries = new Bounded('queries', QUERIES_MAX);
  const ask: Ask = (sql, values = []) =>
    fromStore('postgres', STATEMENT_TIMEOUT_MS, () =>
      withDeadline(
        queries.run(() => withClient(pool, async (client) => (await client.query<Row>(sql, [...values])).rows)),
        QUERY_DEADLINE_MS,
        () => storeDown('postgres'),
      ),
    );
  return {
    sparklines: (instruments) => readSparklines(ask, instruments),
    latestSnapshot: (instrument) => readLatestSnapshot(ask, instrument),
    firstSnapshotUs: (instrument, fromUs) => readFirstSnapshotUs(ask, instrument, fromUs),
    series: (instrument, range) => readSeries(ask, instrument, range),
    decisions: (instrument, query, before, count) => readDecisions(ask, instrument, query, before, count),
    scores: (query) => readScores(ask, query),
    bins: (query) => readBins(ask, query),
    skills: (instrument, query) => readSkills(ask, instrument, query),
    scoreSpans: (instrument, query) => readScoreSpans(ask, instrument, query),
    activationPlaces: () => readActivationPlaces(ask),
    ledger: () => readLedger(ask),
    rebuilds: () => readRebuilds(ask),
    newestGaps: () => readGaps(ask),
    close: () => pool.close(),
  };
}

async function readSparklines(
  ask: Ask,
  instruments: readonly string[],
): Promise<ReadonlyMap<string, readonly SparklinePoint[]>> {
  const rows = await ask(
    `SELECT named.instrument, ${usOf('latest.event_time')} AS us, latest.last_price AS price
       FROM unnest($1::text[]) AS named (instrument),
            LATERAL (SELECT event_time, last_price FROM tapeproof.indicator_snapshots AS snapshot
                      WHERE snapshot.instrument = named.instrument COLLATE "C"
                      ORDER BY event_time DESC LIMIT $2) AS latest
      ORDER BY named.instrument, latest.event_time`,
    [instruments, SPARKLINE_PRICES_MAX],
  );
  const points = new Map<string, SparklinePoint[]>();
  for (const row of rows) {
    const of = points.get(row['instrument'] ?? '') ?? [];
    points.set(row['instrument'] ?? '', of);
    of.push({ timeUs: Number(row['us']), price: row['price'] ?? '' });
  }
  return points;
}

async function readLatestSnapshot(ask: Ask, instrument: string): Promise<LatestSnapshot | undefined> {
  const [row] = await ask(
    `SELECT event_id, ${usOf('event_time')} AS us FROM tapeproof.indicator_snapshots
      WHERE instrument = $1 ORDER BY event_time DESC LIMIT 1`,
    [instrument],
  );
  return row === undefined ? undefined : { snapshotId: row['event_id'] ?? '', timeUs: Number(row['us']) };
}

async function readFirstSnapshotUs(ask: Ask, instrument: string, fromUs: number): Promise<number | undefined> {
  const [row] = await ask(
    `SELECT ${usOf('event_time')} AS us FROM tapeproof.indicator_snapshots
      WHERE instrument = $1 AND event_time >= ${timeOf('$2')} ORDER BY event_time LIMIT 1`,
    [instrument, fromUs],
  );
  return row === undefined ? undefined : Number(row['us']);
}

/** One look into the index for each span, however many snapshots there are. */
async function readSeries(
  ask: Ask,
  instrument: string,
  { fromUs, spanUs, spans }: { readonly fromUs: number; readonly spanUs: number; readonly spans: number },
): Promise<readonly SeriesPoint[]> {
  const rows = await ask(
    `SELECT last.* FROM generate_series(0, $4::bigint - 1) AS span (number),
            LATERAL (SELECT event_id, ${usOf('event_time')} AS us, last_price, vwap, vwap_deviation, point_of_control,
                            value_area_low, value_area_high, range_high, range_low, bar_volume, session_volume, trade_count
                       FROM tapeproof.indicator_snapshots
                      WHERE instrument = $1
                        AND event_time >= ${timeOf('($2::bigint + span.number * $3::bigint)')}
                        AND event_time < ${timeOf('($2::bigint + (span.number + 1) * $3::bigint)')}
                      ORDER BY event_time DESC LIMIT 1) AS last
      ORDER BY span.number`,
    [instrument, fromUs, spanUs, spans],
  );
  return rows.map((row) => ({
    snapshotId: row['event_id'] ?? '',
    timeUs: Number(row['us']),
    price: row['last_price'] ?? '',
    vwap: Number(row['vwap']),
    vwapDeviation: Number(row['vwap_deviation']),
    pointOfControl: row['point_of_control'] ?? '',
    valueAreaLow: row['value_area_low'] ?? '',
    valueAreaHigh: row['value_area_high'] ?? '',
    rangeHigh: row['range_high'] ?? null,
    rangeLow: row['range_low'] ?? null,
    barVolume: Number(row['bar_volume']),
    sessionVolume: Number(row['session_volume']),
    tradeCount: Number(row['trade_count']),
  }));
}

/** The condition of each status, on a decision and its outcome. */
const HAS_STATUS: Readonly<Record<DecisionStatus, string>> = {
  HIT: `outcome.verdict = 'HIT'`,
  MISS: `outcome.verdict = 'MISS'`,
  VOID: `outcome.verdict = 'VOID'`,
  PENDING: `outcome.event_id IS NULL AND decision.direction <> 'NEUTRAL'`,
  NONE: `outcome.event_id IS NULL AND decision.direction = 'NEUTRAL'`,
};

async function readDecisions(
  ask: Ask,
  instrument: string,
  { direction, status, fromUs, toUs }: Omit<DecisionsQuery, 'cursor' | 'limit'>,
  before: DecisionPosition | undefined,
  count: number,
): Promise<readonly PlacedDecision[]> {
  const values: unknown[] = [instrument, count];
  const given = (value: unknown): string => `$${values.push(value)}`;
  const conditions = [
    'decision.instrument = $1',
    ...(fromUs === undefined ? [] : [`decision.event_time >= ${timeOf(given(fromUs))}`]),
    ...(toUs === undefined ? [] : [`decision.event_time < ${timeOf(given(toUs))}`]),
    ...(direction === undefined ? [] : [`decision.direction = ${given(direction)}`]),
    ...(status === undefined ? [] : [HAS_STATUS[status]]),
    ...(before === undefined
      ? []
      : [
          `(decision.event_time, decision.sequence) < (${timeOf(given(before.timeUs))}, ${given(before.sequence)}::bigint)`,
        ]),
  ];
  const rows = await ask(
    `SELECT decision.event_id, ${usOf('decision.event_time')} AS us, decision.sequence, decision.direction,
            decision.probability, decision.raw_probability, decision.calibrated_probability, decision.reference_rate,
            decision.confidence, decision.level, decision.reference_price, decision.horizon_ms, decision.min_move_bps,
            decision.engine_version, decision.config_hash, outcome.event_id AS outcome_id, outcome.verdict,
            ${usOf('outcome.due_time')} AS due_us, ${usOf('outcome.observed_time')} AS observed_us,
            outcome.observed_price, outcome.move_bps
       FROM tapeproof.decisions AS decision
       LEFT JOIN tapeproof.outcomes AS outcome ON outcome.forecast_id = decision.event_id
      WHERE ${conditions.join(' AND ')}
      ORDER BY decision.event_time DESC, decision.sequence DESC LIMIT $2`,
    values,
  );
  return rows.map((row) => ({
    decision: decisionOf(row),
    timeUs: Number(row['us']),
    sequence: Number(row['sequence']),
  }));
}

function decisionOf(row: Row): Decision {
  const timeUs = Number(row['us']);
  const horizonMs = Number(row['horizon_ms']);
  const direction = row['direction'] as Decision['direction'];
  const verdict = row['verdict'] as NonNullable<Decision['outcome']>['verdict'] | null;
  return {
    decisionId: row['event_id'] ?? '',
    timeUs,
    direction,
    status: verdict ?? (direction === 'NEUTRAL' ? 'NONE' : 'PENDING'),
    probability: Number(row['probability']),
    rawProbability: numberOf(row['raw_probability']),
    calibratedProbability: numberOf(row['calibrated_probability']),
    referenceRate: numberOf(row['reference_rate']),
    confidence: Number(row['confidence']),
    level: row['level'] as Decision['level'],
    referencePrice: row['reference_price'] ?? '',
    horizonMs,
    dueUs: timeUs + horizonMs * US_PER_MS,
    minMoveBps: Number(row['min_move_bps']),
    engineVersion: row['engine_version'] ?? '',
    configHash: row['config_hash'] ?? '',
    outcome:
      verdict === null
        ? null
        : {
            outcomeId: row['outcome_id'] ?? '',
            verdict,
            dueUs: Number(row['due_us']),
            observedUs: numberOf(row['observed_us']),
            observedPrice: row['observed_price'] ?? null,
            moveBps: numberOf(row['move_bps']),
          },
  };
}

async function readActivationPlaces(ask: Ask): Promise<readonly ActivationPlace[]> {
  const rows = await ask(
    `SELECT tape_partition, tape_offset FROM tapeproof.activations ORDER BY tape_offset DESC LIMIT $1`,
    [ACTIVATION_PLACES_MAX],
  );
  return rows.map((row) => ({ partition: Number(row['tape_partition']), offset: Number(row['tape_offset']) }));
}

async function readLedger(ask: Ask): Promise<readonly LedgerEntry[]> {
  const rows = await ask(
    `SELECT projector, topic, partition, read, applied, duplicate, conflict, dead, ignored
       FROM tapeproof.projector_ledger ORDER BY projector, topic, partition`,
  );
  return rows.map((row) => ({
    projector: row['projector'] ?? '',
    topic: row['topic'] ?? '',
    partition: Number(row['partition']),
    read: Number(row['read']),
    applied: Number(row['applied']),
    duplicate: Number(row['duplicate']),
    conflict: Number(row['conflict']),
    dead: Number(row['dead']),
    ignored: Number(row['ignored']),
  }));
}

async function readRebuilds(ask: Ask): Promise<readonly StoredRebuild[]> {
  const offsets = (view: string): string =>
    `(SELECT coalesce(sum(next_offset), 0) FROM tapeproof.${view} AS read WHERE read.projector = all_of.projector)`;
  const rows = await ask(
    `SELECT projector, live, building, ${offsets('projector_rebuilds')} AS done, ${offsets('projector_positions')} AS wanted
       FROM tapeproof.projector_generations AS all_of ORDER BY projector`,
  );
  return rows.map((row) => ({
    projector: row['projector'] ?? '',
    liveGeneration: Number(row['live']),
    building:
      row['building'] == null
        ? null
        : {
            generation: Number(row['building']),
            recordsDone: Number(row['done']),
            recordsWanted: Number(row['wanted']),
          },
  }));
}

async function readGaps(ask: Ask): Promise<readonly TradeGap[]> {
  const rows = await ask(
    `SELECT instrument, first_trade_id, last_trade_id, missing_trades, ${usOf('from_time')} AS from_us,
            ${usOf('to_time')} AS to_us, reason, tape_partition, tape_offset
       FROM tapeproof.trade_gaps ORDER BY to_time DESC, tape_partition, tape_offset DESC LIMIT $1`,
    [GAPS_MAX],
  );
  return rows.map((row) => ({
    instrument: row['instrument'] ?? '',
    firstTradeId: row['first_trade_id'] ?? '',
    lastTradeId: row['last_trade_id'] ?? '',
    missingTrades: Number(row['missing_trades']),
    fromUs: numberOf(row['from_us']),
    toUs: Number(row['to_us']),
    reason: row['reason'] ?? '',
    partition: Number(row['tape_partition']),
    offset: Number(row['tape_offset']),
  }));
}
