import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Kafka } from 'kafkajs';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { TapeproofError } from '../platform/errors.ts';
import { createKafka, withAdmin } from '../platform/kafka/client.ts';
import {
  RUN_AGAIN_DELAY_MS,
  startConsumer,
  type ConsumerSettings,
  type RunningConsumer,
} from '../platform/kafka/consumer.ts';
import type { PartitionBatch } from '../platform/kafka/partition-batch.ts';
import { createLog } from '../platform/log.ts';
import { killService } from '../stack/main.ts';
import { stackConnections, stackOptions, startAgain } from './support/stack.ts';
import { append, committedOffsets, createTopic, groupState, memberCount } from './support/topics.ts';
import { until } from './support/until.ts';

const log = createLog('test', 'silent');
const STOP_MS_MAX = 10_000;
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

type Handler = ConsumerSettings['handle'];

async function consume(topic: string, handle: Handler, more: Partial<ConsumerSettings> = {}): Promise<RunningConsumer> {
  const consumer = await startConsumer({ kafka: newKafka(), groupId, topics: [topic], log, handle, ...more });
  running.add(consumer);
  return consumer;
}

/** A sink that counts, per partition, how often it got each offset. */
class Sink {
  readonly counts = new Map<string, number>();

  apply(batch: PartitionBatch, from = 0, to = batch.records.length): { nextOffset: number } {
    const applied = [...batch.records].slice(from, to);
    for (const { partition, offset } of applied) {
      const key = `${partition}-${offset}`;
      this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
    }
    return { nextOffset: (applied.at(-1)?.offset ?? batch.firstOffset - 1) + 1 };
  }

  get repeated(): number {
    return [...this.counts.values()].filter((count) => count > 1).length;
  }
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

describe('a consumer', () => {
  it('delivers a partition in order, with key, value, headers and time', async () => {
    groupId = `test-${randomUUID()}`;
    const topic = await createTopic(kafka, 1);
    const producer = kafka.producer({ createPartitioner: () => () => 0 });
    await producer.connect();
    const headers = { 'emitted-at': 'now', twice: ['first', 'second'] };
    await producer.send({ topic, messages: [{ key: 'k', value: 'v', headers, timestamp: '1700000000000' }] });
    await producer.send({ topic, messages: [{ key: null, value: null, timestamp: '1700000000001' }] });
    await producer.disconnect();
    const seen: unknown[] = [];
    await consume(topic, (batch) => {
      for (const { topic, partition, offset, key, value, headers, timestampMs } of batch.records) {
        seen.push({ topic, partition, offset, key, value, headers, timestampMs });
      }
      expect(batch.highWatermark).toBe(2);
      return Promise.resolve({ nextOffset: 2 });
    });
    await until('both are there', () => seen.length === 2);
    const place = { topic, partition: 0 };
    expect(seen).toEqual([
      {
        ...place,
        offset: 0,
        key: Buffer.from('k'),
        value: Buffer.from('v'),
        headers: { 'emitted-at': 'now', twice: 'second' },
        timestampMs: 1_700_000_000_000,
      },
      { ...place, offset: 1, key: null, value: null, headers: {}, timestampMs: 1_700_000_000_001 },
    ]);
  });

  it('commits applied offsets on shutdown, and no more', async () => {
    const topic = await topicWith(1, 100);
    const sink = new Sink();
    let began: () => void = () => undefined;
    const beginning = new Promise<void>((resolve) => (began = resolve));
    const first = await consume(topic, async (batch) => {
      began();
      await until('the stop is known', batch.interrupted);
      return sink.apply(batch, 0, 40);
    });
    await beginning;
    await first.stop();
    expect(await committedOffsets(kafka, groupId, topic)).toEqual(new Map([[0, 40]]));
    await consume(topic, (batch) => Promise.resolve(sink.apply(batch)));
    await until('the rest has arrived', () => sink.counts.size === 100);
    expect(sink.repeated).toBe(0);
  });

  it('loses and repeats nothing while members join and leave under load', async () => {
    const [partitions, perPartition] = [6, 3_000];
    const topic = await topicWith(partitions, perPartition);
    const sink = new Sink();
    // Never finishes a batch itself: every change of membership interrupts all partitions at work.
    const endlessly: Handler = async (batch) => {
      let nextOffset = batch.firstOffset;
      while (!batch.interrupted()) {
        const from = nextOffset - batch.firstOffset;
        nextOffset = Math.max(nextOffset, sink.apply(batch, from, from + 20).nextOffset);
        await sleep(20);
      }
      return { nextOffset };
    };
    const owners = new Map<string, Set<number>>();
    const member = (name: string): Promise<RunningConsumer> =>
      consume(topic, endlessly, {
        concurrency: partitions,
        onAssigned: (assignment) => owners.set(name, new Set(assignment[topic])),
        onRevoked: (assignment) => {
          for (const partition of assignment[topic] ?? []) owners.get(name)?.delete(partition);
        },
      });
    await member('first');
    for (const name of ['second', 'third', 'fourth']) {
      await until('all partitions are with one member', () => owners.get('first')?.size === partitions);
      const visitor = await member(name);
      await until(`${name} has partitions`, () => (owners.get(name)?.size ?? 0) > 0);
      await until('and the first the others', () => owners.get('first')?.size === partitions / 2);
      await visitor.stop();
      expect(owners.get(name)?.size).toBe(0);
    }
    await until('everything has arrived', () => sink.counts.size === partitions * perPartition);
    expect(sink.repeated).toBe(0);
  });

  it('continues elsewhere on request, and commits nothing for it', async () => {
    const topic = await topicWith(1, 100);
    const firsts: number[] = [];
    await consume(topic, (batch) => {
      firsts.push(batch.firstOffset);
      if (firsts.length === 1) return Promise.resolve({ resumeAt: 70 });
      if (firsts.length === 2) return Promise.resolve({ resumeAt: 30 });
      return new Promise(() => undefined);
    });
    await until('it has been sought twice', () => firsts.length === 3);
    expect(firsts).toEqual([0, 70, 30]);
    expect(await committedOffsets(kafka, groupId, topic)).toEqual(new Map([[0, -1]]));
    running.clear();
  });

  it('commits and skips records that the store had before the group began', async () => {
    const topic = await topicWith(1, 100);
    const firsts: number[] = [];
    await consume(topic, (batch) => {
      firsts.push(batch.firstOffset);
      return Promise.resolve(firsts.length === 1 ? { appliedUpTo: 100 } : { nextOffset: batch.firstOffset + 1 });
    });
    await until('what was applied is committed', async () => {
      return (await committedOffsets(kafka, groupId, topic)).get(0) === 100;
    });
    expect(firsts).toEqual([0]);
  });

  it('retries, like any other, a batch that begins with a transaction’s marker', async () => {
    const topic = await topicWith(1, 0);
    const producer = kafka.producer({ transactionalId: groupId, maxInFlightRequests: 1, idempotent: true });
    await producer.connect();
    for (const value of ['before the marker', 'behind it']) {
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: [{ value }] });
      await transaction.commit();
    }
    await producer.disconnect();
    const [marker, end] = [1, 4];
    await withAdmin(kafka, (admin) =>
      admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: String(marker) }] }),
    );
    const seen: (readonly [first: number, values: readonly string[]])[] = [];
    const consumer = await consume(topic, ({ firstOffset, records }) => {
      seen.push([firstOffset, [...records].map(({ value }) => String(value))]);
      const last = records.at(-1)?.offset ?? firstOffset;
      return Promise.resolve({ nextOffset: seen.length === 1 ? firstOffset : last + 1 });
    });
    consumer.done.catch(() => undefined);
    await until('all is committed', async () => (await committedOffsets(kafka, groupId, topic)).get(0) === end);
    expect(seen).toEqual(Array.from({ length: 2 }, () => [marker, ['behind it']]));
  });

  it('stops permanently on an expected failure, and says so', async () => {
    const topic = await topicWith(1, 10);
    const consumer = await consume(topic, () => Promise.reject(new TapeproofError('CONFLICT', 'two bytes differ')));
    await expect(consumer.done).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await memberCount(kafka, groupId)).toBe(0);
    expect(await committedOffsets(kafka, groupId, topic)).toEqual(new Map([[0, -1]]));
  });

  it('does not live on as a dead process after a bug', async () => {
    const topic = await topicWith(1, 10);
    let attempts = 0;
    const consumer = await consume(topic, () => {
      attempts += 1;
      return Promise.reject(new TypeError('undefined is not a function'));
    });
    await expect(consumer.done).rejects.toThrow('undefined is not a function');
    expect(attempts).toBe(3);
  });

  it('leaves no ghost when it is stopped during its first join', async () => {
    const topic = await topicWith(2, 10);
    let busy: () => void = () => undefined;
    const isBusy = new Promise<void>((resolve) => (busy = resolve));
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    // Keeps the group in its rebalance until released.
    await consume(topic, async (batch) => {
      busy();
      await released;
      return { nextOffset: batch.firstOffset };
    });
    await isBusy;
    const late = await consume(topic, () => Promise.reject(new Error('is not reached')));
    await until('it waits to be let in', async () => (await groupState(kafka, groupId)) === 'PreparingRebalance');
    const stoppedAt = Date.now();
    const stopped = late.stop();
    release();
    await stopped;
    expect(Date.now() - stoppedAt).toBeLessThan(STOP_MS_MAX);
    expect(await memberCount(kafka, groupId)).toBe(1);
  });
});

describe('an outage', () => {
  it('of the sink pauses, commits nothing, keeps memory bounded, and loses nothing', async () => {
    const [partitions, perPartition, bytes] = [2, 20_000, 1_000];
    groupId = `test-${randomUUID()}`;
    const topic = await createTopic(kafka, partitions);
    const values = Array.from({ length: perPartition }, () => 'x'.repeat(bytes));
    for (let partition = 0; partition < partitions; partition += 1) await append(kafka, topic, partition, values);
    const sink = new Sink();
    let isDown = true;
    let refused = 0;
    let bytesOfBatchMax = 0;
    await consume(topic, (batch) => {
      const bytesOfBatch = [...batch.records].reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
      bytesOfBatchMax = Math.max(bytesOfBatchMax, bytesOfBatch);
      if (!isDown) return Promise.resolve(sink.apply(batch));
      refused += 1;
      return Promise.reject(new TapeproofError('UNREACHABLE', 'the sink does not answer'));
    });
    await until('each partition was refused several times', () => refused >= 4 * partitions);
    expect(await committedOffsets(kafka, groupId, topic)).toEqual(new Map([[0, -1], [1, -1]])); // prettier-ignore
    isDown = false;
    await until('everything has arrived', () => sink.counts.size === partitions * perPartition);
    expect(sink.repeated).toBe(0);
    // 40 MB were waiting; a fetch of a partition is a mebibyte, plus one record batch that does not fit.
    expect(bytesOfBatchMax).toBeLessThan(3 * 1_048_576);
  });

  it.each([
    ['goes and comes back during a batch', 'back'],
    ['is gone when a batch is to be committed', 'gone'],
  ] as const)('of a broker that %s is ridden out', async (_what, batchEndsWhen) => {
    const topic = await topicWith(2, 500);
    const sink = new Sink();
    const broker = { gone: false, back: false };
    let busy = 0;
    await consume(
      topic,
      async (batch) => {
        busy += 1;
        // The heartbeats reveal the broker's absence and its return.
        const mayEnd = (): boolean => broker[batchEndsWhen] && (batchEndsWhen === 'gone' || batch.interrupted());
        if (!broker[batchEndsWhen]) await until('the batch may end', mayEnd);
        return sink.apply(batch);
      },
      { concurrency: 2 },
    );
    await until('both partitions are at work', () => busy === 2);
    await killService(stackOptions(), 'kafka');
    broker.gone = true;
    await startAgain('kafka');
    broker.back = true;
    await until('everything has arrived', () => sink.counts.size === 1_000);
    await until('and is committed', async () => {
      const committed = await committedOffsets(newKafka(), groupId, topic);
      return committed.get(0) === 500 && committed.get(1) === 500;
    });
  });

  it('of an idle consumer’s broker is ridden out', async () => {
    const topic = await topicWith(2, 500);
    const sink = new Sink();
    await consume(topic, (batch) => Promise.resolve(sink.apply(batch)));
    await until('all has arrived', () => sink.counts.size === 1_000);
    await killService(stackOptions(), 'kafka');
    await startAgain('kafka');
    await append(newKafka(), topic, 1, numbered(500));
    await until('what came after has arrived', () => sink.counts.size === 1_500);
    await until('and is committed', async () => {
      const committed = await committedOffsets(kafka, groupId, topic);
      return committed.get(0) === 500 && committed.get(1) === 1_000;
    });
  });
});

describe('an outage that the client takes for permanent', () => {
  // Kafka goes at the moment at which the group's coordinator is looked for: the client's own answer to that, once.
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/cluster') as {
    readonly prototype: { findGroupCoordinatorMetadata: (of: { readonly groupId: string }) => Promise<unknown> };
  };
  const coordinatorNotFound = () =>
    Object.assign(new Error('Failed to find group coordinator'), {
      ...{ name: 'KafkaJSGroupCoordinatorNotFound', retriable: false },
    });
  /** The first call is of the check of committed offsets before the consumer runs. */
  const failAtSecond = () => {
    const find = prototype.findGroupCoordinatorMetadata;
    return vi
      .spyOn(prototype, 'findGroupCoordinatorMetadata')
      .mockImplementationOnce(function (this: typeof prototype, ...given) {
        return find.apply(this, given);
      })
      .mockRejectedValueOnce(coordinatorNotFound());
  };

  it('is ridden out like any other', async () => {
    const topic = await topicWith(1, 5);
    const failing = failAtSecond();
    const sink = new Sink();
    const consumer = await consume(topic, (batch) => Promise.resolve(sink.apply(batch)));
    await Promise.race([consumer.done, until('all is read', () => sink.counts.size === 5)]);
    expect(failing.mock.calls.length).toBeGreaterThan(2);
    expect(sink.repeated).toBe(0);
    failing.mockRestore();
  });

  it('does not delay a stop, and nothing runs after it', async () => {
    const topic = await topicWith(1, 5);
    const failing = failAtSecond();
    const sink = new Sink();
    const consumer = await consume(topic, (batch) => Promise.resolve(sink.apply(batch)));
    await until('it has failed', () => failing.mock.calls.length > 1);
    await consumer.stop();
    const asked = failing.mock.calls.length;
    await sleep(2 * RUN_AGAIN_DELAY_MS);
    expect([failing.mock.calls.length, sink.counts.size]).toEqual([asked, 0]);
    failing.mockRestore();
  });
});

describe('a gap', () => {
  const deleteUpTo = (topic: string, offset: number): Promise<void> =>
    withAdmin(kafka, async (admin) => {
      // kafkajs must know the topic first.
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] });
    });

  it('before the group’s position stops it at the start', async () => {
    const topic = await topicWith(1, 100);
    const first = await consume(topic, () => Promise.resolve({ nextOffset: 10 }));
    await until('ten are committed', async () => (await committedOffsets(kafka, groupId, topic)).get(0) === 10);
    await first.stop();
    await deleteUpTo(topic, 100);
    await expect(consume(topic, () => Promise.reject(new Error('is not reached')))).rejects.toMatchObject({
      code: 'SEQUENCE_GAP',
    });
  });

  it('that opens while it runs stops it', async () => {
    const topic = await topicWith(1, 100);
    let refusals = 0;
    const consumer = await consume(topic, (batch) => {
      if (batch.firstOffset === 0) return Promise.resolve({ nextOffset: 10 });
      refusals += 1;
      return Promise.reject(new Error('the sink does not answer'));
    });
    await until('it waits at offset 10', () => refusals > 0);
    await deleteUpTo(topic, 50);
    await expect(consumer.done).rejects.toMatchObject({ code: 'SEQUENCE_GAP' });
  });

  it('of a missing topic is reported at once', async () => {
    groupId = `test-${randomUUID()}`;
    await expect(consume('test.missing', () => Promise.reject(new Error('is not reached')))).rejects.toMatchObject({
      code: 'UNREACHABLE',
    });
    expect(await withAdmin(kafka, (admin) => admin.listTopics())).not.toContain('test.missing');
  });
});
