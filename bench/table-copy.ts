import { copyOut, copyRows, withClient, type Pool } from '../platform/postgres.ts';

const COPY = 'public.bench_copy';

/**
 * Copies a table's own rows, as text from memory, into an equal empty table, keys and indexes included: the least that
 * writing these rows takes. Reading them and creating the table is not counted.
 *
 * @param table - with its schema.
 * @param measured - does the writing, for who measures more of it than its time.
 */
export async function copyTable(
  pool: Pool,
  table: string,
  measured: (write: () => Promise<number>) => Promise<number> = (write) => write(),
): Promise<{ readonly rows: number; readonly milliseconds: number }> {
  return await withClient(pool, async (client) => {
    const chunks: Buffer[] = [];
    for await (const chunk of copyOut(client, `SELECT * FROM ${table}`)) chunks.push(chunk);
    const content = Buffer.concat(chunks);
    await client.query(`DROP TABLE IF EXISTS ${COPY}`);
    await client.query(`CREATE TABLE ${COPY} (LIKE ${table} INCLUDING ALL)`);
    const { fields } = await client.query(`SELECT * FROM ${table} LIMIT 0`);
    const names = fields.map(({ name }) => name);
    const startedAt = performance.now();
    const rows = await measured(() => copyRows(client, COPY, names, content, 'text'));
    const milliseconds = performance.now() - startedAt;
    await client.query(`DROP TABLE ${COPY}`);
    return { rows, milliseconds };
  });
}
