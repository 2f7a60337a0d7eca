import type { Admin } from 'kafkajs';
import { inject, type ProvidedContext } from 'vitest';
import { migratorUrlOf, type Connections } from '../../platform/connections.ts';
import { TOPICS, type TopicName } from '../../contracts/topics.ts';
import { createKafka, withAdmin } from '../../platform/kafka/client.ts';
import { createRegistry } from '../../platform/kafka/registry.ts';
import { applyTopics } from '../../platform/kafka/topics.ts';
import { createLog } from '../../platform/log.ts';
import { createPool, migrate } from '../../platform/postgres.ts';
import { connectRedis } from '../../platform/redis.ts';
import { startService, type ServiceName, type StackEndpoints, type StackOptions } from '../../stack/main.ts';
import { POSTGRES_ADMINISTRATOR } from '../../stack/postgres-roles.ts';
import { readSecrets } from '../../stack/secrets.ts';
import { laneOfThisWorker } from '../lanes.ts';
import { until } from './until.ts';

type TestStack = ProvidedContext['stacks'][number];
let own: TestStack | undefined;

/** From now on this file works on a stack of its own: all functions here mean it instead of the lane's. */
export function workOn(stack: TestStack): void {
  own = stack;
}

/** The services of the lane that this file runs in. No other file uses them meanwhile. */
function testStack(): TestStack {
  const stack = own ?? inject('stacks')[laneOfThisWorker()];
  if (stack === undefined) throw new Error('this lane has no stack');
  return stack;
}

export function stackEndpoints(): StackEndpoints {
  return testStack().endpoints;
}

/** The addresses of the services of this test file. */
export function stackConnections(): Connections {
  const endpoints = stackEndpoints();
  return {
    kafkaBrokers: endpoints.kafkaBrokers.split(','),
    registryUrl: endpoints.registryUrl,
    postgresUrl: endpoints.postgresUrl,
    postgresMigratorUrl: endpoints.postgresMigratorUrl,
    redisUrl: endpoints.redisUrl,
  };
}

/** Redis as its administrator: breaking and emptying it is denied to the application. */
export function redisAdministratorUrl(redisUrl = stackConnections().redisUrl): string {
  const secrets = readSecrets(stackOptions().folder);
  const url = new URL(redisUrl);
  url.username = 'default';
  url.password = secrets?.redisAdministrator ?? '';
  return url.href;
}

/** Postgres as its superuser: breaking it is denied to the roles of the application. */
export function postgresAdministratorUrl(postgresUrl = stackConnections().postgresUrl): string {
  const secrets = readSecrets(stackOptions().folder);
  const url = new URL(postgresUrl);
  url.username = POSTGRES_ADMINISTRATOR;
  url.password = secrets?.postgresAdministrator ?? '';
  return url.href;
}

/** For startService, stopService and killService. */
export function stackOptions(): StackOptions {
  return testStack().options;
}

/** A group keeps a killed process as a member until its session ends. */
const GROUP_DEADLINE_MS = 120_000;
const OURS = /^(tapeproof|test)/;

/**
 * Resets every store: topics recreated and empty, schemas registered, no consumer group, Postgres migrated and empty,
 * Redis empty. For tests that need the tape to themselves; end their processes first.
 *
 * @param kept topics that stay unchanged.
 */
export async function resetStores(connections = stackConnections(), kept: readonly TopicName[] = []): Promise<void> {
  const kafka = createKafka(connections.kafkaBrokers, 'test-reset', createLog('test', 'silent'));
  await withAdmin(kafka, (admin) => clearKafka(admin, kept), 2 * GROUP_DEADLINE_MS);
  await until('the topics are there', () => applyTopics(kafka).then(() => true));
  await createRegistry(connections.registryUrl).register();
  await resetPostgres(migratorUrlOf(connections));
  const redis = await connectRedis(redisAdministratorUrl(connections.redisUrl), 'test-reset');
  await redis.flushall();
  redis.disconnect();
}

async function clearKafka(admin: Admin, kept: readonly TopicName[]): Promise<void> {
  const present = new Set(await admin.listTopics());
  const topics = TOPICS.map(({ name }) => name).filter((name) => present.has(name) && !kept.includes(name));
  if (topics.length > 0) await admin.deleteTopics({ topics });
  await until('the topics are gone', async () => {
    const left = new Set(await admin.listTopics());
    return topics.every((topic) => !left.has(topic));
  });
  await until(
    'no group is left',
    async () => {
      const { groups } = await admin.listGroups();
      const ids = groups.map(({ groupId }) => groupId).filter((groupId) => OURS.test(groupId));
      if (ids.length > 0) await admin.deleteGroups(ids).catch(() => undefined);
      return ids.length === 0;
    },
    GROUP_DEADLINE_MS,
  );
}

async function resetPostgres(url: string): Promise<void> {
  const pool = createPool(url, 'test-reset');
  try {
    const { rows } = await pool.query<{ name: string }>(
      `SELECT nspname AS name FROM pg_namespace
       WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public') ORDER BY nspname COLLATE "C"`,
    );
    for (const { name } of rows) await pool.query(`DROP SCHEMA "${name}" CASCADE`);
    await migrate(pool);
  } finally {
    await pool.end();
  }
}

/**
 * Starts a service that was killed or stopped. The kernel may hold a killed process's port for a moment longer than its
 * process.
 */
export function startAgain(name: ServiceName): Promise<void> {
  return until(`${name} is up again`, () => startService(stackOptions(), name).then(() => true));
}
