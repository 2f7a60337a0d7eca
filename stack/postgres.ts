import { existsSync, readFileSync } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { postgresLaunch, removeOutsideFolder, type PostgresLaunch } from './postgres-launch.ts';
import { commandLine } from './process.ts';
import { run } from './run.ts';
import { certify, type StackSecurity } from './security.ts';
import { PROBE_TIMEOUT_MS, type Service } from './service.ts';

/** PostgreSQL 18 from an npm package, database and user `tapeproof`, no password, loopback only. */
export const postgres: Service = {
  name: 'postgres',
  title: 'Postgres',
  needs: [],
  // "Fast" shutdown: SIGTERM would wait for every client to leave.
  stopSignal: 'SIGINT',
  startDeadlineMs: 60_000,
  stopDeadlineMs: 30_000,
  // Right after a kill -9 the children of the old server need a moment to notice.
  passingFailure: /pre-existing shared memory block|lock file "postmaster.pid" already exists/,
  ports: (ports) => [ports.postgres],

  async prepare({ folder, options, security }) {
    const launch = await postgresLaunch(folder);
    if (!existsSync(join(launch.dataRoot, 'data'))) await initialise(launch);
    else await removeForeignLock(join(launch.dataRoot, 'data', 'postmaster.pid'));
    const settings = {
      listen_addresses: '127.0.0.1',
      port: String(options.ports.postgres),
      unix_socket_directories: '',
      timezone: 'UTC',
      log_timezone: 'UTC',
      ...(security === undefined ? {} : await tlsSettings(security, launch.dataRoot)),
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    return launch.command('postgres', ['-D', join(launch.dataRoot, 'data'), ...flags]);
  },

  async probe(port, security) {
    const client = new pg.Client({
      host: '127.0.0.1',
      port,
      user: 'tapeproof',
      database: 'tapeproof',
      connectionTimeoutMillis: PROBE_TIMEOUT_MS,
      ...(security === undefined ? {} : { ssl: { ca: readFileSync(security.caFile) } }),
      query_timeout: PROBE_TIMEOUT_MS,
    });
    // A connection that breaks while it is idle is reported here, and would end the process if nobody listened.
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query('SELECT 1');
    } finally {
      await client.end();
    }
  },

  removeOutside: removeOutsideFolder,
};

/** Beside the data, as its user. */
async function tlsSettings(security: StackSecurity, folder: string): Promise<Readonly<Record<string, string>>> {
  const { certificateFile, keyFile } = await certify(security, 'postgres', folder);
  return { ssl: 'on', ssl_cert_file: certificateFile, ssl_key_file: keyFile, ssl_min_protocol_version: 'TLSv1.2' };
}

/**
 * After a crash Postgres looks whether the pid in its lock file lives. Since a reboot that pid may be anybody's, and
 * Postgres would refuse to start for ever; where it is dead or a Postgres, Postgres itself knows best.
 */
async function removeForeignLock(lockFile: string): Promise<void> {
  if (!existsSync(lockFile)) return;
  const pid = Number.parseInt(await readFile(lockFile, 'utf8'), 10);
  const holder = Number.isNaN(pid) ? undefined : commandLine(pid);
  if (holder !== undefined && !holder.includes('postgres')) await rm(lockFile);
}

/** Makes the cluster under another name first, so that a start cut short leaves no half of one behind. */
async function initialise(launch: PostgresLaunch): Promise<void> {
  const unfinished = join(launch.dataRoot, 'data.unfinished');
  await rm(unfinished, { recursive: true, force: true });
  const flags = ['--username=tapeproof', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-instructions'];
  await run(launch.command('initdb', ['-D', unfinished, ...flags]));
  await run(launch.command('postgres', ['--single', '-D', unfinished, 'postgres']), 'CREATE DATABASE tapeproof\n');
  await rename(unfinished, join(launch.dataRoot, 'data'));
}
