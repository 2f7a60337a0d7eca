import { describe, expect, it } from 'vitest';
import { encodeBody, frame, RECORD_NAMES } from '../contracts/codec.ts';
import type { EngineAnchor } from '../contracts/generated/events.ts';
import type { TapeContent } from '../contracts/tape-content.ts';
import { STATES_TOPIC, TAPE_TOPIC } from '../contracts/topics.ts';
import { MemoryLog } from '../tests/support/memory-log.ts';
import { tapeRecordOf } from '../tests/support/seeded-tape.ts';
import { parseConfiguration } from './configuration.ts';
import { activationOf } from './derive.ts';
import { syntheticTrades } from './fixtures/synthetic-market.ts';
import { activated, eventsOf, everything, run, traded } from './fixtures/tape-contents.ts';
import type { AnchorRecord } from './anchor.ts';
import { recordOfEvent } from './outgoing-records.ts';
import { createPartitionTask } from './partition-task.ts';
import { recoverTask } from './recovery.adapter.ts';

const PARTITION = 3;
const TRADES = 6_000;
const INTERVAL = 1_000;
/** The first 300 trades are of an instrument that no longer trades. */
const QUIET_IDS_END = 1_300;
const QUIET = 'ETH-USDT@binance';
const identity = { tapeId: 'tape', activationId: 'first', gitCommit: 'abc' };

/** Ids that are not numbers fill pages soon. */
function tape(): TapeContent[] {
  const configuration = parseConfiguration({ anchorIntervalRecords: INTERVAL, cadenceMs: 60_000 });
  const trades = syntheticTrades({ seed: 5, count: TRADES }).map((trade) => ({
    ...trade,
    tradeId: `trade-${trade.tradeId}`,
    instrument: Number(trade.tradeId) < QUIET_IDS_END ? QUIET : trade.instrument,
  }));
  return [activated(activationOf(configuration, identity)), ...trades.map((trade) => traded(trade))];
}

const contents = tape() as Exclude<TapeContent, { readonly kind: 'unusable' }>[];
const advances = run(createPartitionTask(PARTITION), contents);
const anchors = advances.flatMap(({ anchor }) => anchor ?? []);

/** The tape, its events, and the anchors as they were written. */
function logOf(written: readonly AnchorRecord[] = anchors): MemoryLog {
  const log = new MemoryLog();
  log.append(contents.map((content) => tapeRecordOf({ partition: PARTITION, content })));
  log.append(eventsOf(advances).map((event) => recordOfEvent(PARTITION, event)));
  for (const anchor of written) log.appendAnchor(anchor);
  return log;
}

const offsetOf = async (log: MemoryLog, atOrBefore = Number.POSITIVE_INFINITY) =>
  (await recoverTask(log.access, PARTITION, atOrBefore)).task.nextOffset;

describe('the pages of a state', () => {
  it('are written once, over many anchors', () => {
    const written = anchors.flatMap(({ pages }) => pages.map(({ state }) => state.pageHash));
    expect(new Set(written).size).toBe(written.length);
    const held = anchors.at(-1)!.origins;
    // The pages of the first trades are unchanged.
    expect([...held.values()].filter((writtenAt) => writtenAt <= TRADES / 2).length).toBeGreaterThan(1);
    expect(held.size).toBeGreaterThan(3);
    // The instrument, its newest identities, and what changed of its profile and its pending forecasts.
    for (const { pages } of anchors.slice(2)) expect(pages.length).toBeLessThan(8);
  });
});

describe('recoverTask', () => {
  it('continues from any anchor with the same bytes, pages included', async () => {
    const log = logOf();
    for (const anchor of anchors) {
      const { offset } = anchor.manifest.tape;
      const { task } = await recoverTask(log.access, PARTITION, offset);
      expect(task.nextOffset).toBe(offset);
      expect(everything(run(task, contents.slice(offset)))).toEqual(everything(advances.slice(offset)));
    }
  });

  it.each([
    ['is missing', undefined],
    ['is forged', Buffer.from('forged')],
  ])('derives an anchor again whose page %s, and uses none that rests on that page', async (_, bytes) => {
    const log = logOf();
    const [anchor, ...later] = anchors.slice(-3);
    expect(await offsetOf(log)).toBe(anchors.at(-1)!.manifest.tape.offset);
    const [page] = anchor!.pages.filter(({ state }) => anchors.at(-1)!.origins.has(state.pageHash ?? ''));
    const records = log.records(STATES_TOPIC, PARTITION);
    const index = records.findIndex(({ key }) => key?.toString() === `${PARTITION}:page:${page!.state.pageHash}`);
    const forged =
      bytes && frame(RECORD_NAMES.indexOf('EngineState') + 1, encodeBody('EngineState', { ...page!.state, bytes }));
    records[index] = { ...records[index]!, value: forged ?? null };
    expect(await offsetOf(log)).toBe(anchor!.manifest.tape.offset);
    // The next engine writes it again.
    for (const again of [anchor!, ...later]) log.appendAnchor(again);
    expect(await offsetOf(log)).toBe(anchors.at(-1)!.manifest.tape.offset);
  });

  it('uses an earlier anchor when the newest names another head', async () => {
    const log = logOf();
    const last = anchors.at(-1)!;
    const manifest: EngineAnchor = { ...last.manifest, stateHash: 'ff' };
    const forged = { ...last, manifest, body: encodeBody('EngineAnchor', manifest), pages: [] };
    log.records('engine.anchors', PARTITION).pop();
    log.appendAnchor(forged);
    expect(await offsetOf(log)).toBe(anchors.at(-2)!.manifest.tape.offset);
  });

  it('starts at the first anchor, derived from the beginning of the tape, when all states are missing', async () => {
    const log = logOf();
    log.records(STATES_TOPIC, PARTITION).length = 0;
    expect(await offsetOf(log)).toBe(1);
    expect(log.records(TAPE_TOPIC, PARTITION)).toHaveLength(TRADES + 1);
  });
});
