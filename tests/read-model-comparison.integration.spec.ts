import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Decimal } from '../contracts/decimal.ts';
import type { TopicName } from '../contracts/topics.ts';
import { createPool } from '../platform/postgres.ts';
import { migratorUrlOf } from '../platform/connections.ts';
import { into, type PostgresProjector, type RowInsert, type Table } from '../projectors/projector.ts';
import { BEGINNING, type SinkBatch, type Difference, type Position, type Sink } from '../projectors/sink.ts';
import { createPostgresReadModel } from '../projectors/sinks/postgres-read-model.adapter.ts';
import { stackConnections } from './support/stack.ts';

const TOPIC: TopicName = 'probability.decisions';
const TAPE = 'tape-of-the-comparison';
const NAME = `test-compare-${randomUUID().slice(0, 8)}`;
const PLACE = NAME.replaceAll('-', '_');
const ROWS = 60;

/** A column of each type, and rows with the values that are written differently as text and as bytes. */
const ALL_TYPES = {
  name: `${PLACE}_rows`,
  columns: {
    event_id: 'text',
    ordinal: 'integer',
    body_hash: 'bytea',
    note: 'text null',
    count: 'bigint',
    price: 'numeric',
    ratio: 'double precision null',
    at: 'timestamptz',
    figures: 'jsonb',
    causes: 'text[]',
  },
  key: ['event_id', 'ordinal'],
} as const satisfies Table;
const PRICES = ['0', '0.000000000001', '61837.63', '100000000', '999999999999999.999999999999', '0.5', '10000.0001'];
const NOTES = [null, '', 'a\tb\\c\nd', 'nul\0', 'ü€𝄞', '\\N'];

function rowOf(index: number): RowInsert {
  return into(ALL_TYPES, {
    event_id: `row-${index}`,
    ordinal: index - 5,
    body_hash: Buffer.from([index, 0, 255]),
    note: NOTES[index % NOTES.length] ?? null,
    count: index % 2 === 0 ? Number.MAX_SAFE_INTEGER - index : -index,
    price: index === 7 ? '-12345678901234567890.5000' : Decimal.of(PRICES[index % PRICES.length] ?? ''),
    ratio: index % 3 === 0 ? null : index / 3 - 10,
    at: index % 2 === 0 ? 1_723_161_255_342_007 + index : -index,
    figures: JSON.stringify({ b: index / 7, a: index * 1e-9, text: 'say "y"' }),
    causes: index % 4 === 0 ? [] : ['x', 'say "y"', 'back\\slash', ''],
  });
}

function delivery(from: Position, first: number, end: number): SinkBatch<RowInsert> {
  const admitted = Array.from({ length: end - first }, (_, index) => ({
    offset: first + index,
    output: [rowOf(first + index)],
  }));
  const to = { nextOffset: end, nextSequence: end };
  return { topic: TOPIC, partition: 0, from, to, admitted, repeated: [], dead: 0, ignored: 0 };
}

describe('the comparison of two generations in Postgres', () => {
  const connections = stackConnections();
  const url = migratorUrlOf(connections);
  const projector: PostgresProjector = {
    ...{ name: NAME, summary: 'Compared', topics: [TOPIC], project: () => [], sink: 'postgres', schema: PLACE },
    ...{ tables: [ALL_TYPES], loadsWithoutKeys: true },
  };
  const readModel = createPostgresReadModel(projector, connections.postgresUrl, url);
  const pool = createPool(url, NAME);
  let live: Sink<RowInsert>;
  let table: string;
  let differences: () => Promise<readonly Difference[]>;

  /** The live one is written row by row through statements, the other in one piece by COPY. */
  beforeAll(async () => {
    live = await readModel.open(TAPE);
    table = `${PLACE}_${live.generation}.${ALL_TYPES.name}`;
    await live.position(TOPIC, 0);
    await live.apply(delivery(BEGINNING, 0, ROWS));
    const shadow = await readModel.beginRebuild(TAPE, false);
    await shadow.position(TOPIC, 0);
    const whole = delivery(BEGINNING, 0, ROWS);
    const packed = shadow.pack?.();
    for (const record of whole.admitted) packed?.add(record);
    await shadow.apply({ ...whole, admitted: [], packed });
    expect(await shadow.finishLoad()).toBe(true);
    differences = () => shadow.differences();
  });
  afterAll(async () => {
    await pool.query(`DROP SCHEMA IF EXISTS ${PLACE}_1, ${PLACE}_2 CASCADE`);
    await pool.query('DELETE FROM tapeproof.projector_generations WHERE projector = $1', [NAME]);
    await Promise.all([readModel.close(), pool.end()]);
  });

  it('finds what was written as text and as bytes equal, whatever its type', async () => {
    expect(await differences()).toEqual([]);
  });

  it.each([
    ['event_id', `'other'`],
    ['ordinal', 'ordinal + 100'],
    ['body_hash', `'\\x00'`],
    ['note', `coalesce(note, '') || ' '`],
    ['note', `CASE WHEN note IS NULL THEN '' END`],
    ['count', 'count + 1'],
    ['price', 'price + 0.000000000001'],
    ['price', 'round(price, 13)'],
    ['ratio', 'coalesce(ratio, 0) + 1e-9'],
    ['at', `at + interval '1 microsecond'`],
    ['figures', `figures || '{"c": 1}'`],
    ['causes', `causes || ''::text`],
  ])('notices one changed %s: %s', async (column, changed) => {
    await pool.query(`CREATE TABLE ${table}_kept AS SELECT * FROM ${table} WHERE event_id = 'row-12'`);
    try {
      await pool.query(`UPDATE ${table} SET ${column} = ${changed} WHERE event_id = 'row-12'`);
      expect(await differences()).toEqual([
        {
          subject: ALL_TYPES.name,
          liveCount: ROWS,
          shadowCount: ROWS,
          first: expect.stringMatching(/^(row-12|other) /) as string,
        },
      ]);
    } finally {
      await pool.query(`DELETE FROM ${table} WHERE event_id IN ('row-12', 'other')`);
      await pool.query(`INSERT INTO ${table} SELECT * FROM ${table}_kept`);
      await pool.query(`DROP TABLE ${table}_kept`);
    }
    expect(await differences()).toEqual([]);
  });

  it('notices a row too few, and one too many', async () => {
    await pool.query(`CREATE TABLE ${table}_kept AS SELECT * FROM ${table} WHERE event_id = 'row-12'`);
    await pool.query(`DELETE FROM ${table} WHERE event_id = 'row-12'`);
    expect(await differences()).toEqual([
      { subject: ALL_TYPES.name, liveCount: ROWS - 1, shadowCount: ROWS, first: 'row-12 7' },
    ]);
    await pool.query(`INSERT INTO ${table} SELECT * FROM ${table}_kept`);
    await pool.query(`UPDATE ${table}_kept SET event_id = 'extra'`);
    await pool.query(`INSERT INTO ${table} SELECT * FROM ${table}_kept`);
    expect(await differences()).toEqual([
      { subject: ALL_TYPES.name, liveCount: ROWS + 1, shadowCount: ROWS, first: 'extra 7' },
    ]);
    await pool.query(`DELETE FROM ${table} WHERE event_id = 'extra'`);
    await pool.query(`DROP TABLE ${table}_kept`);
    expect(await differences()).toEqual([]);
  });

  it('notices a column of another type, and treats a table without a column as empty', async () => {
    await pool.query(`DROP VIEW tapeproof.${ALL_TYPES.name}`);
    await pool.query(`ALTER TABLE ${table} ALTER COLUMN count TYPE numeric`);
    expect(await differences()).toEqual([
      { subject: ALL_TYPES.name, liveCount: ROWS, shadowCount: ROWS, first: undefined },
    ]);
    await pool.query(`ALTER TABLE ${table} DROP COLUMN count`);
    expect(await differences()).toEqual([
      { subject: ALL_TYPES.name, liveCount: 0, shadowCount: ROWS, first: undefined },
    ]);
  });
});
