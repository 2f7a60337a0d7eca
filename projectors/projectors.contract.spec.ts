import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TOPICS, type TopicName } from '../contracts/topics.ts';
import type { LogRecord } from '../platform/kafka/log-record.ts';
import type { OutgoingRecord } from '../platform/kafka/outgoing-record.ts';
import { createLog } from '../platform/log.ts';
import { createMemoryLatest, createMemoryTables, type MemoryStore } from '../tests/support/memory-store.ts';
import { readerOf, sampleLog, sampleRegistry, SAMPLE_PARTITIONS } from '../tests/support/sample-log.ts';
import { createBatchWriter } from './batch-writer.adapter.ts';
import { createEventReader } from './event-reader.adapter.ts';
import { createWindowReader } from './tape-windows.adapter.ts';
import type { LatestOperation, ProjectedEvent, Projector, ProjectorOf, RowInsert } from './projector.ts';
import { PROJECTORS } from './catalogue.ts';

const log = sampleLog();
const fill = createWindowReader(readerOf(log), sampleRegistry);
const silent = createLog('test', 'silent');

/** A projector with a store in memory, fed by hand. */
interface Bench {
  readonly store: MemoryStore<unknown>;
  readonly letters: OutgoingRecord[];
  /** Delivers all records of the projector's topics, split at the given places. */
  deliver(cuts?: readonly number[]): Promise<void>;
}

function benchOf(projector: Projector): Bench {
  return projector.sink === 'postgres'
    ? benchWith<RowInsert>(projector, createMemoryTables())
    : benchWith<LatestOperation>(projector, createMemoryLatest(projector.lags));
}

function benchWith<Output>(projector: ProjectorOf<Output>, store: MemoryStore<Output>): Bench {
  const letters: OutgoingRecord[] = [];
  const batchWriter = createBatchWriter<Output>({
    projector,
    sink: store,
    read: createEventReader(sampleRegistry, projector, SAMPLE_PARTITIONS, fill),
    remedyForGap: () => Promise.resolve(''),
    startOffset: () => Promise.resolve(0),
    sendDeadLetters: (sent) => {
      letters.push(...sent);
      return Promise.resolve();
    },
    log: silent,
  });
  return {
    store,
    letters,
    async deliver(cuts = []) {
      for (const records of partitionsOf(projector.topics)) {
        for (const batch of cut(records, cuts)) {
          const { topic, partition, offset } = batch[0] ?? missing();
          batchWriter.forget(topic, partition);
          await batchWriter.handle({
            topic,
            partition,
            firstOffset: offset,
            records: batch,
            highWatermark: records.length,
            heartbeat: () => Promise.resolve(),
            interrupted: () => false,
          });
        }
      }
    },
  };
}

function partitionsOf(topics: readonly TopicName[]): (readonly LogRecord[])[] {
  return topics.flatMap((topic) => [...(log.get(topic) ?? [])]).filter((records) => records.length > 0);
}

function cut(records: readonly LogRecord[], cuts: readonly number[]): (readonly LogRecord[])[] {
  const places = [...new Set([0, ...cuts.map((place) => place % records.length), records.length])].sort(
    (a, b) => a - b,
  );
  return places.slice(1).map((to, index) => records.slice(places[index], to));
}

function missing(): never {
  throw new RangeError('a batch has a record');
}

describe.each(PROJECTORS.map((projector) => [projector.name, projector] as const))('projector %s', (_, projector) => {
  it('is declared like the others', () => {
    expect(projector.name).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
    expect(PROJECTORS.filter(({ name }) => name === projector.name)).toHaveLength(1);
    expect(projector.summary).not.toBe('');
    const known = new Set(TOPICS.map(({ name }) => name));
    expect(projector.topics.filter((topic) => !known.has(topic))).toEqual([]);
    expect(new Set(projector.topics).size).toBe(projector.topics.length);
  });

  it('shares no place with another one', () => {
    const placesOf = (one: Projector): string[] =>
      one.sink === 'redis'
        ? [`keys ${one.keyspace}`]
        : [
            `schema ${one.schema}`,
            ...one.tables.map(({ name }) => `view ${name}`),
            ...Object.keys(one.views ?? {}).map((name) => `view ${name}`),
          ];
    const places = PROJECTORS.flatMap(placesOf);
    expect(placesOf(projector).filter((place) => places.indexOf(place) !== places.lastIndexOf(place))).toEqual([]);
  });

  it('has an effect, and accounts for every record', async () => {
    const bench = benchOf(projector);
    await bench.deliver();
    const { read, applied, duplicate, conflict, dead, ignored } = bench.store.counts();
    expect(applied).toBeGreaterThan(0);
    expect(conflict).toBe(0);
    expect(read).toBe(applied + duplicate + conflict + dead + ignored);
    expect(read).toBe(partitionsOf(projector.topics).flat().length);
    // The sample has three unreadable records per topic; a skipped type is not decoded.
    expect(bench.letters).toHaveLength(dead);
    expect(dead).toBeGreaterThanOrEqual(2 * projector.topics.length);
  });

  it('projects twice as once', async () => {
    const bench = benchOf(projector);
    await bench.deliver();
    const [values, counts] = [bench.store.values(), bench.store.counts()];
    await bench.deliver([100]);
    expect(bench.store.values()).toBe(values);
    expect(bench.store.counts()).toEqual(counts);
  });

  it('gives the same values however its records are divided into batches', async () => {
    const whole = benchOf(projector);
    await whole.deliver();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 5_000 }), { maxLength: 40 }), async (cuts) => {
        const bench = benchOf(projector);
        await bench.deliver(cuts);
        expect(bench.store.values()).toBe(whole.store.values());
        expect(bench.store.counts()).toEqual(whole.store.counts());
      }),
      { numRuns: 6 },
    );
  });

  it('is restored by a wipe and a replay', async () => {
    const bench = benchOf(projector);
    await bench.deliver([7, 50, 51]);
    const values = bench.store.values();
    bench.store.wipe();
    await bench.deliver();
    expect(bench.store.values()).toBe(values);
  });

  it('maps an event to the same output each time, and leaves the event alone', async () => {
    const read = createEventReader(sampleRegistry, projector, SAMPLE_PARTITIONS, fill);
    for (const records of partitionsOf(projector.topics)) {
      for (const record of records.slice(0, 200)) {
        const outcome = await read(record);
        if (outcome.kind !== 'event') continue;
        const source = Object.freeze({
          ...outcome.source,
          event: Object.freeze(outcome.source.event),
        }) as ProjectedEvent;
        expect(projector.project(source)).toEqual(projector.project(source));
      }
    }
  });
});
