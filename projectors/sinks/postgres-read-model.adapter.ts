import { TapeproofError } from '../../platform/errors.ts';
import {
  createPool,
  mayDefine,
  migrate,
  withClient,
  type MigrationReport,
  type Pool,
} from '../../platform/postgres.ts';
import type { PostgresProjector, RowInsert } from '../projector.ts';
import type { ReadModel } from '../sink.ts';
import { ensureLive, findLive, positionRows, statusOf, type Generations } from './postgres-generation.adapter.ts';
import { schemaOf } from './postgres-schema.ts';
import { beginShadow } from './postgres-shadow.adapter.ts';
import { createPostgresSink } from './postgres-sink.adapter.ts';
import { assertTape } from './refusals.ts';

/**
 * A projector's read model in Postgres. Rows are written as the role of `url`. Schemas, tables and views are created,
 * and rebuilds done, as the role of `migratorUrl`. Opening applies migrations and creates missing objects, where that
 * role may.
 */
export function createPostgresReadModel(
  projector: PostgresProjector,
  url: string,
  migratorUrl = url,
): ReadModel<RowInsert> {
  const name = `tapeproof-${projector.name}`;
  const pool = createPool(url, name);
  const migratorPool = migratorUrl === url ? pool : createPool(migratorUrl, `${name}-migrator`);
  return {
    async open(tapeId) {
      const { live } = await readyLive(migratorPool, projector);
      const stored = await withClient(pool, (client) => positionRows(client, schemaOf(projector, live)));
      assertTape(projector.name, tapeId, stored);
      return createPostgresSink({ pool, projector, tapeId, generation: live, role: 'live', withKeys: true });
    },
    async beginRebuild(tapeId, keysFirst) {
      await migrate(migratorPool);
      await ensureReplaceable(migratorPool, projector);
      return beginShadow(migratorPool, projector, tapeId, keysFirst || !projector.loadsWithoutKeys);
    },
    status: () => withClient(pool, (client) => statusOf(client, projector)),
    async close() {
      await Promise.all([...new Set([pool, migratorPool])].map((each) => each.close()));
    },
  };
}

async function readyLive(pool: Pool, projector: PostgresProjector): Promise<Generations> {
  if (!(await mayDefine(pool))) return findLive(pool, projector);
  await migrate(pool);
  return ensureLive(pool, projector);
}

/** A table of another version cannot be written, but it can be replaced. */
async function ensureReplaceable(pool: Pool, projector: PostgresProjector): Promise<void> {
  try {
    await ensureLive(pool, projector);
  } catch (error) {
    if (!(error instanceof TapeproofError && error.code === 'CONFIGURATION')) throw error;
  }
}

/**
 * Applies migrations and creates missing objects of the projectors' live generations, for roles that may create
 * nothing.
 */
export async function prepareReadModels(
  pool: Pool,
  projectors: readonly PostgresProjector[],
): Promise<readonly MigrationReport[]> {
  const reports = await migrate(pool);
  for (const projector of projectors) await ensureReplaceable(pool, projector);
  return reports;
}
