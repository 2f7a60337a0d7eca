import { describe, expect, it } from 'vitest';
import type { TopicName } from '../contracts/topics.ts';
import type { LogReader } from '../platform/kafka/log-reader.ts';
import { createLog } from '../platform/log.ts';
import { MemoryLog } from '../tests/support/memory-log.ts';
import { createMemoryTables } from '../tests/support/memory-store.ts';
import { readerOf, sampleLog, sampleRegistry, SAMPLE_PARTITIONS, SAMPLE_TAPE_ID } from '../tests/support/sample-log.ts';
import { PROJECTORS } from './catalogue.ts';
import { createEventReader, type EventReader } from './event-reader.adapter.ts';
import type { PostgresProjector, RowInsert } from './projector.ts';
import { rebuild, type RebuildReport } from './rebuild.adapter.ts';
import type { Shadow, StoredPosition } from './sink.ts';
import { createWindowReader } from './tape-windows.adapter.ts';

function unused(): never {
  throw new Error('not needed');
}

/** A shadow in memory, equal to the live one, which is at these positions. */
function shadowOf(live: readonly StoredPosition[]): Shadow<RowInsert> {
  return {
    ...createMemoryTables(),
    live: 1,
    livePositions: () => Promise.resolve(live),
    finishLoad: () => Promise.resolve(true),
    freeze: () => Promise.resolve(),
    release: () => Promise.resolve(),
    differences: () => Promise.resolve([]),
    swap: () => Promise.resolve(),
  };
}

interface From {
  readonly projector: PostgresProjector;
  readonly reader: LogReader;
  readonly read: EventReader;
  readonly partitions: number;
  readonly tapeId: string;
}

function rebuilt(shadow: Shadow<RowInsert>, from: From): Promise<RebuildReport> {
  return rebuild({
    ...from,
    readModel: {
      beginRebuild: () => Promise.resolve(shadow),
      open: unused,
      status: unused,
      close: () => Promise.resolve(),
    },
    producer: { send: () => Promise.resolve() } as never,
    log: createLog('test', 'silent'),
    signal: new AbortController().signal,
    approveDifference: false,
  });
}

it('does not wait for records that a recreated log does not have', async () => {
  const log = new MemoryLog();
  const { reader, registry } = log.access;
  const projector = PROJECTORS.find(({ name }) => name === 'postgres-history') as PostgresProjector;
  const live = { topic: 'strategy.results', partition: 0, nextOffset: 50_000, nextSequence: 50_000, tapeId: 'tape' };
  const report = await rebuilt(shadowOf([live]), {
    ...{ projector, reader, read: createEventReader(registry, projector, 1), partitions: 1, tapeId: 'tape' },
  });
  expect(report).toMatchObject({ records: 0, comparison: 'equal' });
  // To load, to catch up, and once more while the live writers are held.
  expect(log.ranges).toHaveLength(3);
});

describe.each(PROJECTORS.filter((projector) => projector.sink === 'postgres'))(
  'a rebuild of $name',
  (projector: PostgresProjector) => {
    const log = sampleLog();
    const reader = {
      ...readerOf(log),
      endOffset: (topic: TopicName, partition: number) => Promise.resolve(log.get(topic)?.[partition]?.length ?? 0),
    } as unknown as LogReader;
    const fill = createWindowReader(reader, sampleRegistry);
    const read = createEventReader(sampleRegistry, projector, SAMPLE_PARTITIONS, fill);
    const from = { projector, reader, read, partitions: SAMPLE_PARTITIONS, tapeId: SAMPLE_TAPE_ID };

    it('says of each topic once that it is loaded, when all its records are', async () => {
      const shadow = shadowOf([]);
      const said: string[] = [];
      await rebuilt(
        {
          ...shadow,
          apply: async (sinkBatch) => {
            await new Promise(setImmediate);
            const application = await shadow.apply(sinkBatch);
            said.push(`${sinkBatch.topic} written`);
            return application;
          },
          loaded: (topic) => said.push(`${topic} loaded`),
          finishLoad: () => Promise.resolve(said.push('finished') > 0),
        },
        from,
      );
      for (const topic of projector.topics) {
        expect(said.filter((what) => what === `${topic} loaded`)).toHaveLength(1);
        expect(said.lastIndexOf(`${topic} written`)).toBeLessThan(said.indexOf(`${topic} loaded`));
      }
      expect(said.at(-1)).toBe('finished');
    });

    it('has rows of a table that names a topic from that topic only', async () => {
      const shadow = shadowOf([]);
      const topics = new Map<string, Set<string>>();
      await rebuilt(
        {
          ...shadow,
          apply: (sinkBatch) => {
            for (const { table } of sinkBatch.admitted.flatMap(({ output }) => output)) {
              topics.set(table.name, (topics.get(table.name) ?? new Set()).add(sinkBatch.topic));
            }
            return shadow.apply(sinkBatch);
          },
        },
        from,
      );
      expect(topics.size).toBeGreaterThan(0);
      for (const { name, output, topic = output } of projector.tables) {
        if (topic !== undefined) expect([...(topics.get(name) ?? [])]).toEqual([topic]);
      }
    });
  },
);
