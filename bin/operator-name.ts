import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { isStatement } from '../contracts/statement-text.ts';

/** The default name of whoever gives an order: the system's user, else git's, else `unknown`. */
export async function operatorName(): Promise<string> {
  return systemUser() ?? (await gitSetting('user.name')) ?? 'unknown';
}

/** The default actor of an activation: git's `name <address>`, else the system's user, else `unknown`. */
export async function activationActor(): Promise<string> {
  const [name, address] = await Promise.all([gitSetting('user.name'), gitSetting('user.email')]);
  if (name !== undefined && address !== undefined) return `${name} <${address}>`;
  return name ?? address ?? systemUser() ?? 'unknown';
}

function systemUser(): string | undefined {
  const user = (process.env['USER'] ?? process.env['LOGNAME'] ?? '').trim();
  return isStatement(user) ? user : undefined;
}

async function gitSetting(name: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)('git', ['config', name], { encoding: 'utf8' });
    return isStatement(stdout.trim()) ? stdout.trim() : undefined;
  } catch {
    return undefined;
  }
}
