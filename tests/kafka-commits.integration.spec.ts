import { randomUUID } from 'node:crypto';
import type { Consumer, Kafka } from 'kafkajs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createKafka } from '../platform/kafka/client.ts';
import { startConsumer, type ConsumerSettings, type RunningConsumer } from '../platform/kafka/consumer.ts';
import { createLog } from '../platform/log.ts';
import { stackConnections } from './support/stack.ts';
import { append, committedOffsets, createTopic } from './support/topics.ts';
import { until } from './support/until.ts';

/** The consumer's own pace. */
const COMMIT_INTERVAL_MS = 250;
const log = createLog('test', 'silent');
let kafka: Kafka;
let groupId: string;
const running = new Set<RunningConsumer>();

beforeAll(() => {
  kafka = newKafka();
});
afterEach(async () => {
  await Promise.all([...running].map((consumer) => consumer.stop()));
  running.clear();
});

function newKafka(): Kafka {
  return createKafka(stackConnections().kafkaBrokers, 'test', log);
}

/** A client that exposes the consumer created with it. */
function watchedKafka(watch: (consumer: Consumer) => void): Kafka {
  const watched = newKafka();
  const make = watched.consumer.bind(watched);
  watched.consumer = (config) => {
    const consumer = make(config);
    watch(consumer);
    return consumer;
  };
  return watched;
}

async function consume(
  topic: string,
  handle: ConsumerSettings['handle'],
  more: Partial<ConsumerSettings> = {},
): Promise<RunningConsumer> {
  const consumer = await startConsumer({ kafka: newKafka(), groupId, topics: [topic], log, handle, ...more });
  running.add(consumer);
  return consumer;
}

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `value ${index}`);
}

async function topicWith(partitions: number, count: number): Promise<string> {
  groupId = `test-${randomUUID()}`;
  const topic = await createTopic(kafka, partitions);
  for (let partition = 0; partition < partitions; partition += 1)
    await append(kafka, topic, partition, numbered(count));
  return topic;
}

describe('a commit', () => {
  it('happens at a pace, not with each batch, and without a further batch', async () => {
    const topic = await topicWith(1, 400);
    let commits = 0;
    const watched = watchedKafka((consumer) => {
      consumer.on(consumer.events.COMMIT_OFFSETS, () => (commits += 1));
    });
    const startedAt = performance.now();
    let batches = 0;
    await consume(
      topic,
      (batch) => {
        batches += 1;
        return Promise.resolve({ nextOffset: batch.firstOffset + 1 });
      },
      { kafka: watched },
    );
    await until('the last record is committed', async () => {
      return (await committedOffsets(kafka, groupId, topic)).get(0) === 400;
    });
    expect(batches).toBe(400);
    const intervals = (performance.now() - startedAt) / COMMIT_INTERVAL_MS;
    expect(commits).toBeLessThanOrEqual(Math.ceil(intervals));
    expect(commits).toBeLessThan(batches);
  });

  it('is made on a stop between batches', async () => {
    const topic = await topicWith(1, 100);
    const ended = Promise.withResolvers<undefined>();
    const watched = watchedKafka((consumer) => {
      consumer.on(consumer.events.END_BATCH_PROCESS, () => {
        ended.resolve(undefined);
      });
    });
    const consumer = await consume(topic, () => Promise.resolve({ nextOffset: 100 }), { kafka: watched });
    await ended.promise;
    await consumer.stop();
    expect(await committedOffsets(kafka, groupId, topic)).toEqual(new Map([[0, 100]]));
  });

  it('is made before partitions move between batches', async () => {
    const partitions = 6;
    const topic = await topicWith(partitions, 1);
    const counts = new Map<string, number>();
    const owned = new Map<string, number>();
    // Short batches that end before a rebalance is known: kafkajs notices it itself, between two of them.
    const member = (name: string): Promise<RunningConsumer> =>
      consume(
        topic,
        (batch) => {
          for (const { partition, offset } of batch.records) {
            const key = `${partition}-${offset}`;
            counts.set(key, (counts.get(key) ?? 0) + 1);
          }
          return Promise.resolve({ nextOffset: batch.firstOffset + batch.records.length });
        },
        { onAssigned: (assignment) => owned.set(name, assignment[topic]?.length ?? 0) },
      );
    await member('first');
    let appended = 1;
    let isOver = false;
    const producer = kafka.producer({
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition ?? 0,
      allowAutoTopicCreation: false,
    });
    await producer.connect();
    const appending = (async () => {
      for (; !isOver; appended += 1) {
        const messages = Array.from({ length: partitions }, (_, partition) => ({ partition, value: 'value' }));
        await producer.send({ topic, messages });
      }
    })();
    for (const name of ['second', 'third', 'fourth']) {
      await until('all partitions are with one member', () => owned.get('first') === partitions);
      const visitor = await member(name);
      await until(`${name} has its share`, () => owned.get(name) === partitions / 2);
      await until('and the first the others', () => owned.get('first') === partitions / 2);
      await visitor.stop();
    }
    isOver = true;
    await appending;
    await producer.disconnect();
    await until('everything has arrived', () => counts.size === partitions * appended);
    expect([...counts.values()].filter((count) => count > 1)).toEqual([]);
  });
});
