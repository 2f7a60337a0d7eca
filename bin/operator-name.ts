import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Who gives an order, where nobody says: the system's user, else git's, else `unknown`. */
export async function operatorName(): Promise<string> {
  const user = process.env['USER'] ?? process.env['LOGNAME'] ?? '';
  if (user.trim() !== '') return user.trim();
  try {
    const { stdout } = await promisify(execFile)('git', ['config', 'user.name'], { encoding: 'utf8' });
    return stdout.trim() || 'unknown';
  } catch {
    return 'unknown';
  }
}
