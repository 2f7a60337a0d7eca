import type { Column, PostgresProjector, Table } from '../projector.ts';
import { selectable, typeOf } from './postgres-text.ts';

/** The SQL of a generation, from its projector's declarations. */

/** Pages of 8 KiB of which the index of sequences keeps the intervals. */
const SEQUENCE_INDEX_PAGES = 32;

export function schemaOf(projector: PostgresProjector, generation: number): string {
  return `${projector.schema}_${generation}`;
}

export function createTable(schema: string, table: Table): string {
  const columns = Object.entries(table.columns).map(([name, column]) => `  ${name} ${columnType(column)}`);
  return `CREATE TABLE IF NOT EXISTS ${schema}.${table.name} (\n${columns.join(',\n')}\n)`;
}

/** Text sorts by its bytes: one order on every machine, and the fastest. */
function columnType(column: Column): string {
  const type = typeOf(column);
  const collation = type === 'text' ? ' COLLATE "C"' : '';
  return `${type}${collation}${column.endsWith(' null') ? '' : ' NOT NULL'}`;
}

/**
 * The rights of the projector role on a generation. Events are written once: it may not change or delete them; only
 * merged rows may be updated.
 */
export function grantsOn(schema: string, projector: PostgresProjector): readonly string[] {
  const access = [
    `USAGE ON SCHEMA ${schema}`,
    `SELECT, INSERT, UPDATE ON ${schema}.projector_positions`,
    `SELECT, INSERT ON ${schema}.conflicts`,
    `SELECT, INSERT, UPDATE ON ${schema}.root_checks`,
    ...projector.tables.map(
      ({ name, merge }) => `SELECT, INSERT${merge === undefined ? '' : ', UPDATE'} ON ${schema}.${name}`,
    ),
  ];
  return access.map((granted) => `SELECT tapeproof.grant_to('tapeproof_projector', '${granted}')`);
}

/** Every role may read a stable view. */
export function grantsOnView(name: string): readonly string[] {
  return ['tapeproof_projector', 'tapeproof_reader'].map(
    (role) => `SELECT tapeproof.grant_to('${role}', 'SELECT ON tapeproof.${name}')`,
  );
}

/** Key and indexes of a table that has none yet. */
export function createKeys(schema: string, table: Table): readonly string[] {
  const indexes = (table.indexes ?? []).map(
    (columns) =>
      `CREATE INDEX ${table.name}_${columns.join('_')}_index ON ${schema}.${table.name} (${columns.join(', ')})`,
  );
  return [
    `ALTER TABLE ${schema}.${table.name} ADD CONSTRAINT ${table.name}_key PRIMARY KEY (${table.key.join(', ')})`,
    ...indexes,
    ...createSequenceIndex(schema, table),
  ];
}

/**
 * By which the rows of a range of sequences are found. Each partition's are written in about that order, so that a few
 * intervals of sequences for each few pages are enough, and writing costs nearly nothing.
 */
export function createSequenceIndex(schema: string, { name, output }: Table): readonly string[] {
  if (output === undefined) return [];
  return [
    `CREATE INDEX IF NOT EXISTS ${name}_sequence_index ON ${schema}.${name} USING brin (sequence int8_minmax_multi_ops)
       WITH (pages_per_range = ${SEQUENCE_INDEX_PAGES}, autosummarize = on)`,
  ];
}

/** A generation of a projector, and its schema. */
export interface GenerationSchema {
  readonly projector: string;
  readonly generation: number;
  readonly schema: string;
  /** False for one that an earlier version made, until its projector is opened again. */
  readonly hasRootChecks: boolean;
}

/** A view in schema `tapeproof`. */
export interface View {
  readonly name: string;
  readonly query: string;
}

/** The stable views of a projector: one for each table, and those it declares. */
export function viewsOf(projector: PostgresProjector, generation: number): readonly View[] {
  const schema = schemaOf(projector, generation);
  return [
    ...projector.tables.map(({ name, columns }) => ({
      name,
      query: `SELECT ${Object.keys(columns).join(', ')} FROM ${schema}.${name}`,
    })),
    ...Object.entries(projector.views ?? {}).map(([name, query]) => ({
      name,
      query: query.replaceAll('{schema}', schema),
    })),
    ...eventsInDoubt(projector, schema),
  ];
}

/** The events that are not held to a root of the engine: none while all is well. */
function eventsInDoubt({ tables }: PostgresProjector, schema: string): readonly View[] {
  const held = tables.filter(({ output }) => output !== undefined);
  if (held.length === 0) return [];
  const queries = held.map(
    ({ name, output }) =>
      `SELECT stored.event_id, checked.topic, checked.partition, stored.sequence, checked.anchor_tape_offset
         FROM ${schema}.root_checks AS checked JOIN ${schema}.${name} AS stored
           ON stored.tape_partition = checked.partition
          AND stored.sequence >= checked.from_sequence AND stored.sequence < checked.next_sequence
        WHERE checked.topic = '${output ?? ''}' AND checked.result = 'differs' AND checked.stored_root IS NOT NULL`,
  );
  return [{ name: 'events_in_doubt', query: queries.join(' UNION ALL ') }];
}

/** Of {@link sharedViews}, where nothing is being rebuilt. */
const NO_REBUILDS = `SELECT NULL::text AS projector, NULL::integer AS generation, NULL::text COLLATE "C" AS topic,
  NULL::integer AS partition, NULL::bigint AS next_offset WHERE false`;

/**
 * Views over all read models: positions, ledgers, conflicts and comparisons with the engine's roots of the live ones, and
 * how far rebuilds have come.
 */
export function sharedViews(live: readonly GenerationSchema[], building: readonly GenerationSchema[]): readonly View[] {
  const over = (table: string, columns: string, generations = live): string =>
    generations
      .map(
        ({ projector, generation, schema }) =>
          `SELECT '${projector}'::text AS projector, ${generation} AS generation, ${columns} FROM ${schema}.${table}`,
      )
      .join(' UNION ALL ');
  return [
    {
      name: 'projector_positions',
      query: over('projector_positions', 'topic, partition, tape_id, next_offset, next_sequence'),
    },
    {
      name: 'projector_ledger',
      query: over('projector_positions', 'topic, partition, read, applied, duplicate, conflict, dead, ignored'),
    },
    {
      name: 'conflicts',
      query: over('conflicts', 'topic, partition, log_offset, event_id, stored_hash, found_hash'),
    },
    {
      name: 'root_checks',
      query: over(
        'root_checks',
        `topic, partition, from_sequence, next_sequence, result, difference, anchor_root, stored_root,
           anchor_tape_offset, anchor_log_offset, anchor_hash`,
        live.filter(({ hasRootChecks }) => hasRootChecks),
      ),
    },
    {
      name: 'projector_rebuilds',
      query:
        building.length === 0 ? NO_REBUILDS : over('projector_positions', 'topic, partition, next_offset', building),
    },
  ];
}

/** Inserts rows and skips those whose key exists; returns the keys written. One array of texts per column. */
export function upsertSql(schema: string, table: Table): string {
  return `${insertSql(schema, table)} ON CONFLICT (${table.key.join(', ')}) DO NOTHING RETURNING ${selectable(table, table.key, table.name)}`;
}

/** Inserts rows, overwriting those whose key exists. One array of texts per column. */
export function replaceSql(schema: string, table: Table): string {
  const changes = Object.keys(table.columns)
    .filter((name) => !table.key.includes(name))
    .map((name) => `${name} = excluded.${name}`);
  return `${insertSql(schema, table)} ON CONFLICT (${table.key.join(', ')}) DO UPDATE SET ${changes.join(', ')}`;
}

/** Inserts rows, each of which must be new. One array of texts per column. */
export function insertSql(schema: string, table: Table): string {
  const columns = Object.entries(table.columns);
  const names = columns.map(([name]) => name).join(', ');
  const casts = columns.map(([name, column]) => `given.${name}::${typeOf(column)}`).join(', ');
  return `INSERT INTO ${schema}.${table.name} (${names}) SELECT ${casts} FROM ${given(columns)}`;
}

/** Stored columns of the rows with the given keys. One array of texts per key column. */
export function selectSql(schema: string, table: Table, selected: readonly string[], suffix = ''): string {
  const keys = table.key.map((name): [string, Column] => [name, table.columns[name] ?? 'text']);
  const joined = keys.map(([name, column]) => `stored.${name} = given.${name}::${typeOf(column)}`).join(' AND ');
  const columns = selectable(table, selected, 'stored');
  return `SELECT ${columns} FROM ${schema}.${table.name} AS stored JOIN ${given(keys)} ON ${joined}${suffix}`;
}

function given(columns: readonly [string, Column][]): string {
  const arrays = columns.map((_, index) => `$${index + 1}::text[]`).join(', ');
  return `unnest(${arrays}) AS given (${columns.map(([name]) => name).join(', ')})`;
}

/**
 * The key of the first row that differs between two generations of a table: one without a counterpart, or with another
 * value. `*=` compares values byte by byte, so that 1.0 is not 1.00.
 */
export function firstDifference(
  { name, key, columns }: Pick<Table, 'name' | 'key' | 'columns'>,
  live: string,
  shadow: string,
): string {
  const all = Object.keys(columns).join(', ');
  return `SELECT min(concat_ws(' ', ${key.join(', ')}) COLLATE "C") AS first FROM (SELECT ${all} FROM ${live}.${name}) AS live
    FULL JOIN (SELECT ${all} FROM ${shadow}.${name}) AS shadow USING (${key.join(', ')})
    WHERE (live *= shadow) IS NOT TRUE`;
}
