import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import pg from 'pg';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  DEFAULT_STACK_OPTIONS,
  freePorts,
  killService,
  readEndpoints,
  SERVICE_NAMES,
  stackDown,
  stackReset,
  stackStatus,
  stackUp,
  startService,
  stopService,
  type ServiceName,
  type ServiceStatus,
  type StackEndpoints,
  type StackOptions,
} from '../stack/main.ts';
import { custodyOf } from '../stack/custody.ts';
import { announceProcess } from '../bin/status/processes.ts';
import { endpointsOf } from '../stack/options.ts';
import { PARTS } from '../stack/parts.ts';
import { onPath } from '../stack/run.ts';
import { readSecrets } from '../stack/secrets.ts';
import { runCommand } from './support/command.ts';

/**
 * The stack itself, in a separate folder and on separate ports. The tests are one story and run in order: up, crash, up
 * again with the data still there, down, reset.
 */
let options: StackOptions;
let endpoints: StackEndpoints;
const silent = (): void => undefined;

beforeAll(async () => {
  // 0700, as mkdtemp makes it: also root's Postgres, which does not run as root, must get in.
  const folder = await mkdtemp(join(tmpdir(), 'tapeproof-stack-'));
  options = { folder, partsFolder: DEFAULT_STACK_OPTIONS.partsFolder, ports: await freePorts() };
  // Long enough for the first download on a slow line.
}, 900_000);

afterAll(async () => {
  await stackReset(options, silent);
  await rm(options.folder, { recursive: true });
});

async function statusByName(): Promise<Map<ServiceName, ServiceStatus>> {
  return new Map((await stackStatus(options)).map((status) => [status.name, status]));
}

async function states(): Promise<string[]> {
  return (await stackStatus(options)).map(({ state }) => state);
}

const allOf = (state: ServiceStatus['state']): string[] => SERVICE_NAMES.map(() => state);

async function withKafka<T>(work: (admin: ReturnType<Kafka['admin']>) => Promise<T>): Promise<T> {
  const admin = new Kafka({ brokers: [endpoints.kafkaBrokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  return work(admin).finally(() => admin.disconnect());
}

async function withPostgres<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(endpoints.postgresMigratorUrl);
  await client.connect();
  return work(client).finally(() => client.end());
}

async function withRedis<T>(work: (client: Redis) => Promise<T>, url = endpoints.redisUrl): Promise<T> {
  const client = new Redis(url);
  return work(client).finally(() => {
    client.disconnect();
  });
}

const SUBJECT = 'lifecycle-value';

describe('stack up --help', () => {
  it('names every port with its default, and the folders', async () => {
    const { stdout } = await runCommand(['stack', 'up', '--help']);
    const { ports, folder, partsFolder } = DEFAULT_STACK_OPTIONS;
    for (const [name, port] of Object.entries(ports)) {
      expect(stdout).toMatch(new RegExp(`^ +TAPEPROOF_STACK_PORT_${name.toUpperCase()} +${String(port)} `, 'm'));
    }
    expect(stdout).toContain(`TAPEPROOF_STACK_FOLDER           data and logs: ${folder}\n`);
    expect(stdout).toContain(`TAPEPROOF_STACK_PARTS_FOLDER     downloads: ${partsFolder}\n`);
  });
});

describe('the local stack', () => {
  it('comes up, and commands find it', { timeout: 900_000 }, async () => {
    endpoints = await stackUp(options, silent);
    expect(await states()).toEqual(allOf('running'));
    expect(readEndpoints(options.folder)).toEqual(endpoints);
    expect(existsSync(endpoints.bitstampTradesFile)).toBe(true);
    for (const status of await stackStatus(options)) expect(status.residentBytes).toBeGreaterThan(1_000_000);
  });

  it('is left unchanged by a second up, and by two at once', async () => {
    const before = await statusByName();
    await Promise.all([stackUp(options, silent), stackUp(options, silent)]);
    for (const [name, { pid }] of await statusByName()) expect(pid).toBe(before.get(name)?.pid);
  });

  it('works: a topic only on request, a schema, a row, a key', async () => {
    await withKafka(async (admin) => {
      await expect(admin.fetchTopicMetadata({ topics: ['never-created'] })).rejects.toThrow();
      await admin.createTopics({ topics: [{ topic: 'lifecycle', numPartitions: 2 }] });
    });
    const schema = JSON.stringify({ type: 'record', name: 'Lifecycle', fields: [{ name: 'a', type: 'long' }] });
    const registered = await fetch(`${endpoints.registryUrl}/subjects/${SUBJECT}/versions`, {
      method: 'POST',
      headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
      body: JSON.stringify({ schema }),
    });
    expect(registered.status).toBe(200);
    await withPostgres((client) => client.query('CREATE TABLE lifecycle AS SELECT 7 AS a'));
    await withRedis(async (client) => {
      await client.set('lifecycle', '7');
      expect(await client.info('memory')).toContain('maxmemory_policy:noeviction');
    });
  });

  it('reports which service crashed, and keeps all data over a crash of all', async () => {
    for (const [, { pid }] of await statusByName()) process.kill(pid!, 'SIGKILL');
    await expect.poll(states, { timeout: 10_000 }).toEqual(allOf('stopped'));
    for (const { detail } of await stackStatus(options)) expect(detail).toMatch(/unexpectedly/);

    await stackUp(options, silent);
    expect(await withKafka((admin) => admin.listTopics())).toContain('lifecycle');
    expect(await withPostgres((client) => client.query('SELECT a FROM lifecycle'))).toMatchObject({ rows: [{ a: 7 }] });
    expect(await withRedis((client) => client.get('lifecycle'))).toBe('7');
    const subjects = await fetch(`${endpoints.registryUrl}/subjects`);
    expect(await subjects.json()).toContain(SUBJECT);
  });

  it.each(['postgres', 'redis'] as const)('stops, kills and starts %s alone', async (name) => {
    await stopService(options, name);
    expect((await statusByName()).get(name)?.state).toBe('stopped');
    await startService(options, name);
    const { pid } = (await statusByName()).get(name)!;
    await killService(options, name);
    await startService(options, name);
    const after = (await statusByName()).get(name)!;
    expect(after.state).toBe('running');
    expect(after.pid).not.toBe(pid);
  });

  it('starts Postgres although its lock file names a pid that now belongs to another program', async () => {
    await killService(options, 'postgres');
    const stranger = spawn('sleep', ['1000'], { stdio: 'ignore' });
    const lockFile = join(await (await custodyOf(options.folder)).folder('postgres'), 'data', 'postmaster.pid');
    await writeFile(lockFile, (await readFile(lockFile, 'utf8')).replace(/^\d+/, String(stranger.pid)));
    await startService(options, 'postgres').finally(() => stranger.kill());
    expect((await statusByName()).get('postgres')?.state).toBe('running');
  });

  it('calls a service that hangs unhealthy', async () => {
    const { pid } = (await statusByName()).get('redis')!;
    process.kill(pid!, 'SIGSTOP');
    const status = (await statusByName()).get('redis')!;
    process.kill(pid!, 'SIGCONT');
    expect(status).toMatchObject({ state: 'unhealthy', pid });
    await expect.poll(states).toEqual(allOf('running'));
  });

  it('does not start a service before those it needs', async () => {
    await stopService(options, 'registry');
    await killService(options, 'kafka');
    await expect(startService(options, 'registry')).rejects.toThrow(/registry needs kafka/);
  });

  it('stops the services that it started if one does not come up, and leaves those that were up', async () => {
    const before = await statusByName();
    const partsFolder = await mkdtemp(join(options.folder, 'parts-'));
    for (const name of await readdir(options.partsFolder)) {
      await symlink(join(options.partsFolder, name), join(partsFolder, name));
    }
    await rm(join(partsFolder, PARTS.registry.folder));
    await mkdir(join(partsFolder, PARTS.registry.folder));
    const told: string[] = [];
    await expect(
      stackUp({ ...options, partsFolder }, ({ subject, text, lasting }) => {
        if (lasting) told.push(`${subject} ${text}`);
      }),
    ).rejects.toThrow(/The schema registry ended while it was starting/);
    expect(told.at(-1)).toBe('kafka stopped');
    const after = await statusByName();
    for (const name of ['kafka', 'registry'] as const) expect(after.get(name)?.state).toBe('stopped');
    for (const name of ['postgres', 'redis'] as const) expect(after.get(name)?.pid).toBe(before.get(name)?.pid);
  });

  it('asks for Maven before it starts anything', async () => {
    const withoutMaven = await mkdtemp(join(options.folder, 'path-'));
    const java = onPath('java');
    if (java !== undefined) await symlink(java, join(withoutMaven, 'java'));
    vi.stubEnv('PATH', withoutMaven);
    const told: unknown[] = [];
    const up = stackUp({ ...options, partsFolder: withoutMaven }, (progress) => told.push(progress));
    await expect(up.finally(() => vi.unstubAllEnvs())).rejects.toThrow('`mvn` is not on the PATH');
    expect(told).toEqual([]);
  });

  it('refuses a port that another program holds, with exit code 3', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(options.ports.registry, '127.0.0.1', resolve));
    await expect(stackUp(options, silent)).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringMatching(`Port ${options.ports.registry} .*in use`) as unknown,
    });
    await new Promise((resolve) => server.close(resolve));
    expect((await statusByName()).get('kafka')?.state).toBe('stopped');
  });

  it('leaves nothing running when it goes down', async () => {
    await startService(options, 'kafka');
    const pids = (await stackStatus(options)).flatMap(({ pid }) => pid ?? []);
    expect(pids).toHaveLength(3);
    await stackDown(options, silent);
    expect(await states()).toEqual(allOf('stopped'));
    expect(readEndpoints(options.folder)).toBeUndefined();
    await stackDown(options, silent);
  });

  it('loses its data by a reset, but not its downloads, and names the processes that still run', async () => {
    const environment = { TAPEPROOF_STACK_FOLDER: options.folder };
    const withdraw = announceProcess(options.folder, { name: 'engine', host: '127.0.0.1', port: 1 });
    const { exitCode, stderr } = await runCommand(['stack', 'reset'], environment);
    expect(exitCode).toBe(0);
    expect(stderr).toContain(`Still running: engine (pid ${process.pid}). Stop them`);
    withdraw();
    expect((await runCommand(['stack', 'reset'], environment)).stderr).not.toContain('Still running');
    for (const name of SERVICE_NAMES) expect(existsSync(join(options.folder, name))).toBe(false);
    expect(existsSync(endpoints.bitstampTradesFile)).toBe(true);
    await startService(options, 'redis');
    const secrets = readSecrets(options.folder);
    if (secrets === undefined) throw new Error('its passwords are new');
    const { redisUrl } = endpointsOf(options, secrets, '');
    expect(redisUrl).not.toBe(endpoints.redisUrl);
    expect(await withRedis((client) => client.get('lifecycle'), redisUrl)).toBeNull();
  });
});
