import { migratePostgres } from '../../projectors/main.ts';
import type { JsonOption } from '../commands/options.ts';
import { connections, print } from '../context.ts';

export async function migrateAll({ json }: JsonOption): Promise<void> {
  const report = await migratePostgres(connections());
  print(json, report, () => report.map(({ name, action }) => `${name.padEnd(32)} ${action}`).join('\n'));
}
