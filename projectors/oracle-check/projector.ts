import { createHash } from 'node:crypto';
import type { IndicatorSnapshot } from '../../contracts/generated/events.ts';
import {
  into,
  type CheckResult,
  type PostgresProjector,
  type ProjectedEvent,
  type RowInsert,
  type Table,
} from '../projector.ts';
import { Recomputation, windowRecordsOf, type Verdict } from './recomputation.ts';

/**
 * Records of the tape read for each snapshot, on the average: a snapshot is drawn with this share of its window's
 * length. So the cost does not grow with the session, and a short window is always checked.
 */
export const RECORDS_PER_SNAPSHOT = 50;
/** Bytes of a hash that decide whether a snapshot is drawn, and the number of their values, 2^48. */
const DRAWN_BYTES = 6;
const DRAWN_VALUES = 281_474_976_710_656;

const ORACLE_CHECKS = {
  name: 'oracle_checks',
  columns: {
    event_id: 'text',
    body_hash: 'bytea',
    partition: 'integer',
    sequence: 'bigint',
    instrument: 'text',
    event_time: 'timestamptz',
    config_hash: 'text',
    engine_version: 'text',
    // AGREES, DIVERGES or NOT_CHECKED, and why not.
    result: 'text',
    reason: 'text null',
    // The window on the tape, and its trades that count.
    first_offset: 'bigint',
    last_offset: 'bigint',
    trades: 'bigint null',
    // Fields that the window alone does not decide.
    left_out: 'text[]',
    // Fields that differ, and the first of them.
    divergent: 'text[]',
    field: 'text null',
    published: 'text null',
    recomputed: 'text null',
  },
  key: ['event_id'],
  indexes: [['result', 'instrument']],
} as const satisfies Table;

/** How many snapshots of each instrument had each result. */
const ORACLE_RESULTS = `
  SELECT instrument, result, reason, count(*) AS snapshots, sum(trades) AS trades,
         min(event_time) AS from_time, max(event_time) AS to_time
    FROM {schema}.oracle_checks
   GROUP BY instrument, result, reason`;

/**
 * Recomputes the indicators of sampled snapshots by their definitions, from the trades on the tape and in exact
 * arithmetic. It shares the contracts with the engine, and no line of its code, so that a fault there is not repeated
 * here.
 */
export const oracleCheck: PostgresProjector = {
  name: 'oracle-check',
  summary: 'Indicators of sampled snapshots, recomputed from the trades themselves, in Postgres',
  topics: ['indicator.snapshots'],
  sink: 'postgres',
  schema: 'oracle_check',
  tables: [ORACLE_CHECKS],
  views: { oracle_results: ORACLE_RESULTS },
  loadsWithoutKeys: true,
  window: (source) =>
    source.type === 'IndicatorSnapshot' && isDrawn(source.event) ? new Recomputation(source.event) : undefined,
  resultOf,
  project,
};

/** Depends on the snapshot alone: everyone draws the same ones. */
function isDrawn(snapshot: IndicatorSnapshot): boolean {
  const hash = createHash('sha256').update(snapshot.eventId).digest();
  const share = hash.readUIntBE(0, DRAWN_BYTES) / DRAWN_VALUES;
  return share * windowRecordsOf(snapshot) < RECORDS_PER_SNAPSHOT;
}

function project(source: ProjectedEvent): readonly RowInsert[] {
  const { window } = source;
  if (source.type !== 'IndicatorSnapshot' || !(window instanceof Recomputation)) return [];
  const { eventId, tape, sequence, instrument, eventTime, configHash, engineVersion, firstOffset, lastOffset } =
    source.event;
  return [
    into(ORACLE_CHECKS, {
      event_id: eventId,
      body_hash: source.bodyHash(),
      partition: tape.partition,
      sequence,
      instrument,
      event_time: eventTime,
      config_hash: configHash,
      engine_version: engineVersion,
      first_offset: firstOffset,
      last_offset: lastOffset,
      ...columnsOf(window.verdict),
    }),
  ];
}

function columnsOf(verdict: Verdict) {
  if (verdict.kind === 'NOT_CHECKED') {
    const nothing = { trades: null, left_out: [], divergent: [], field: null, published: null, recomputed: null };
    return { result: verdict.kind, reason: verdict.reason, ...nothing };
  }
  const { kind, trades, divergences, leftOut } = verdict;
  const [first] = divergences;
  return {
    result: kind,
    reason: null,
    trades,
    left_out: leftOut,
    divergent: divergences.map(({ field }) => field),
    field: first?.field ?? null,
    published: first?.published ?? null,
    recomputed: first?.recomputed ?? null,
  };
}

const RESULTS = { AGREES: 'agrees', DIVERGES: 'diverges', NOT_CHECKED: 'not_checked' } as const;

function resultOf(output: readonly RowInsert[]): CheckResult | undefined {
  const row = output[0]?.row as ReturnType<typeof columnsOf> & {
    readonly event_id: string;
    readonly partition: number;
    readonly first_offset: number;
    readonly last_offset: number;
  };
  const { event_id: eventId, partition, first_offset: from, last_offset: to, field, published, recomputed } = row;
  const place = `offsets ${from} to ${to} of partition ${partition} of the tape`;
  const sentence = `${eventId}: ${field ?? ''} is published as ${published ?? ''}, and ${place} give ${recomputed ?? ''}`;
  return { result: RESULTS[row.result], eventId, sentence };
}
