import { randomUUID } from 'node:crypto';
import { DEFAULT_PARTITIONS, DERIVED_TOPICS, TAPE_TOPIC } from '../../contracts/topics.ts';
import { createPartitionTask } from '../../evaluators/partition-task.ts';
import { migratorUrlOf, type Connections } from '../../platform/connections.ts';
import { createKafka } from '../../platform/kafka/client.ts';
import { createRegistry } from '../../platform/kafka/registry.ts';
import { createTapeDecoder } from '../../platform/kafka/tape-decoder.ts';
import type { Log } from '../../platform/log.ts';
import { createPool, type Pool } from '../../platform/postgres.ts';
import type { Sample } from './measurement.ts';

/** Its events, one row each. */
export const NAIVE_TABLE = 'public.bench_peers_events';
const SAMPLES = 20;
const MICROSECONDS_PER_SECOND = 1_000_000;

/**
 * What people write first: one message at a time, an INSERT for each event, a commit for each message. The formulas are
 * the engine's own; its state is lost with the process. Ends after a number of trades.
 */
export async function runNaiveConsumer(
  connections: Connections,
  trades: number,
  log: Log,
): Promise<{ readonly events: number; readonly samples: readonly Sample[] }> {
  const pool = createPool(migratorUrlOf(connections), 'tapeproof-bench-naive');
  const decode = createTapeDecoder(createRegistry(connections.registryUrl));
  const tasks = Array.from({ length: DEFAULT_PARTITIONS }, (_, partition) =>
    createPartitionTask(partition, { isUnproven: true }),
  );
  const consumer = createKafka(connections.kafkaBrokers, 'tapeproof-bench-naive', log).consumer({
    groupId: `tapeproof-bench-naive-${randomUUID()}`,
  });
  const finished = Promise.withResolvers<undefined>();
  const samples: Sample[] = [];
  let [events, processed] = [0, 0];
  const sample = (): void => {
    const { user, system } = process.cpuUsage();
    samples.push({
      atMs: performance.now(),
      cpuSeconds: (user + system) / MICROSECONDS_PER_SECOND,
      outputs: processed,
    });
  };
  try {
    await createTable(pool);
    await consumer.connect();
    await consumer.subscribe({ topics: [TAPE_TOPIC], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ topic, partition, message }) => {
        const task = tasks[partition];
        if (task === undefined || processed >= trades) return;
        const content = await decode(message);
        const offset = Number(message.offset);
        for (const derived of task.advance({ partition, offset, content }).derived) {
          const place = [DERIVED_TOPICS.indexOf(derived.topic), partition, derived.sequence];
          await pool.query(`INSERT INTO ${NAIVE_TABLE} VALUES ($1, $2, $3, $4)`, [
            ...place,
            JSON.stringify(derived.event),
          ]);
          events += 1;
        }
        await consumer.commitOffsets([{ topic, partition, offset: String(offset + 1) }]);
        if (content.kind === 'trade') processed += 1;
        if (processed % Math.ceil(trades / SAMPLES) === 1 || processed === trades) sample();
        if (processed === trades) finished.resolve(undefined);
      },
    });
    await finished.promise;
    return { events, samples };
  } finally {
    await consumer.disconnect();
    await pool.end();
  }
}

async function createTable(pool: Pool): Promise<void> {
  await pool.query(`DROP TABLE IF EXISTS ${NAIVE_TABLE}`);
  await pool.query(
    `CREATE TABLE ${NAIVE_TABLE}
     (topic smallint, partition integer, sequence bigint, event json, PRIMARY KEY (topic, partition, sequence))`,
  );
}
