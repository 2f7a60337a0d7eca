import { beforeAll, describe, expect, it } from 'vitest';
import { frame, RECORD_NAMES } from '../contracts/codec.ts';
import { DERIVED_TOPICS, type DerivedTopic } from '../contracts/topics.ts';
import type { LogReader } from '../platform/kafka/log-reader.ts';
import { NO_HEADERS, type LogRecord } from '../platform/kafka/log-record.ts';
import type { Registry } from '../platform/kafka/registry.ts';
import { sampleRegistry } from '../tests/support/sample-log.ts';
import type { LogAccess } from './anchor-log.adapter.ts';
import { parseConfiguration } from './configuration.ts';
import { activationOf } from './derive.ts';
import { syntheticTrades } from './fixtures/synthetic-market.ts';
import { activated, eventsOf, run, traded } from './fixtures/tape-contents.ts';
import { OutputComparison, refuseCutOutputs } from './output-comparison.adapter.ts';
import type { DerivedRecord } from './advance.ts';
import { createPartitionTask } from './partition-task.ts';

const TOPIC: DerivedTopic = 'indicator.snapshots';
const PARTITION = 2;
const COMMITS = { derivedBy: 'this-build', activatedBy: 'that-build' };
const FETCH_RECORDS = 3;

/** A partition whose first records may be missing, read in fetches of a few records. */
function readerOf(records: readonly LogRecord[], start: number): { reader: LogReader; readFrom: number[] } {
  const held = (topic: string) => (topic === TOPIC ? records : []);
  const readFrom: number[] = [];
  const reader: LogReader = {
    startOffset: (topic) => Promise.resolve(topic === TOPIC ? start : 0),
    endOffset: (topic) => Promise.resolve(held(topic).length),
    startOffsets: () => Promise.reject(new Error('only one topic is asked about')),
    endOffsets: () => Promise.reject(new Error('only one topic is asked about')),
    timestampMs: () => Promise.resolve(undefined),
    async *read({ topic, from, to }) {
      readFrom.push(from);
      for (let first = from; first < Math.min(to, held(topic).length); first += FETCH_RECORDS) {
        yield await Promise.resolve(held(topic).slice(first, Math.min(first + FETCH_RECORDS, to)));
      }
    },
    close: () => Promise.resolve(),
  };
  return { reader, readFrom };
}

let snapshots: readonly DerivedRecord[];
/** Another build's event under the same sequence. */
let others: readonly DerivedRecord[];

beforeAll(() => {
  snapshots = snapshotsOf({});
  others = snapshotsOf({ range: { bars: 3 } });
});

function snapshotsOf(configuration: object): DerivedRecord[] {
  const identity = { tapeId: 'tape', activationId: 'activation', gitCommit: 'unknown' };
  const trades = syntheticTrades({ seed: 7, count: 40, meanGapSeconds: 3 }).map((trade) => traded(trade));
  const tape = [activated(activationOf(parseConfiguration(configuration), identity)), ...trades];
  return eventsOf(run(createPartitionTask(PARTITION), tape)).filter(({ topic }) => topic === TOPIC);
}

interface Found {
  readonly output: readonly Pick<DerivedRecord, 'type' | 'body'>[];
  /** First log offset that is kept. */
  readonly start?: number;
  readonly nextSequence?: number;
  readonly hint?: number;
  readonly registry?: Pick<Registry, 'schemaOf'>;
}

function recordsOf(output: Found['output']): LogRecord[] {
  return output.map(({ type, body }, offset): LogRecord => {
    const value = frame(RECORD_NAMES.indexOf(type) + 1, body);
    return { topic: TOPIC, partition: PARTITION, offset, key: null, value, headers: NO_HEADERS, timestampMs: 0 };
  });
}

async function compare({ output, start = 0, nextSequence = 0, hint, registry = sampleRegistry }: Found) {
  const { reader, readFrom } = readerOf(recordsOf(output), start);
  const access = { reader, registry } as LogAccess;
  const next = Object.fromEntries(DERIVED_TOPICS.map((topic) => [topic, topic === TOPIC ? nextSequence : 0]));
  const hints = hint === undefined ? {} : { [TOPIC]: hint };
  const comparison = await OutputComparison.open(access, PARTITION, next as Record<DerivedTopic, number>, hints);
  readFrom.length = 0;
  const holds = async (from: number, to: number): Promise<boolean[]> => {
    const held: boolean[] = [];
    for (const derived of snapshots.slice(from, to)) held.push(await comparison.holds(derived, COMMITS));
    return held;
  };
  return { comparison, holds, readFrom };
}

describe('an output', () => {
  it('is refused where its first events are gone, and not where it is whole or empty', async () => {
    const records = recordsOf(snapshots);
    const accessTo = (kept: readonly LogRecord[]) =>
      ({ reader: readerOf(kept, 0).reader, registry: sampleRegistry }) as LogAccess;
    await refuseCutOutputs(accessTo([]), PARTITION);
    await refuseCutOutputs(accessTo(records), PARTITION);
    await expect(refuseCutOutputs(accessTo(records.slice(2)), PARTITION)).rejects.toMatchObject({
      code: 'SEQUENCE_GAP',
      message: expect.stringContaining(`${TOPIC}-${PARTITION} begins with sequence 2`) as string,
    });
  });
});

describe('the comparison with an output', () => {
  it('passes over bytes that are not an event, and names them', async () => {
    const broken = { type: snapshots[0]!.type, body: Buffer.from([255, 255]) };
    const { comparison, holds } = await compare({ output: [snapshots[0]!, broken, ...snapshots.slice(1, 4)] });
    expect(await holds(0, 4)).toEqual([true, true, true, true]);
    expect(comparison.passedOver).toMatchObject([{ offset: 1 }]);
  });

  it('takes the same bytes under another schema for another event', async () => {
    const registry: Pick<Registry, 'schemaOf'> = {
      schemaOf: async (id) => {
        const schema = await sampleRegistry.schemaOf(id);
        return schema && { ...schema, fingerprint: 'ff'.repeat(32) };
      },
    };
    const { holds } = await compare({ output: snapshots.slice(0, 2), registry });
    await expect(holds(0, 1)).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it('finds the stored events equal, and reports the events missing after its end', async () => {
    const { comparison, holds } = await compare({ output: snapshots.slice(0, 8) });
    expect(await holds(0, 10)).toEqual([...Array<boolean>(8).fill(true), false, false]);
    expect(comparison.compared).toBe(8);
    expect(comparison.isOver).toBe(true);
  });

  it('passes over events that a zombie process has written again', async () => {
    const output = [...snapshots.slice(0, 5), ...snapshots.slice(1, 5), ...snapshots.slice(5, 7)];
    expect(await (await compare({ output })).holds(0, 8)).toEqual([...Array<boolean>(7).fill(true), false]);
  });

  it('stops at another event under the same sequence, and names both commits', async () => {
    const output = [...snapshots.slice(0, 4), ...others.slice(4, 6)];
    await expect((await compare({ output })).holds(0, 6)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(
        /log offset 4, not snapshot-2-\d+-0 \(sequence 4\).*this-build.*that-build/,
      ) as string,
    });
  });

  it('stops when events are missing in the middle, or at the beginning', async () => {
    const holed = [...snapshots.slice(0, 3), ...snapshots.slice(4, 8)];
    await expect((await compare({ output: holed })).holds(0, 8)).rejects.toMatchObject({ code: 'SEQUENCE_GAP' });
    const cut = { output: snapshots.slice(0, 8), start: 2 };
    await expect((await compare(cut)).holds(0, 8)).rejects.toMatchObject({ code: 'SEQUENCE_GAP' });
  });

  it('begins at a hint, and reads no more than that', async () => {
    const { holds, readFrom } = await compare({ output: snapshots.slice(0, 8), nextSequence: 5, hint: 5 });
    expect(await holds(5, 9)).toEqual([true, true, true, false]);
    expect(readFrom).toEqual([5]);
  });

  it('reads from the beginning when a hint is beyond the event', async () => {
    const { holds, readFrom } = await compare({ output: snapshots.slice(0, 8), nextSequence: 3, hint: 6 });
    expect(await holds(3, 9)).toEqual([true, true, true, true, true, false]);
    expect(readFrom).toEqual([6, 0]);
  });

  it('does not believe a hint at the end while the output holds the event queried', async () => {
    const { comparison, holds } = await compare({ output: snapshots.slice(0, 8), nextSequence: 3, hint: 8 });
    expect(comparison.isOver).toBe(false);
    expect(await holds(3, 9)).toEqual([true, true, true, true, true, false]);
  });
});
