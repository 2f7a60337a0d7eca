import { TapeproofError } from '../../platform/errors.ts';
import { createPool, migrate, withClient } from '../../platform/postgres.ts';
import type { PostgresProjector, RowInsert } from '../projector.ts';
import type { ReadModel } from '../sink.ts';
import { ensureLive, positionRows, statusOf } from './postgres-generation.adapter.ts';
import { schemaOf } from './postgres-schema.ts';
import { beginShadow } from './postgres-shadow.adapter.ts';
import { createPostgresSink } from './postgres-sink.adapter.ts';
import { assertTape } from './refusals.adapter.ts';

/** A projector's read model in Postgres. Migrations are applied as it opens. */
export function createPostgresReadModel(projector: PostgresProjector, url: string): ReadModel<RowInsert> {
  const pool = createPool(url, `tapeproof-${projector.name}`);
  return {
    async open(tapeId) {
      await migrate(pool);
      const { live } = await ensureLive(pool, projector);
      const stored = await withClient(pool, (client) => positionRows(client, schemaOf(projector, live)));
      assertTape(projector.name, tapeId, stored);
      return createPostgresSink({ pool, projector, tapeId, generation: live, role: 'live', withKeys: true });
    },
    async beginRebuild(tapeId, keysFirst) {
      await migrate(pool);
      await ensureLive(pool, projector).catch((error: unknown) => {
        // A table of another version cannot be written, but it can be replaced.
        if (!(error instanceof TapeproofError && error.code === 'CONFIGURATION')) throw error;
      });
      return beginShadow(pool, projector, tapeId, keysFirst || !projector.loadsWithoutKeys);
    },
    status: () => withClient(pool, (client) => statusOf(client, projector)),
    close: () => pool.close(),
  };
}
