import { createPool, migrate } from '../../platform/postgres.ts';
import type { JsonOption } from '../commands/options.ts';
import { connections, print } from '../context.ts';

export async function migratePostgres({ json }: JsonOption): Promise<void> {
  const pool = createPool(connections().postgresUrl, 'tapeproof-migrate');
  try {
    const report = await migrate(pool);
    print(json, report, () => report.map(({ name, action }) => `${name.padEnd(32)} ${action}`).join('\n'));
  } finally {
    await pool.end();
  }
}
