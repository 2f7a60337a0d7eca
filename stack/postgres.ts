import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { bringHome, postgresCommand, type PostgresCommand } from './postgres-launch.ts';
import {
  HOST_BASED_AUTHENTICATION,
  POSTGRES_ADMINISTRATOR,
  POSTGRES_DATABASE,
  POSTGRES_ROLES,
  roleStatements,
} from './postgres-roles.ts';
import { writePrivateFile } from './private-file.ts';
import { commandLine } from './process.ts';
import { run } from './run.ts';
import type { SecuredSecrets, StackSecrets } from './secrets.ts';
import { certify } from './security.ts';
import { PROBE_TIMEOUT_MS, type Service, type ServiceSetting } from './service.ts';

/** A file in the cluster's folder: which passwords its roles have. */
const ROLES_RECORD = 'tapeproof-roles.sha256';

/** PostgreSQL 18 from an npm package, loopback only, database `tapeproof`, roles as in docs/security.md. */
export const postgres: Service = {
  name: 'postgres',
  title: 'Postgres',
  needs: [],
  // "Fast" shutdown: SIGTERM would wait for every client to leave.
  stopSignal: 'SIGINT',
  startDeadlineMs: 60_000,
  stopDeadlineMs: 30_000,
  // Right after a kill -9 the old server's child processes need a moment to notice.
  passingFailure: /pre-existing shared memory block|lock file "postmaster.pid" already exists/,
  ports: (ports) => [ports.postgres],

  async prepare(setting) {
    const { folder, options, secrets, handOver } = setting;
    await bringHome(folder);
    await handOver();
    const command = await postgresCommand(setting);
    const data = join(folder, 'data');
    if (!existsSync(data)) await initialise(setting, command);
    else await removeForeignLock(join(data, 'postmaster.pid'));
    await makeRoles(data, command, secrets);
    await writePrivateFile(join(data, 'pg_hba.conf'), HOST_BASED_AUTHENTICATION);
    const settings = {
      listen_addresses: '127.0.0.1',
      port: String(options.ports.postgres),
      unix_socket_directories: '',
      password_encryption: 'scram-sha-256',
      timezone: 'UTC',
      log_timezone: 'UTC',
      ...(secrets.secured === undefined ? {} : await tlsSettings(secrets.secured, folder)),
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    return command('postgres', ['-D', data, ...flags]);
  },

  async probe(port, { postgresReader, secured }) {
    const client = new pg.Client({
      host: '127.0.0.1',
      port,
      user: POSTGRES_ROLES.reader,
      password: postgresReader,
      database: POSTGRES_DATABASE,
      connectionTimeoutMillis: PROBE_TIMEOUT_MS,
      ...(secured === undefined ? {} : { ssl: { ca: secured.authority.certificate } }),
      query_timeout: PROBE_TIMEOUT_MS,
    });
    // A connection that breaks while idle is reported here; without a listener it would end the process.
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query('SELECT 1');
    } finally {
      await client.end();
    }
  },
};

async function tlsSettings(secured: SecuredSecrets, folder: string): Promise<Readonly<Record<string, string>>> {
  const { certificateFile, keyFile } = await certify(secured, 'postgres', folder);
  return { ssl: 'on', ssl_cert_file: certificateFile, ssl_key_file: keyFile, ssl_min_protocol_version: 'TLSv1.2' };
}

/**
 * After a crash Postgres checks whether the pid in its lock file is alive. After a reboot that pid may belong to any
 * program, and Postgres would never start again; where it is dead or a Postgres, Postgres decides itself.
 */
async function removeForeignLock(lockFile: string): Promise<void> {
  if (!existsSync(lockFile)) return;
  const pid = Number.parseInt(await readFile(lockFile, 'utf8'), 10);
  const holder = Number.isNaN(pid) ? undefined : commandLine(pid);
  if (holder !== undefined && !holder.includes('postgres')) await rm(lockFile);
}

/** Creates the cluster under another name first, so that an interrupted start leaves no partial one behind. */
async function initialise({ folder }: ServiceSetting, command: PostgresCommand): Promise<void> {
  const unfinished = join(folder, 'data.unfinished');
  await rm(unfinished, { recursive: true, force: true });
  const flags = [`--username=${POSTGRES_ADMINISTRATOR}`, '--auth=reject', '--encoding=UTF8', '--locale=C'];
  await run(command('initdb', ['-D', unfinished, ...flags, '--no-instructions']));
  await runSingle(command, unfinished, 'postgres', [`CREATE DATABASE ${POSTGRES_DATABASE}`]);
  await rename(unfinished, join(folder, 'data'));
}

/**
 * Sets the roles' passwords to the stack's: in a new cluster, in one that had none, and where the passwords were lost.
 */
async function makeRoles(data: string, command: PostgresCommand, secrets: StackSecrets): Promise<void> {
  const record = join(data, ROLES_RECORD);
  const digest = createHash('sha256').update(JSON.stringify(secrets)).digest('hex');
  if (existsSync(record) && (await readFile(record, 'utf8')) === digest) return;
  await runSingle(command, data, POSTGRES_DATABASE, roleStatements(secrets));
  await writePrivateFile(record, digest);
}

/** Runs statements in a single-user server that ends after them, or after the first that fails. */
async function runSingle(
  command: PostgresCommand,
  data: string,
  database: string,
  statements: readonly string[],
): Promise<void> {
  const single = command('postgres', ['--single', '-c', 'exit_on_error=on', '-D', data, database]);
  await run(single, statements.map((statement) => `${statement}\n`).join(''));
}
