import { spawnSync } from 'node:child_process';
import { lstat, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pipeline } from '../pipeline.ts';
import { migratePostgres } from '../projectors/main.ts';
import { createPostgresReadModel } from '../projectors/sinks/postgres-read-model.adapter.ts';
import { custodyOf } from '../stack/custody.ts';
import {
  DEFAULT_STACK_OPTIONS,
  freePorts,
  startService,
  stackReset,
  stackStatus,
  stopService,
  type StackOptions,
} from '../stack/main.ts';
import { readSecrets } from '../stack/secrets.ts';
import { runCommand } from './support/command.ts';
import { stackConnections, stackEndpoints, stackOptions } from './support/stack.ts';

/** The table of docs/security.md: everything that a role may do is done here, and everything denied is tried. */

const IS_ROOT = process.getuid?.() === 0;
/** Another user of the machine, neither root nor the services' user. */
const STRANGER = { uid: 1, gid: 1 };
const INSUFFICIENT_PRIVILEGE = '42501';

const endpoints = stackEndpoints();
const silent = (): void => undefined;
let events: string;
let candles: string;

async function inPostgres<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url);
  await client.connect();
  return work(client).finally(() => client.end());
}

/** Runs statements and takes back what they did. */
function tried(url: string, statement: string): Promise<unknown> {
  const sql = statement.replaceAll('{events}', events).replaceAll('{candles}', candles);
  return inPostgres(url, async (client) => {
    await client.query('BEGIN');
    return client.query(sql);
  });
}

function withRedis<T>(url: string, work: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url, { maxRetriesPerRequest: 0, enableReadyCheck: false, retryStrategy: () => null });
  client.on('error', () => undefined);
  return work(client).finally(() => {
    client.disconnect();
  });
}

beforeAll(async () => {
  await migratePostgres(stackConnections());
  const { rows } = await inPostgres(endpoints.postgresMigratorUrl, (client) =>
    client.query<{ projector: string; schema: string }>(
      `SELECT projector, schema_prefix || '_' || live AS schema FROM tapeproof.projector_generations`,
    ),
  );
  const schemaOf = (name: string) => rows.find(({ projector }) => projector === name)?.schema ?? '';
  [events, candles] = [schemaOf('postgres-history'), schemaOf('candles')];
});

describe('Postgres', () => {
  const anonymous = (user: string) => endpoints.postgresUrl.replace(/\/\/.*@/, `//${user}@`);

  it.each(['tapeproof', 'tapeproof_migrator', 'tapeproof_projector', 'tapeproof_reader', 'postgres'])(
    'admits nobody as %s without the password',
    async (user) => {
      await expect(inPostgres(anonymous(user), (client) => client.query('SELECT 1'))).rejects.toThrow(/password/);
      const guessed = anonymous(user).replace('@', ':tapeproof@');
      await expect(inPostgres(guessed, (client) => client.query('SELECT 1'))).rejects.toMatchObject({ code: '28P01' });
    },
  );

  it('requires SCRAM of everybody, and stores only its verifiers', async () => {
    const administrator = new URL(endpoints.postgresUrl);
    administrator.username = 'tapeproof';
    administrator.password = readSecrets(stackOptions().folder)?.postgresAdministrator ?? '';
    await inPostgres(administrator.href, async (client) => {
      const methods = await client.query('SELECT DISTINCT auth_method FROM pg_hba_file_rules');
      expect(methods.rows).toEqual([{ auth_method: 'scram-sha-256' }]);
      const others = await client.query<{ rolname: string }>(
        `SELECT rolname FROM pg_authid WHERE rolcanlogin AND rolpassword NOT LIKE 'SCRAM-SHA-256$4096:%'`,
      );
      expect(others.rows).toEqual([]);
    });
  });

  it.each([
    ['postgresUrl', 'tapeproof_projector'],
    ['postgresMigratorUrl', 'tapeproof_migrator'],
    ['postgresReaderUrl', 'tapeproof_reader'],
  ] as const)('%s is not a superuser', async (name, role) => {
    const { rows } = await inPostgres(endpoints[name], (client) =>
      client.query(
        `SELECT rolname, rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls AS more
           FROM pg_roles WHERE rolname = current_user`,
      ),
    );
    expect(rows).toEqual([{ rolname: role, more: false }]);
  });

  const DENIED_TO_ALL = [
    `COPY (SELECT 1) TO PROGRAM 'true'`,
    `COPY (SELECT 1) TO '/tmp/tapeproof-never-written'`,
    `SELECT pg_read_file('postgresql.conf')`,
    'CREATE ROLE another',
    'CREATE DATABASE another',
    'SET ROLE tapeproof',
    `SELECT rolpassword FROM pg_authid`,
  ];
  const DENIED_TO_PROJECTOR = [
    ...DENIED_TO_ALL,
    'SET ROLE tapeproof_migrator',
    'CREATE SCHEMA another',
    'CREATE TABLE public.another (a int)',
    'CREATE TABLE tapeproof.another (a int)',
    'CREATE TABLE {events}.another (a int)',
    'CREATE TEMPORARY TABLE another (a int)',
    'DELETE FROM {events}.decisions',
    'TRUNCATE {events}.decisions',
    `UPDATE {events}.decisions SET instrument = 'another'`,
    'ALTER TABLE {events}.decisions ADD another int',
    'DROP TABLE {events}.decisions',
    'DROP SCHEMA {events} CASCADE',
    'DROP VIEW tapeproof.decisions',
    'DELETE FROM {candles}.candles',
    'DELETE FROM {events}.projector_positions',
    'TRUNCATE {events}.conflicts',
    'UPDATE tapeproof.projector_generations SET live = live + 1',
    `UPDATE tapeproof.migrations SET checksum = ''`,
  ];
  const DENIED_TO_READER = [
    ...DENIED_TO_PROJECTOR,
    'SELECT FROM {events}.decisions',
    'SELECT FROM {candles}.candles',
    'SELECT FROM {events}.projector_positions',
    'SELECT FROM tapeproof.migrations',
    'INSERT INTO tapeproof.decisions SELECT * FROM tapeproof.decisions',
    'DELETE FROM tapeproof.decisions',
  ];

  it.each(DENIED_TO_ALL)('denies the migrator: %s', async (statement) => {
    await expect(tried(endpoints.postgresMigratorUrl, statement)).rejects.toMatchObject({
      code: expect.stringMatching(`${INSUFFICIENT_PRIVILEGE}|25001`) as string,
    });
  });
  it.each(DENIED_TO_PROJECTOR)('denies the projector: %s', async (statement) => {
    await expect(tried(endpoints.postgresUrl, statement)).rejects.toMatchObject({
      code: expect.stringMatching(`${INSUFFICIENT_PRIVILEGE}|25001`) as string,
    });
  });
  it.each(DENIED_TO_READER)('denies the reader: %s', async (statement) => {
    await expect(tried(endpoints.postgresReaderUrl, statement)).rejects.toMatchObject({
      code: expect.stringMatching(`${INSUFFICIENT_PRIVILEGE}|25001`) as string,
    });
  });

  it.each([
    ['postgresMigratorUrl', 'CREATE SCHEMA another'],
    ['postgresMigratorUrl', 'TRUNCATE {events}.decisions'],
    ['postgresMigratorUrl', 'DROP SCHEMA {events} CASCADE'],
    ['postgresUrl', 'SELECT count(*) FROM {events}.decisions'],
    ['postgresUrl', 'INSERT INTO {events}.decisions SELECT * FROM {events}.decisions WHERE false'],
    ['postgresUrl', 'INSERT INTO {events}.conflicts SELECT * FROM {events}.conflicts WHERE false'],
    ['postgresUrl', 'UPDATE {events}.projector_positions SET read = read'],
    ['postgresUrl', 'UPDATE {candles}.candles SET trades = trades'],
    ['postgresUrl', 'SELECT count(*) FROM tapeproof.decisions'],
    ['postgresReaderUrl', 'SELECT count(*) FROM tapeproof.decisions'],
    ['postgresReaderUrl', 'SELECT count(*) FROM tapeproof.candles'],
    ['postgresReaderUrl', 'SELECT count(*) FROM tapeproof.projector_positions'],
    ['postgresReaderUrl', 'SELECT count(*) FROM tapeproof.projector_generations'],
  ] as const)('allows %s: %s', async (name, statement) => {
    await tried(endpoints[name], statement);
  });

  it('runs a projector that may create nothing once another role created its tables', async () => {
    const projector = pipeline.projectors.all.find(({ name }) => name === 'candles');
    if (projector?.sink !== 'postgres') throw new Error('candles are in Postgres');
    const readModel = createPostgresReadModel(projector, endpoints.postgresUrl);
    try {
      const tapeId = (await readModel.status())?.positions[0]?.tapeId ?? 'a tape';
      expect((await readModel.open(tapeId)).generation).toBeGreaterThan(0);
      await expect(readModel.beginRebuild(tapeId, false)).rejects.toMatchObject({
        code: 'UNREACHABLE',
        message: expect.stringContaining('TAPEPROOF_POSTGRES_MIGRATOR_URL') as string,
      });
      await inPostgres(endpoints.postgresMigratorUrl, (client) => client.query(`DROP SCHEMA ${candles} CASCADE`));
      await expect(readModel.open(tapeId)).rejects.toMatchObject({
        code: 'CONFIGURATION',
        message: expect.stringContaining('npx tapeproof migrate') as string,
      });
      await migratePostgres(stackConnections());
      expect((await readModel.open(tapeId)).generation).toBeGreaterThan(0);
    } finally {
      await readModel.close();
    }
  });
});

describe('Redis', () => {
  it('admits nobody without the password', async () => {
    const anonymous = endpoints.redisUrl.replace(/\/\/.*@/, '//');
    await expect(withRedis(anonymous, (client) => client.get('a'))).rejects.toThrow('NOAUTH');
    const guessed = endpoints.redisUrl.replace(/:[^:@]*@/, ':tapeproof@');
    await expect(withRedis(guessed, (client) => client.get('a'))).rejects.toThrow(/NOAUTH|WRONGPASS/);
  });

  it.each([
    'CONFIG SET dir /tmp',
    'CONFIG GET dir',
    'CONFIG REWRITE',
    'MODULE LIST',
    'MODULE LOAD /tmp/a.so',
    'DEBUG SLEEP 0',
    'SAVE',
    'BGSAVE',
    'BGREWRITEAOF',
    'SHUTDOWN NOSAVE',
    'REPLICAOF 127.0.0.1 1',
    'SLAVEOF NO ONE',
    'FLUSHALL',
    'FLUSHDB',
    'SWAPDB 0 1',
    'KEYS *',
    'MONITOR',
    'ACL LIST',
    'ACL SETUSER another',
    'CLIENT LIST',
    'CLIENT KILL TYPE normal',
    'SCRIPT FLUSH',
    'FUNCTION LIST',
    'FUNCTION LOAD a',
    'MIGRATE 127.0.0.1 1 a 0 1',
    'RESTORE a 0 b',
    'SLOWLOG GET',
    'LATENCY RESET',
    'PUBLISH a b',
  ])('denies the application: %s', async (line) => {
    const [command = '', ...words] = line.split(' ');
    await expect(withRedis(endpoints.redisUrl, (client) => client.call(command, ...words))).rejects.toThrow(
      // MODULE and DEBUG are denied to everybody, before authentication.
      /NOPERM|(MODULE|DEBUG) command not allowed/,
    );
  });

  it('denies the same inside a script', async () => {
    const script = `return redis.call('CONFIG', 'GET', 'dir')`;
    await expect(withRedis(endpoints.redisUrl, (client) => client.eval(script, 0))).rejects.toThrow(
      /can't run|not allowed|NOPERM/,
    );
  });

  it('allows keys, scripts and reading the eviction policy', async () => {
    await withRedis(endpoints.redisUrl, async (client) => {
      expect(await client.eval(`return redis.call('INCR', KEYS[1])`, 1, 'security')).toBe(1);
      expect(await client.unlink('security')).toBe(1);
      expect(await client.info('memory')).toContain('maxmemory_policy:noeviction');
    });
  });
});

describe('the files and processes of the stack', () => {
  async function folders(): Promise<string[]> {
    const custody = await custodyOf(stackOptions().folder);
    return [stackOptions().folder, join(await custody.folder('kafka'), '..')];
  }

  it('are closed to everybody except their owner', async () => {
    const open: string[] = [];
    for (const folder of await folders()) {
      for (const entry of ['.', ...(await readdir(folder, { recursive: true }))]) {
        // Kafka and Postgres may remove their files at any time.
        const found = await lstat(join(folder, entry)).catch(() => undefined);
        if (found !== undefined && (found.mode & 0o077) !== 0) open.push(`${entry} ${found.mode.toString(8)}`);
      }
    }
    expect(open).toEqual([]);
  });

  // Only root can switch users.
  it.skipIf(!IS_ROOT)('cannot be read by another user of the machine', async () => {
    const { folder } = stackOptions();
    const files = ['secrets.json', 'endpoints.json', 'kafka/process.json', 'logs/postgres.log'].map((name) =>
      join(folder, name),
    );
    const read = (file: string, user: { uid: number; gid: number }) => spawnSync('cat', [file], user).status;
    for (const file of files) {
      expect(read(file, { uid: 0, gid: 0 }), file).toBe(0);
      expect(read(file, STRANGER), file).not.toBe(0);
      const { user } = await custodyOf(folder);
      if (user !== undefined) expect(read(file, { uid: user.uid, gid: user.gid }), file).not.toBe(0);
    }
    for (const each of await folders()) expect(spawnSync('ls', [each], STRANGER).status).not.toBe(0);
  });

  it.skipIf(!IS_ROOT)('do not run as root', async () => {
    const { user } = await custodyOf(stackOptions().folder);
    for (const { name, pid } of await stackStatus(stackOptions())) {
      expect([name, (await stat(`/proc/${pid ?? 0}`)).uid]).toEqual([name, user?.uid]);
    }
  });

  it('reveal no password: not in arguments, logs or the output of stack up', async () => {
    const { folder, partsFolder, ports } = stackOptions();
    const secrets = Object.values(readSecrets(folder) ?? {}).filter((secret) => typeof secret === 'string');
    expect(secrets).toHaveLength(6);
    const environment = Object.fromEntries(
      Object.entries(ports).map(([name, port]) => [`TAPEPROOF_STACK_PORT_${name.toUpperCase()}`, String(port)]),
    );
    const printed: string[] = [];
    for (const words of [['up'], ['up', '--json'], ['status'], ['status', '--json']]) {
      const { exitCode, stdout, stderr } = await runCommand(['stack', ...words], {
        ...{ ...environment, TAPEPROOF_STACK_FOLDER: folder, TAPEPROOF_STACK_PARTS_FOLDER: partsFolder },
      });
      expect(exitCode, stderr).toBe(0);
      printed.push(stdout, stderr);
    }
    printed.push(spawnSync('ps', ['-eo', 'args', 'ww'], { encoding: 'utf8' }).stdout);
    for (const log of await readdir(join(folder, 'logs')))
      printed.push(await readFile(join(folder, 'logs', log), 'utf8'));
    for (const text of printed) for (const secret of secrets) expect(text.includes(secret)).toBe(false);
  });
});

describe('a stack that an earlier version created', () => {
  let options: StackOptions;
  const secrets = () => {
    const known = readSecrets(options.folder);
    if (known === undefined) throw new Error('there are passwords by now');
    return known;
  };
  const urlOf = (user: string) => `postgres://${user}@127.0.0.1:${options.ports.postgres}/tapeproof`;

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tapeproof-stack-'));
    options = { folder, partsFolder: DEFAULT_STACK_OPTIONS.partsFolder, ports: await freePorts() };
  });
  afterAll(async () => {
    await stackReset(options, silent);
    await rm(options.folder, { recursive: true });
  });

  it('is refused while it runs', async () => {
    await startService(options, 'postgres');
    await inPostgres(urlOf(`tapeproof:${secrets().postgresAdministrator}`), (client) =>
      client.query('CREATE SCHEMA made; CREATE TABLE made.rows (a int)'),
    );
    await rm(join(options.folder, 'secrets.json'));
    await expect(startService(options, 'postgres')).rejects.toThrow(/"npx tapeproof stack down", then/);
    expect((await stackStatus(options)).find(({ name }) => name === 'postgres')?.state).toBe('unhealthy');
  });

  it('is secured as it starts again, and its superuser’s objects become the migrator’s', async () => {
    await stopService(options, 'postgres');
    const data = join(await (await custodyOf(options.folder)).folder('postgres'), 'data');
    await writeFile(join(data, 'pg_hba.conf'), 'host all all 127.0.0.1/32 trust\n');
    await startService(options, 'postgres');
    await expect(inPostgres(urlOf('tapeproof'), (client) => client.query('SELECT 1'))).rejects.toThrow(/password/);
    await inPostgres(urlOf(`tapeproof_migrator:${secrets().postgresMigrator}`), (client) =>
      client.query('ALTER TABLE made.rows ADD b int; DROP SCHEMA made CASCADE'),
    );
  });
});
