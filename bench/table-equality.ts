import type { Pool } from '../platform/postgres.ts';
import type { Table } from '../projectors/projector.ts';

/** What a table holds: its rows, and for each column a digest of its values in the order of the table's key. */
export interface TableDigest {
  readonly rows: number;
  readonly columns: Readonly<Record<string, string>>;
}

/** @param name - with its schema. @param table - its columns, and its key. */
export async function digestOf(pool: Pool, name: string, { columns, key }: Table): Promise<TableDigest> {
  const names = Object.keys(columns);
  const digests = names.map((column) => {
    const value = columns[column]?.startsWith('numeric') === true ? `trim_scale(${column})` : column;
    // Of each value first, so that a value cannot run into the next; null is no value.
    const each = `sha256(convert_to(coalesce('=' || ${value}::text, ''), 'UTF8'))`;
    return `encode(sha256(string_agg(${each}, '' ORDER BY ${key.join(', ')})), 'hex') AS ${column}`;
  });
  const { rows } = await pool.query<Record<string, string>>(
    `SELECT count(*) AS row_count, ${digests.join(', ')} FROM ${name}`,
  );
  const { row_count: count, ...found } = rows[0] ?? {};
  return { rows: Number(count), columns: found };
}

/** In what two tables differ, as a sentence; undefined where they hold the same values. */
export function differenceOf(expected: TableDigest, found: TableDigest): string | undefined {
  if (expected.rows !== found.rows) return `${expected.rows} rows were expected, ${found.rows} found`;
  const columns = Object.keys(expected.columns).filter((name) => expected.columns[name] !== found.columns[name]);
  return columns.length === 0 ? undefined : `other values in ${columns.join(', ')}`;
}
