import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import type { TopicName } from '../contracts/topics.ts';
import { migratorUrlOf } from '../platform/connections.ts';
import { createPool } from '../platform/postgres.ts';
import { into, type PostgresProjector, type RowInsert, type Table } from '../projectors/projector.ts';
import { BEGINNING, type Shadow } from '../projectors/sink.ts';
import { createPostgresReadModel } from '../projectors/sinks/postgres-read-model.adapter.ts';
import { stackConnections } from './support/stack.ts';

const TAPE = 'tape-of-the-keys';
const NAME = `test-keys-${randomUUID().slice(0, 8)}`;
const PLACE = NAME.replaceAll('-', '_');
const FIRST: TopicName = 'probability.decisions';
const SECOND: TopicName = 'strategy.results';

const columns = { event_id: 'text' } as const;
const OUTPUT = { name: `${PLACE}_output`, columns, key: ['event_id'], topic: FIRST } as const satisfies Table;
const OTHER = { name: `${PLACE}_other`, columns, key: ['event_id'], topic: SECOND } as const satisfies Table;
const SHARED = { name: `${PLACE}_shared`, columns, key: ['event_id'] } as const satisfies Table;

describe('the keys of a generation that is being loaded', () => {
  const connections = stackConnections();
  const url = migratorUrlOf(connections);
  const projector: PostgresProjector = {
    ...{ name: NAME, summary: 'Keyed', topics: [FIRST, SECOND], project: () => [], sink: 'postgres', schema: PLACE },
    ...{ tables: [OUTPUT, OTHER, SHARED], loadsWithoutKeys: true },
  };
  const readModel = createPostgresReadModel(projector, connections.postgresUrl, url);
  const pool = createPool(url, NAME);

  afterAll(async () => {
    const { rows } = await pool.query<{ name: string }>(
      `SELECT nspname AS name FROM pg_namespace WHERE nspname ~ '^${PLACE}_[0-9]+$'`,
    );
    for (const { name } of rows) await pool.query(`DROP SCHEMA ${name} CASCADE`);
    await pool.query('DELETE FROM tapeproof.projector_generations WHERE projector = $1', [NAME]);
    await Promise.all([readModel.close(), pool.end()]);
  });

  /** A shadow with these rows in the first table, and two rows in each of the others. */
  async function loadedWith(ids: readonly string[]): Promise<Shadow<RowInsert>> {
    await readModel.open(TAPE);
    const shadow = await readModel.beginRebuild(TAPE, false);
    for (const topic of [FIRST, SECOND]) {
      await shadow.position(topic, 0);
      const admitted = ids.map((id, offset) => {
        const other = { event_id: String(offset) };
        const output = topic === FIRST ? [into(OUTPUT, { event_id: id }), into(SHARED, other)] : [into(OTHER, other)];
        return { offset, output };
      });
      const to = { nextOffset: ids.length, nextSequence: ids.length };
      await shadow.apply({ topic, partition: 0, from: BEGINNING, to, admitted, repeated: [], dead: 0, ignored: 0 });
    }
    return shadow;
  }

  async function keyed({ generation }: Shadow<RowInsert>): Promise<readonly string[]> {
    const { rows } = await pool.query<{ name: string }>(
      'SELECT tablename AS name FROM pg_indexes WHERE schemaname = $1 AND tablename LIKE $2 ORDER BY name',
      [`${PLACE}_${generation}`, `${PLACE}%`],
    );
    return rows.map(({ name }) => name);
  }

  it('are built for what is loaded while the rest is not, and then for the rest', async () => {
    const shadow = await loadedWith(['one', 'other']);
    expect(await keyed(shadow)).toEqual([]);
    shadow.loaded?.(FIRST);
    await expect.poll(() => keyed(shadow), { timeout: 10_000 }).toEqual([OUTPUT.name]);
    expect(await shadow.finishLoad()).toBe(true);
    expect(await keyed(shadow)).toEqual([OTHER.name, OUTPUT.name, SHARED.name]);
  });

  it('say that two rows share one, whenever they are built', async () => {
    const shadow = await loadedWith(['one', 'one']);
    shadow.loaded?.(FIRST);
    expect(await shadow.finishLoad()).toBe(false);
  });
});
