import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TopicName } from '../contracts/topics.ts';
import { migratorUrlOf } from '../platform/connections.ts';
import { createPool, inTransaction } from '../platform/postgres.ts';
import {
  into,
  type LatestOperation,
  type PostgresProjector,
  type RedisProjector,
  type RowInsert,
  type Table,
} from '../projectors/projector.ts';
import {
  BEGINNING,
  type SinkBatch,
  type Position,
  type ReadModel,
  type Shadow,
  type Sink,
} from '../projectors/sink.ts';
import { createPostgresReadModel } from '../projectors/sinks/postgres-read-model.adapter.ts';
import { createRedisReadModel } from '../projectors/sinks/redis-read-model.adapter.ts';
import { stackConnections } from './support/stack.ts';
import { until } from './support/until.ts';

const TOPIC: TopicName = 'probability.decisions';
const TAPE = 'tape-of-the-stores';
const NAME = `test-store-${randomUUID().slice(0, 8)}`;
const PLACE = NAME.replaceAll('-', '_');

const EVENTS = {
  name: `${PLACE}_events`,
  columns: { event_id: 'text', body_hash: 'bytea' },
  key: ['event_id'],
} as const satisfies Table;

const common = { name: NAME, summary: 'A store under test', topics: [TOPIC], project: () => [] };
const inPostgres: PostgresProjector = {
  ...common,
  sink: 'postgres',
  schema: PLACE,
  tables: [EVENTS],
  loadsWithoutKeys: true,
};
const inRedis: RedisProjector = { ...common, sink: 'redis', keyspace: PLACE, index: 'entities' };

const rowOf = (number: number): RowInsert =>
  into(EVENTS, { event_id: `event-${number}`, body_hash: Buffer.from([number % 256]) });
const operationOf = (number: number): LatestOperation => ({
  kind: 'set',
  entity: 'only',
  fields: { number: String(number) },
});

/** The duties of any store of read models. */
function storeSuite<Output>(title: string, open: () => ReadModel<Output>, outputOf: (number: number) => Output): void {
  describe(title, () => {
    let readModel: ReadModel<Output>;

    beforeAll(() => {
      readModel = open();
    });
    afterAll(async () => {
      await readModel.close();
    });

    /** The delivery of this many records, from a position on. */
    function delivery(from: Position, count: number): SinkBatch<Output> {
      const admitted = Array.from({ length: count }, (_, index) => {
        const offset = from.nextOffset + index;
        return { offset, output: [outputOf(offset)] };
      });
      const to = { nextOffset: from.nextOffset + count, nextSequence: from.nextSequence + count };
      return { topic: TOPIC, partition: 0, from, to, admitted, repeated: [], dead: 0, ignored: 0 };
    }

    async function advance(sink: Sink<Output>, count: number): Promise<Position> {
      const next = delivery(await sink.position(TOPIC, 0), count);
      expect(await sink.apply(next)).toMatchObject({ kind: 'applied', counts: { read: count, applied: count } });
      return next.to;
    }

    /** A shadow at the live one's positions. */
    async function shadowAt(position: Position): Promise<Shadow<Output>> {
      const shadow = await readModel.beginRebuild(TAPE, false);
      await shadow.position(TOPIC, 0);
      await shadow.apply(delivery(BEGINNING, position.nextOffset));
      expect(await shadow.finishLoad()).toBe(true);
      return shadow;
    }

    it('begins at the beginning, and reports its position', async () => {
      const sink = await readModel.open(TAPE);
      expect(sink.generation).toBe(1);
      expect(await sink.position(TOPIC, 0)).toEqual(BEGINNING);
      const position = await advance(sink, 30);
      expect(await sink.position(TOPIC, 0)).toEqual(position);
      expect((await readModel.status())?.ledger).toMatchObject([{ topic: TOPIC, partition: 0, read: 30, applied: 30 }]);
    });

    it('writes nothing for another position, and reports where to continue', async () => {
      const sink = await readModel.open(TAPE);
      const position = await sink.position(TOPIC, 0);
      for (const from of [
        BEGINNING,
        { nextOffset: position.nextOffset + 5, nextSequence: position.nextSequence + 5 },
      ]) {
        expect(await sink.apply(delivery(from, 3))).toEqual({ kind: 'moved', position });
      }
      expect(await sink.position(TOPIC, 0)).toEqual(position);
    });

    it('lets one of two that race for the same records win', async () => {
      const [one, other] = [await readModel.open(TAPE), await readModel.open(TAPE)];
      const next = delivery(await one.position(TOPIC, 0), 40);
      const kinds = (await Promise.all([one.apply(next), other.apply(next)])).map(({ kind }) => kind);
      expect(kinds.sort()).toEqual(['applied', 'moved']);
    });

    it('holds its writers while it is compared, and releases them', async () => {
      const sink = await readModel.open(TAPE);
      const position = await sink.position(TOPIC, 0);
      const shadow = await shadowAt(position);
      await shadow.freeze();
      expect(await sink.apply(delivery(position, 1))).toEqual({ kind: 'frozen' });
      await shadow.release();
      await advance(sink, 1);
    });

    it('is equal to itself rebuilt, and refuses its writers once it is replaced', async () => {
      const sink = await readModel.open(TAPE);
      const position = await sink.position(TOPIC, 0);
      const shadow = await shadowAt(position);
      await shadow.freeze();
      expect(await shadow.differences()).toEqual([]);
      await shadow.swap();
      await shadow.release();
      expect(await sink.apply(delivery(position, 1))).toEqual({ kind: 'superseded' });
      const successor = await readModel.open(TAPE);
      expect(successor.generation).toBe(shadow.generation);
      expect(await successor.position(TOPIC, 0)).toEqual(position);
      // The former shadow's writer now has no generation.
      expect(await shadow.apply(delivery(position, 1))).toEqual({ kind: 'superseded' });
    });

    it('sees a difference', async () => {
      const sink = await readModel.open(TAPE);
      const position = await advance(sink, 2);
      const shadow = await readModel.beginRebuild(TAPE, false);
      await shadow.position(TOPIC, 0);
      await shadow.apply(delivery(BEGINNING, position.nextOffset - 1));
      await shadow.finishLoad();
      expect(await shadow.differences()).toHaveLength(1);
    });

    it('swaps nothing for a rebuild that was overtaken', async () => {
      const overtaken = await readModel.beginRebuild(TAPE, false);
      const later = await readModel.beginRebuild(TAPE, false);
      expect(later.generation).toBeGreaterThan(overtaken.generation);
      await overtaken.freeze();
      await expect(overtaken.swap()).rejects.toMatchObject({ code: 'GENERATION_CHANGED' });
      await overtaken.release();
    });

    it('refuses another tape', async () => {
      await expect(readModel.open('another')).rejects.toMatchObject({ code: 'FOREIGN_TAPE' });
    });
  });
}

const { postgresUrl, postgresMigratorUrl, redisUrl } = stackConnections();
storeSuite(
  'a read model in Postgres',
  () => createPostgresReadModel(inPostgres, postgresUrl, postgresMigratorUrl),
  rowOf,
);
storeSuite('a read model in Redis', () => createRedisReadModel(inRedis, redisUrl), operationOf);

describe('a read model in Postgres that a former version of its projector made', () => {
  const name = `${NAME}-former`;
  const place = name.replaceAll('-', '_');
  const added = {
    name: `${place}_gaps`,
    columns: { event_id: 'text', body_hash: 'bytea' },
    key: ['event_id'],
  } as const;
  const events = { ...EVENTS, name: `${place}_events` };
  const former: PostgresProjector = { ...inPostgres, name, schema: place, tables: [events] };
  const current: PostgresProjector = { ...former, tables: [events, added] };
  const from = (position: Position, output: readonly RowInsert[]): SinkBatch<RowInsert> => {
    const to = { nextOffset: position.nextOffset + 1, nextSequence: 0 };
    const admitted = [{ offset: position.nextOffset, output }];
    return { topic: 'raw.trades', partition: 0, from: position, to, admitted, repeated: [], dead: 0, ignored: 0 };
  };
  const row = into(events, { event_id: 'event', body_hash: Buffer.from([1]) });

  it('gets a new table, and is read again from the beginning: stored rows are recognised', async () => {
    const old = createPostgresReadModel(former, postgresUrl, postgresMigratorUrl);
    const now = createPostgresReadModel(current, postgresUrl, postgresMigratorUrl);
    try {
      const writer = await old.open(TAPE);
      expect(await writer.position('raw.trades', 0)).toEqual(BEGINNING);
      expect(await writer.apply(from(BEGINNING, [row]))).toMatchObject({ kind: 'applied', counts: { applied: 1 } });
      const sink = await now.open(TAPE);
      expect(sink.generation).toBe(writer.generation);
      expect(await sink.position('raw.trades', 0)).toEqual(BEGINNING);
      const healed = await sink.apply(from(BEGINNING, [row]));
      expect(healed).toMatchObject({ kind: 'applied', counts: { applied: 0, duplicate: 1, conflict: 0 } });
      const gap = into(added, { event_id: 'gap', body_hash: Buffer.from([2]) });
      const next = await sink.apply(from({ nextOffset: 1, nextSequence: 0 }, [gap]));
      expect(next).toMatchObject({ kind: 'applied', counts: { applied: 1 } });
      expect((await now.open(TAPE)).generation).toBe(sink.generation);
      expect(await sink.position('raw.trades', 0)).toEqual({ nextOffset: 2, nextSequence: 0 });
    } finally {
      await Promise.all([old.close(), now.close()]);
    }
  });
});

describe('a read model in Postgres that is dropped while its positions are read', () => {
  it('holds nothing', async () => {
    // One role: it sees what its own connections wait for.
    const url = migratorUrlOf(stackConnections());
    const readModel = createPostgresReadModel(inPostgres, url);
    const pool = createPool(url, 'test');
    try {
      const { generation } = await readModel.open(TAPE);
      const asked = await inTransaction(pool, async (client) => {
        await client.query(`DROP SCHEMA ${inPostgres.schema}_${generation} CASCADE`);
        const status = readModel.status();
        await until('the question waits for the tables', async () => {
          const { rows } = await pool.query(
            `SELECT FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'`,
            [`tapeproof-${inPostgres.name}`],
          );
          return rows.length > 0;
        });
        return { status };
      });
      expect(await asked.status).toMatchObject({ generation, positions: [] });
    } finally {
      await Promise.all([readModel.close(), pool.end()]);
    }
  });
});
