import { readFile, stat } from 'node:fs/promises';
import { run } from './run.ts';

/** The operating system user that services run as where root starts them. */
export interface ServiceUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** A user created for this, else the one that exists nearly everywhere. initdb requires one listed in /etc/passwd. */
const PREFERRED = ['tapeproof', 'nobody'];

/**
 * The user that services run as: the one running this command, unless that is root; then the owner of the stack's
 * folder, unless that is root too; then an unprivileged user. Undefined where they run as this process's user; that is
 * root only where root cannot switch users, as in some containers.
 */
export async function serviceUser(stackFolder: string): Promise<ServiceUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const owner = await stat(stackFolder);
  const user = owner.uid === 0 ? await unprivilegedUser() : { name: String(owner.uid), uid: owner.uid, gid: owner.gid };
  return user !== undefined && (await canBecome(user)) ? user : undefined;
}

/** A user of /etc/passwd who is not root. */
export async function unprivilegedUser(): Promise<ServiceUser | undefined> {
  const users = (await readFile('/etc/passwd', 'utf8'))
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter(({ uid, gid }) => uid > 0 && gid > 0);
  const preferred = PREFERRED.map((name) => users.find((user) => user.name === name));
  return preferred.find((user) => user !== undefined) ?? users[0];
}

async function canBecome(user: ServiceUser): Promise<boolean> {
  try {
    await run({ file: 'true', args: [], cwd: '/', user });
    return true;
  } catch {
    return false;
  }
}
