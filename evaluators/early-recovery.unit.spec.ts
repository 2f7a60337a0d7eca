import { beforeEach, describe, expect, it } from 'vitest';
import type { TapeContent } from '../contracts/tape-content.ts';
import { TAPE_TOPIC } from '../contracts/topics.ts';
import { MemoryLog } from '../tests/support/memory-log.ts';
import { tapeRecordOf } from '../tests/support/seeded-tape.ts';
import { parseConfiguration } from './configuration.ts';
import { activationOf } from './derive.ts';
import { EarlyRecoveries } from './early-recovery.adapter.ts';
import { syntheticTrades } from './fixtures/synthetic-market.ts';
import { activated, eventsOf, everything, run, traded } from './fixtures/tape-contents.ts';
import { recordOfEvent } from './outgoing-records.ts';
import { createPartitionTask } from './partition-task.ts';
import { recoverTask } from './recovery.adapter.ts';
import { extentsOf } from './written-extents.adapter.ts';

const PARTITIONS = 2;
const TRADES = 700;
const INTERVAL = 200;

const configuration = parseConfiguration({ anchorIntervalRecords: INTERVAL, cadenceMs: 10_000 });
const contents = [
  activated(activationOf(configuration, { tapeId: 'tape', activationId: 'first', gitCommit: 'abc' })),
  ...syntheticTrades({ seed: 5, count: TRADES }).map((trade) => traded(trade)),
] as Exclude<TapeContent, { readonly kind: 'unusable' }>[];

let log: MemoryLog;
let early: EarlyRecoveries;
const take = async (partition: number) => early.take(partition, await extentsOf(log.access.reader, partition));

beforeEach(() => {
  log = new MemoryLog();
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    const advances = run(createPartitionTask(partition), contents);
    log.append(contents.map((content) => tapeRecordOf({ partition, content })));
    log.append(eventsOf(advances).map((event) => recordOfEvent(partition, event)));
    for (const { anchor } of advances) if (anchor !== undefined) log.appendAnchor(anchor);
  }
  early = new EarlyRecoveries(log.access);
});

describe('early recoveries', () => {
  it('are what a recovery finds later, and continue alike; each is given once', async () => {
    await early.run(PARTITIONS);
    const recovered = await take(1);
    const later = await recoverTask(log.access, 1, Number.POSITIVE_INFINITY);
    expect(recovered!.anchor).toEqual(later.anchor);
    expect(recovered!.nextOffsets).toEqual(later.nextOffsets);
    expect([...recovered!.known.keys()]).toEqual([...later.known.keys()]);
    const left = contents.slice(later.task.nextOffset);
    expect(left.length).toBeGreaterThan(0);
    expect(everything(run(recovered!.task, left))).toEqual(everything(run(later.task, left)));
    expect(await take(1)).toBeUndefined();
  });

  it.each([
    ['somebody has written to an output', () => log.records('strategy.results', 0)],
    ['another anchor was written', () => log.records('engine.anchors', 0)],
  ] as const)('are not used where %s since', async (_, recordsOf) => {
    await early.run(PARTITIONS);
    recordsOf().push(recordsOf().at(-1)!);
    expect(await take(0)).toBeUndefined();
    expect(await take(1)).toBeDefined();
  });

  it('are not used where the tape is another one since', async () => {
    await early.run(PARTITIONS);
    log.records(TAPE_TOPIC, 0).reverse();
    expect(await take(0)).toBeUndefined();
  });

  it('are dropped where the partition went to another process, and end with the join', async () => {
    await early.run(1);
    early.end([1]);
    const { length } = log.ranges;
    await early.run(PARTITIONS);
    expect(log.ranges).toHaveLength(length);
    expect(await take(0)).toBeUndefined();
  });

  it('are waited for, not begun again, where one is under way at the join; no further one begins', async () => {
    const running = early.run(PARTITIONS);
    early.end([0, 1]);
    expect((await take(0))?.anchor).toBeDefined();
    await running;
    expect(await take(1)).toBeUndefined();
  });

  it.each([
    ['its partition went to another process', 1, false],
    ['the one who waits for it has to stop', 0, true],
  ] as const)('end with nothing, when under way, where %s', async (_, assigned, isInterrupted) => {
    const running = early.run(PARTITIONS);
    early.end([assigned]);
    expect(await early.take(0, await extentsOf(log.access.reader, 0), () => isInterrupted)).toBeUndefined();
    await running;
    expect(await take(0)).toBeUndefined();
  });

  it('leave an outage to the recovery that follows', async () => {
    const { access } = log;
    const failing = {
      ...access,
      reader: { ...access.reader, endOffsets: () => Promise.reject(new Error('no answer')) },
    };
    early = new EarlyRecoveries(failing);
    await expect(early.run(PARTITIONS)).resolves.toBeUndefined();
    expect(await take(0)).toBeUndefined();
  });
});
