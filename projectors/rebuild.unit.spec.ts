import { expect, it } from 'vitest';
import { createLog } from '../platform/log.ts';
import { MemoryLog } from '../tests/support/memory-log.ts';
import { createMemoryTables } from '../tests/support/memory-store.ts';
import { PROJECTORS } from './catalogue.ts';
import { createEventReader } from './event-reader.adapter.ts';
import type { PostgresProjector, RowInsert } from './projector.ts';
import { rebuild } from './rebuild.adapter.ts';
import type { Shadow } from './sink.ts';

it('does not wait for records that a recreated log does not have', async () => {
  const log = new MemoryLog();
  const { reader, registry } = log.access;
  const projector = PROJECTORS.find(({ name }) => name === 'postgres-history') as PostgresProjector;
  const live = { topic: 'strategy.results', partition: 0, nextOffset: 50_000, nextSequence: 50_000, tapeId: 'tape' };
  const shadow: Shadow<RowInsert> = {
    ...createMemoryTables(),
    live: 1,
    livePositions: () => Promise.resolve([live]),
    finishLoad: () => Promise.resolve(true),
    freeze: () => Promise.resolve(),
    release: () => Promise.resolve(),
    differences: () => Promise.resolve([]),
    swap: () => Promise.resolve(),
  };
  const unused = (): never => {
    throw new Error('not needed');
  };
  const report = await rebuild({
    projector,
    readModel: {
      beginRebuild: () => Promise.resolve(shadow),
      open: unused,
      status: unused,
      close: () => Promise.resolve(),
    },
    tapeId: 'tape',
    partitions: 1,
    read: createEventReader(registry, projector, 1),
    reader,
    producer: { send: unused } as never,
    log: createLog('test', 'silent'),
    signal: new AbortController().signal,
    approveDifference: false,
  });
  expect(report).toMatchObject({ records: 0, comparison: 'equal' });
  // To load, to catch up, and once more while the live writers are held.
  expect(log.ranges).toHaveLength(3);
});
