import { copyRows, type Client } from '../../platform/postgres.ts';
import type { Row, RowInsert, Table } from '../projector.ts';
import type { ProjectedRecord } from '../sink.ts';
import { insertSql, replaceSql, selectSql, upsertSql } from './postgres-schema.ts';
import { byTable, columnTexts, keyText, rowFrom } from './postgres-text.ts';
import type { RowPack } from './row-pack.ts';

export type Projected = ProjectedRecord<RowInsert>;

/** A record whose identity is stored with other bytes, or whose place another record has. */
export interface Conflict {
  readonly offset: number;
  readonly eventId: string;
  /** Null where no row has this identity. */
  readonly storedHash: Buffer | null;
  readonly foundHash: Buffer;
}

/**
 * Writes records whose keys are new. Several times as fast as {@link writeOnce}, and correct where the sequence check
 * admits each record once; where a key nevertheless exists, the transaction fails with `unique_violation`.
 */
export async function writeNew(client: Client, schema: string, pack: RowPack): Promise<void> {
  for (const packed of pack.tables()) {
    const { table } = packed;
    if ('copy' in packed) {
      await copyRows(client, `${schema}.${table.name}`, Object.keys(table.columns), packed.copy);
    } else if (table.merge === undefined) {
      await client.query(insertSql(schema, table), columnTexts(table, packed.rows));
    } else {
      await mergeRows(client, schema, table, packed.rows);
    }
  }
}

/**
 * Writes records whose identity is not yet stored, all rows of a record or none; returns those that contradict stored
 * ones.
 */
export async function writeOnce(
  client: Client,
  schema: string,
  records: readonly Projected[],
): Promise<{ readonly applied: number; readonly conflicts: readonly Conflict[] }> {
  const applied: Projected[] = [];
  const known: Projected[] = [];
  for (const [table, ofTable] of byIdentityTable(records)) {
    const identities = ofTable.map(identityOf);
    const { rows } = await client.query<Record<string, unknown>>(
      upsertSql(schema, table),
      columnTexts(table, identities),
    );
    const written = new Set(rows.map((row) => keyText(table, rowFrom(table, row))));
    // Of two records with one key in the same batch the first was written: it removes the key from the set.
    for (const record of ofTable) (written.delete(keyText(table, identityOf(record))) ? applied : known).push(record);
  }
  const dependent = applied.flatMap(({ output }) => output.slice(1));
  for (const [table, rows] of byTable(dependent)) {
    if (table.merge !== undefined) await mergeRows(client, schema, table, rows);
    else await client.query(upsertSql(schema, table), columnTexts(table, rows));
  }
  return { applied: applied.length, conflicts: await contradictions(client, schema, known, false) };
}

/**
 * Compares records with the stored ones, where the table keeps `body_hash`.
 *
 * @param mustExist whether a record whose identity is not stored conflicts with the record in its place.
 */
export async function contradictions(
  client: Client,
  schema: string,
  records: readonly Projected[],
  mustExist: boolean,
): Promise<readonly Conflict[]> {
  const conflicts: Conflict[] = [];
  for (const [table, ofTable] of byIdentityTable(records)) {
    if (table.columns['body_hash'] === undefined) continue;
    const identities = ofTable.map(identityOf);
    const { rows } = await client.query<Record<string, unknown>>(
      selectSql(schema, table, [...table.key, 'body_hash']),
      keyTexts(table, identities),
    );
    const stored = new Map(rows.map((row) => [keyText(table, rowFrom(table, row)), row['body_hash'] as Buffer]));
    for (const record of ofTable) {
      const identity = identityOf(record);
      const eventId = keyText(table, identity);
      const storedHash = stored.get(eventId) ?? null;
      const foundHash = identity['body_hash'] as Buffer;
      const agrees = storedHash === null ? !mustExist : storedHash.equals(foundHash);
      if (!agrees) conflicts.push({ offset: record.offset, eventId, storedHash, foundHash });
    }
  }
  return conflicts.sort((left, right) => left.offset - right.offset);
}

/**
 * Merges rows into the stored ones. The caller's transaction locks the partition's position, so no other writer changes
 * them.
 */
async function mergeRows(client: Client, schema: string, table: Table, rows: readonly Row[]): Promise<void> {
  const { merge } = table;
  if (merge === undefined) return;
  const folded = new Map<string, Row>();
  for (const row of rows) {
    const key = keyText(table, row);
    const earlier = folded.get(key);
    folded.set(key, earlier === undefined ? row : merge(earlier, row));
  }
  const { rows: stored } = await client.query<Record<string, unknown>>(
    selectSql(schema, table, Object.keys(table.columns), ' FOR UPDATE OF stored'),
    keyTexts(table, [...folded.values()]),
  );
  for (const selected of stored) {
    const row = rowFrom(table, selected);
    const key = keyText(table, row);
    const next = folded.get(key);
    if (next !== undefined) folded.set(key, merge(row, next));
  }
  await client.query(replaceSql(schema, table), columnTexts(table, [...folded.values()]));
}

function byIdentityTable(records: readonly Projected[]): Map<Table, Projected[]> {
  const groups = new Map<Table, Projected[]>();
  for (const record of records) {
    const table = record.output[0]?.table;
    if (table === undefined) continue;
    const group = groups.get(table);
    if (group === undefined) groups.set(table, [record]);
    else group.push(record);
  }
  return groups;
}

export function identityOf(record: Projected): Row {
  const identity = record.output[0];
  if (identity === undefined) throw new RangeError('a projected record has an identity row');
  return identity.row;
}

function keyTexts(table: Table, rows: readonly Row[]): (string | null)[][] {
  const columns = Object.fromEntries(table.key.map((name) => [name, table.columns[name] ?? 'text']));
  return columnTexts({ ...table, columns }, rows);
}
