import { describe, expect, it } from 'vitest';
import { encodeBody, frame, RECORD_NAMES, sha256Hex } from '../contracts/codec.ts';
import { StatePage } from '../contracts/state-page.ts';
import { STATES_TOPIC } from '../contracts/topics.ts';
import { MemoryLog } from '../tests/support/memory-log.ts';
import { emptyTrees, LogTrees } from './log-trees.ts';
import { anchorOf } from './anchor.ts';
import type { TaskState } from './task-state.ts';
import { parseConfiguration } from './configuration.ts';
import { activationOf } from './derive.ts';
import { bytesOf } from './fixtures/tape-contents.ts';
import { PageLog } from './page-log.adapter.ts';
import type { AnchorRecord } from './anchor.ts';
import { createPartitionTask } from './partition-task.ts';
import type { PageOrigins } from './state-pages.ts';

const PARTITION = 3;
const ANCHORS = 40;
const activation = activationOf(parseConfiguration({}), { tapeId: 'tape', activationId: 'a', gitCommit: 'abc' });
const page = (number: number) => StatePage.of(Buffer.alloc(5_000, `page ${number} `));

const trees = emptyTrees();

/** Consecutive anchors: each has one more page, and one that changes. */
function anchors(): AnchorRecord[] {
  const row: AnchorRecord[] = [];
  let previousOrigins: PageOrigins = new Map();
  const { counts, nextSequences } = createPartitionTask(PARTITION);
  for (let index = 0; index < ANCHORS; index += 1) {
    const parts = Array.from({ length: index + 1 }, (_, number) => page(number));
    const state = {
      ...{
        nextOffset: (index + 1) * 100,
        nextSequences,
        counts,
        activation,
        activationIds: ['a'],
        trees,
        instruments: [],
      },
      parts: [...parts, page(1_000 + index)],
    } satisfies TaskState & { parts: readonly StatePage[] };
    const anchor = anchorOf({
      ...{
        partition: PARTITION,
        state,
        tapeRecordHash: '',
        trees: new LogTrees(trees),
        previousAnchorHash: null,
        previousOrigins,
      },
    });
    previousOrigins = anchor.origins;
    row.push(anchor);
  }
  return row;
}

const row = anchors();
const last = row.at(-1)!;

async function readLast(log: MemoryLog): Promise<string[] | undefined> {
  const pages = await new PageLog(log.access, PARTITION).read(bytesOf(last));
  for (const [hash, { bytes }] of pages ?? []) expect(sha256Hex(bytes)).toBe(hash);
  return pages === undefined ? undefined : [...pages.keys()].sort();
}
const wanted = [...last.origins.keys()].sort();
/** The ranges of the states that were read. */
const readOf = ({ ranges }: MemoryLog) => ranges.filter(({ topic }) => topic === STATES_TOPIC);

describe('PageLog', () => {
  it('finds the pages of many anchors by their hints, without reading all', async () => {
    const log = new MemoryLog();
    for (const anchor of row) log.appendAnchor(anchor);
    expect(log.records(STATES_TOPIC, PARTITION)).toHaveLength(ANCHORS * 3);
    expect(await readLast(log)).toEqual(wanted);
    expect(readOf(log).map(({ from }) => from)).toEqual(row.map((_, index) => index * 3));
  });

  it.each([
    ['missing', { pages: undefined, state: undefined }],
    ['before', { pages: 0, state: 1 }],
    ['beyond the end', { pages: 999_999, state: 1_000_000 }],
  ])('finds them when hints are wrong: %s', async (_, hints) => {
    const log = new MemoryLog();
    for (const anchor of row) log.appendAnchor(anchor, hints);
    expect(await readLast(log)).toEqual(wanted);
  });

  it('works without the manifests of the anchors that wrote them', async () => {
    const log = new MemoryLog();
    for (const anchor of row) log.appendAnchor(anchor);
    log.records('engine.anchors', PARTITION).splice(0, ANCHORS - 1);
    expect(await readLast(log)).toEqual(wanted);
  });

  it('never confuses pages, and finds the right one elsewhere', async () => {
    const log = new MemoryLog();
    for (const anchor of row) log.appendAnchor(anchor);
    const records = log.records(STATES_TOPIC, PARTITION);
    const [original] = records;
    const state = { ...row[0]!.pages[0]!.state, bytes: Buffer.from('forged') };
    const forged = frame(RECORD_NAMES.indexOf('EngineState') + 1, encodeBody('EngineState', state));
    records[0] = { ...original!, value: forged };
    expect(await readLast(log)).toBeUndefined();
    for (const value of [null, Buffer.from('?'), frame(RECORD_NAMES.indexOf('EngineState') + 1, Buffer.from('?'))]) {
      records[0] = { ...original!, value };
      expect(await readLast(log)).toBeUndefined();
    }
    records.push({ ...original!, offset: records.length });
    expect(await readLast(log)).toEqual(wanted);
  });

  it('reads the whole log once for a page that is missing, however many anchors name it', async () => {
    const log = new MemoryLog();
    for (const anchor of row) log.appendAnchor(anchor);
    log.records(STATES_TOPIC, PARTITION).shift();
    const pages = new PageLog(log.access, PARTITION);
    for (const anchor of row.toReversed()) expect(await pages.read(bytesOf(anchor))).toBeUndefined();
    const whole = log.ranges.filter(
      ({ topic, from, to }) => topic === STATES_TOPIC && from === 0 && to >= ANCHORS * 3 - 1,
    );
    expect(whole.length).toBeLessThanOrEqual(2);
  });

  it('reads nothing for a head that names no page, and gives up one that is not JSON', async () => {
    const log = new MemoryLog();
    const pages = new PageLog(log.access, PARTITION);
    expect(await pages.read(Buffer.from('{"format":1}'))).toEqual(new Map());
    expect(await pages.read(Buffer.from('{'))).toBeUndefined();
    expect(log.ranges).toEqual([]);
  });
});
