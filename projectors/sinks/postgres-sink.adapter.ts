import type { TopicName } from '../../contracts/topics.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { sqlStateOf, withClient, type Client, type Pool } from '../../platform/postgres.ts';
import type { PostgresProjector, RowInsert } from '../projector.ts';
import { BEGINNING, type Application, type Counts, type SinkBatch, type Position, type Sink } from '../sink.ts';
import { fieldCopiersOf } from './field-copier.ts';
import { assertTape, overtaken } from './refusals.ts';
import { generationsOf } from './postgres-generation.adapter.ts';
import { contradictions, writeNew, writeOnce, type Conflict } from './postgres-rows.adapter.ts';
import { createRootStore, type Within } from './postgres-roots.adapter.ts';
import { schemaOf } from './postgres-schema.ts';
import { RowPack } from './row-pack.ts';

const UNIQUE_VIOLATION = '23505';
const UNDEFINED_TABLE = '42P01';
/** A shadow has no other writer: only a rebuild that drops it can be in its way. */
const DEADLOCK_DETECTED = '40P01';

export interface SinkSettings {
  readonly pool: Pool;
  readonly projector: PostgresProjector;
  readonly tapeId: string;
  readonly generation: number;
  readonly role: 'live' | 'building';
  /** False while a rebuild loads: see `finishLoad`. */
  readonly withKeys: boolean;
}

/** One statement decides who may write: it changes the position if it is the expected one, and locks it. */
function advanceSql(schema: string, role: 'live' | 'building'): string {
  return `UPDATE ${schema}.projector_positions
    SET next_offset = $4, next_sequence = $5, read = read + $8::bigint, applied = applied + $9, duplicate = duplicate + $10,
        dead = dead + $11, ignored = ignored + $12
    WHERE topic = $1 AND partition = $2 AND tape_id = $3 AND next_offset = $6 AND next_sequence = $7
      AND EXISTS (SELECT FROM tapeproof.projector_generations WHERE projector = $13 AND ${role} = $14)`;
}

/** It packs whatever it can. */
export type PostgresSink = Sink<RowInsert> & { pack(): RowPack };

export function createPostgresSink(settings: SinkSettings): PostgresSink {
  const { pool, projector, generation } = settings;
  const copiers = projector.fieldRows === undefined ? undefined : fieldCopiersOf(projector.fieldRows);
  const within: Within = async (work) => {
    try {
      return await withClient(pool, work);
    } catch (error) {
      throw goneTables(error, settings);
    }
  };
  const roots = createRootStore(within, projector, generation);
  return {
    generation,
    ...(roots === undefined ? {} : { roots }),
    position: (topic, partition) => within((client) => readPosition(client, settings, topic, partition)),
    pack: () => new RowPack(copiers),
    async apply(sinkBatch) {
      try {
        return await withClient(pool, (client) => applyIn(client, settings, sinkBatch));
      } catch (error) {
        // Some record is already stored, as after positions were lost: writing record by record finds which.
        if (sinkBatch.packed !== undefined && sqlStateOf(error) === UNIQUE_VIOLATION) return { kind: 'collided' };
        throw goneTables(error, settings);
      }
    },
  };
}

/**
 * A live schema that disappeared is recreated by the next process that opens it; a shadow's is dropped by the next
 * rebuild.
 */
function goneTables(error: unknown, { projector: { name }, role }: SinkSettings): unknown {
  const state = sqlStateOf(error);
  if (role === 'building' && (state === UNDEFINED_TABLE || state === DEADLOCK_DETECTED)) return overtaken(name);
  if (state !== UNDEFINED_TABLE) return error;
  return new TapeproofError(
    'GENERATION_CHANGED',
    `The tables of ${name} are gone: they are recreated when it restarts.`,
    { cause: error },
  );
}

async function readPosition(
  client: Client,
  { projector, generation, tapeId }: SinkSettings,
  topic: TopicName,
  partition: number,
): Promise<Position> {
  const schema = schemaOf(projector, generation);
  const { rows } = await client.query<{ tape_id: string; next_offset: string; next_sequence: string }>(
    `SELECT tape_id, next_offset, next_sequence FROM ${schema}.projector_positions WHERE topic = $1 AND partition = $2`,
    [topic, partition],
  );
  const row = rows[0];
  if (row !== undefined) {
    const position = { nextOffset: Number(row.next_offset), nextSequence: Number(row.next_sequence) };
    assertTape(projector.name, tapeId, [{ topic, partition, tapeId: row.tape_id, ...position }]);
    return position;
  }
  await client.query(
    `INSERT INTO ${schema}.projector_positions (topic, partition, tape_id, next_offset, next_sequence)
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
    [topic, partition, tapeId, BEGINNING.nextOffset, BEGINNING.nextSequence],
  );
  return BEGINNING;
}

/** The transaction of one batch. Packed records must be new; any other record may already be stored. */
async function applyIn(client: Client, settings: SinkSettings, sinkBatch: SinkBatch<RowInsert>): Promise<Application> {
  const { projector, generation, tapeId, role, withKeys } = settings;
  const schema = schemaOf(projector, generation);
  const { topic, partition, from, to, admitted, packed, repeated, dead, ignored } = sinkBatch;
  const admittedRecords = admitted.length + (packed?.records ?? 0);

  await client.query('BEGIN');
  if (role === 'live' && !(await holdsLiveLock(client, projector.name))) {
    await client.query('ROLLBACK');
    return { kind: 'frozen' };
  }
  const expected: Counts = {
    read: admittedRecords + repeated.length + dead + ignored,
    applied: admittedRecords,
    duplicate: repeated.length,
    conflict: 0,
    dead,
    ignored,
  };
  const { rowCount } = await client.query({
    name: `advance-${role}-${schema}`,
    text: advanceSql(schema, role),
    values: [
      ...[topic, partition, tapeId, to.nextOffset, to.nextSequence, from.nextOffset, from.nextSequence],
      ...[expected.read, expected.applied, expected.duplicate, expected.dead, expected.ignored],
      ...[projector.name, generation],
    ],
  });
  if (rowCount !== 1) {
    await client.query('ROLLBACK');
    const generations = await generationsOf(client, projector.name);
    if (generations?.[role] !== generation) return { kind: 'superseded' };
    return { kind: 'moved', position: await readPosition(client, settings, topic, partition) };
  }

  let { applied } = expected;
  const conflicts: Conflict[] = [];
  if (packed instanceof RowPack) await writeNew(client, schema, packed);
  if (!withKeys) {
    await writeNew(client, schema, RowPack.of(admitted));
  } else if (admitted.length > 0) {
    const written = await writeOnce(client, schema, admitted);
    applied += written.applied - admitted.length;
    conflicts.push(...written.conflicts);
  }
  if (repeated.length > 0) {
    if (withKeys) conflicts.push(...(await contradictions(client, schema, repeated, true)));
    else await putOff(client, schema, sinkBatch);
  }
  const counts: Counts = {
    ...expected,
    applied,
    conflict: conflicts.length,
    duplicate: admittedRecords - applied + repeated.length - conflicts.length,
  };
  if (counts.applied !== expected.applied || counts.conflict > 0) {
    await correctLedger(client, schema, sinkBatch, expected, counts);
    await recordConflicts(client, schema, sinkBatch, conflicts);
  }
  await client.query('COMMIT');
  return { kind: 'applied', counts };
}

/** Shared by the live writers; a comparing rebuild holds it exclusively, and a writer never waits for it. */
async function holdsLiveLock(client: Client, projector: string): Promise<boolean> {
  const { rows } = await client.query<{ held: boolean }>({
    name: 'live-lock',
    text: 'SELECT pg_try_advisory_xact_lock_shared(hashtextextended($1, 0)) AS held',
    values: [liveLockName(projector)],
  });
  return rows[0]?.held === true;
}

export function liveLockName(projector: string): string {
  return `tapeproof live ${projector}`;
}

async function correctLedger(
  client: Client,
  schema: string,
  { topic, partition }: SinkBatch<RowInsert>,
  before: Counts,
  after: Counts,
): Promise<void> {
  await client.query(
    `UPDATE ${schema}.projector_positions
        SET applied = applied + $3, duplicate = duplicate + $4, conflict = conflict + $5
      WHERE topic = $1 AND partition = $2`,
    [
      topic,
      partition,
      after.applied - before.applied,
      after.duplicate - before.duplicate,
      after.conflict - before.conflict,
    ],
  );
}

async function recordConflicts(
  client: Client,
  schema: string,
  { topic, partition }: SinkBatch<RowInsert>,
  conflicts: readonly Conflict[],
): Promise<void> {
  for (const { offset, eventId, storedHash, foundHash } of conflicts) {
    await client.query(
      `INSERT INTO ${schema}.conflicts (topic, partition, log_offset, event_id, stored_hash, found_hash)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
      [topic, partition, offset, eventId, storedHash, foundHash],
    );
  }
}

/** Without keys a repeated record cannot be compared yet: it is kept until it can. */
async function putOff(client: Client, schema: string, sinkBatch: SinkBatch<RowInsert>): Promise<void> {
  for (const { offset, output } of sinkBatch.repeated) {
    const identity = output[0];
    if (identity?.row['body_hash'] === undefined) continue;
    await client.query(
      `INSERT INTO ${schema}.unsettled (topic, partition, log_offset, table_name, event_id, found_hash)
       VALUES ($1, $2, $3, $4, $5, $6)`,
      [
        ...[sinkBatch.topic, sinkBatch.partition, offset, identity.table.name],
        ...[identity.row[identity.table.key[0] ?? ''], identity.row['body_hash']],
      ],
    );
  }
}
