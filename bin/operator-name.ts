import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The default name of whoever gives an order: the system's user, else git's, else `unknown`. */
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
