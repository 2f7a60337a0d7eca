import { createHash } from 'node:crypto';
import { bodyOf, decodeBody, hashBody, sha256Hex } from '../../contracts/codec.ts';
import { DEAD_LETTERS_TOPIC, TOPIC_OF_DERIVED, type DerivedName, type TopicName } from '../../contracts/topics.ts';
import type { Connections } from '../../platform/connections.ts';
import { createLogReader, type LogReader } from '../../platform/kafka/log-reader.ts';
import type { LogRecord } from '../../platform/kafka/log-record.ts';
import { createPool } from '../../platform/postgres.ts';
import { connectRedis, type Redis } from '../../platform/redis.ts';
import { redisAdministratorUrl } from './stack.ts';

/** The stored content, by place: a number of items and a hash of their bytes. */
export type Digest = Readonly<Record<string, string>>;

/** Views that show how the log was read, not its content. */
const READING_VIEWS = ['projector_positions', 'projector_ledger', 'projector_rebuilds', 'root_checks'];
/** The live generation only shows how often it was rebuilt. */
const GENERATION = /^tp:(\d+):/;
const READING_KEYS = /:(position|ledger)$|:partitions$/;

/** Both stores and the logs. Data that may differ between runs (how far, how often) is left out. */
export async function digestOf(connections: Connections, partitions: number): Promise<Digest> {
  return {
    ...(await postgresDigest(connections.postgresUrl)),
    ...(await redisDigest(connections.redisUrl)),
    ...(await logDigest(connections.kafkaBrokers, partitions)),
  };
}

async function postgresDigest(url: string): Promise<Record<string, string>> {
  const pool = createPool(url, 'test-digest');
  try {
    const digest: Record<string, string> = {};
    const { rows: views } = await pool.query<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.views
       WHERE table_schema = 'tapeproof' ORDER BY table_name COLLATE "C"`,
    );
    for (const { name } of views) {
      if (READING_VIEWS.includes(name)) continue;
      const { rows } = await pool.query<{ count: string; digest: string | null }>(
        `SELECT count(*) AS count, md5(string_agg(line, E'\\n' ORDER BY line COLLATE "C")) AS digest
         FROM (SELECT v::text AS line FROM tapeproof."${name}" v) AS lines`,
      );
      digest[`postgres ${name}`] = `${rows[0]?.count ?? '0'} rows ${rows[0]?.digest ?? ''}`;
    }
    return digest;
  } finally {
    await pool.end();
  }
}

async function redisDigest(url: string): Promise<Record<string, string>> {
  const redis = await connectRedis(redisAdministratorUrl(url), 'test-digest');
  try {
    const live = await Promise.all((await redis.keys('tp:*:live')).map((key) => redis.get(key)));
    const keys = (await redis.keys('*'))
      .filter((key) => !READING_KEYS.test(key) && live.includes(GENERATION.exec(key)?.[1] ?? ''))
      .sort();
    const hash = createHash('sha256');
    for (const key of keys) {
      hash.update(`${key.replace(GENERATION, '')} ${JSON.stringify(await valueOf(redis, key))}\n`);
    }
    return { redis: `${keys.length} keys ${hash.digest('hex')}` };
  } finally {
    redis.disconnect();
  }
}

async function valueOf(redis: Redis, key: string): Promise<unknown> {
  const type = await redis.type(key);
  if (type === 'string') return redis.get(key);
  if (type === 'set') return (await redis.smembers(key)).sort();
  if (type === 'hash')
    return Object.entries(await redis.hgetall(key)).sort(([left], [right]) => (left < right ? -1 : 1));
  throw new Error(`a key of type ${type}: ${key}`);
}

async function logDigest(brokers: readonly string[], partitions: number): Promise<Record<string, string>> {
  const reader = createLogReader(brokers);
  try {
    const digest: Record<string, string> = {};
    for (const [name, topic] of Object.entries(TOPIC_OF_DERIVED) as [DerivedName, TopicName][]) {
      digest[topic] = await uniqueDigest(reader, topic, partitions, ({ partition, value }) => {
        const body = bodyOf(value ?? Buffer.alloc(0));
        const { sequence } = decodeBody(name, body);
        return [`${partition} ${String(sequence).padStart(12, '0')}`, hashBody(name, body).toString('hex')];
      });
    }
    digest[DEAD_LETTERS_TOPIC] = await uniqueDigest(reader, DEAD_LETTERS_TOPIC, partitions, ({ value }) => {
      const body = bodyOf(value ?? Buffer.alloc(0));
      return [decodeBody('DeadLetter', body).deadLetterId, sha256Hex(body)];
    });
    return digest;
  } finally {
    await reader.close();
  }
}

/**
 * The records of a topic by identity, in the identities' order. @throws Error when different bytes share one identity.
 */
async function uniqueDigest(
  reader: LogReader,
  topic: TopicName,
  partitions: number,
  identify: (record: LogRecord) => readonly [identity: string, hash: string],
): Promise<string> {
  const unique = new Map<string, string>();
  for (let partition = 0; partition < partitions; partition += 1) {
    const from = await reader.startOffset(topic, partition);
    for await (const records of reader.read({ topic, partition, from, to: Infinity })) {
      for (const record of records) {
        const [identity, hash] = identify(record);
        const known = unique.get(identity);
        if (known !== undefined && known !== hash) throw new Error(`${topic}: two bytes are ${identity}`);
        unique.set(identity, hash);
      }
    }
  }
  const lines = [...unique].sort(([left], [right]) => (left < right ? -1 : 1)).map((pair) => pair.join(' '));
  return `${unique.size} records ${sha256Hex(lines.join('\n'))}`;
}
