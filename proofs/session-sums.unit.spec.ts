import { describe, expect, it } from 'vitest';
import { encodeBody } from '../contracts/codec.ts';
import type { EventTypes } from '../contracts/generated/events.ts';
import type { TapeContent } from '../contracts/tape-content.ts';
import { STATES_TOPIC } from '../contracts/topics.ts';
import { StatePage } from '../contracts/state-page.ts';
import { parseConfiguration } from '../evaluators/configuration.ts';
import { activationOf } from '../evaluators/derive.ts';
import { forgedAnchor, type Forgery } from '../evaluators/fixtures/forged-anchors.ts';
import { syntheticTrades } from '../evaluators/fixtures/synthetic-market.ts';
import { activated, amended, eventsOf, run, traded } from '../evaluators/fixtures/tape-contents.ts';
import { createPartitionTask } from '../evaluators/partition-task.ts';
import { recordOfEvent } from '../evaluators/outgoing-records.ts';
import { MemoryLog } from '../tests/support/memory-log.ts';
import { tapeRecordOf } from '../tests/support/seeded-tape.ts';
import { admissionOf } from './admission.ts';
import { checkTrades } from './audit-checks.ts';
import { EventLog } from './event-log.ts';
import { evidenceOf } from './evidence.ts';

type Readable = Exclude<TapeContent, { readonly kind: 'unusable' }>;
type Snapshot = EventTypes['IndicatorSnapshot'];

const PARTITION = 3;
const ANCHOR = 1_500;
const configuration = parseConfiguration({ anchorIntervalRecords: 500 });
const trades = syntheticTrades({ seed: 7, count: 1_900 });
const begin = activated(activationOf(configuration, { tapeId: 'tape', activationId: 'first', gitCommit: 'abc' }));

/** The tape and what the engine writes from it; the last snapshot is long after the anchor, which may be forged. */
function world(tape: readonly Readable[] = [begin, ...trades.map((trade) => traded(trade))], forgery: Forgery = {}) {
  const memory = new MemoryLog();
  memory.append(tape.map((content) => tapeRecordOf({ partition: PARTITION, content })));
  const advances = run(createPartitionTask(PARTITION), tape);
  const pages = new Map<string, StatePage>();
  for (const { derived, anchor } of advances) {
    memory.append(derived.map((record) => recordOfEvent(PARTITION, record)));
    for (const { state } of anchor?.pages ?? []) pages.set(state.pageHash ?? '', StatePage.of(state.bytes));
    if (anchor !== undefined) memory.appendAnchor(forgedAnchor(anchor, pages, forgery));
  }
  const snapshot = eventsOf(advances).findLast(({ type }) => type === 'IndicatorSnapshot')!.event as Snapshot;
  return { memory, snapshot, log: new EventLog(memory.access.reader, memory.access.registry) };
}

async function both({ log, snapshot }: ReturnType<typeof world>) {
  const admission = admissionOf(configuration, snapshot);
  const before = await log.sumsBefore(snapshot);
  const [short, whole] = [
    await evidenceOf(log, snapshot, admission, before),
    await evidenceOf(log, snapshot, admission),
  ];
  const checksOf = (evidence: typeof whole) => checkTrades(snapshot, evidence, admission, true);
  return { before, short, whole, checks: checksOf(short), wholeChecks: checksOf(whole) };
}

describe('the sums of a session by an anchor', () => {
  it('continue to the figures that every trade adds up to', async () => {
    const { before, short, whole, checks, wholeChecks } = await both(world());
    expect(before!.offset).toBe(ANCHOR);
    expect(short.trades.length).toBeLessThan(whole.trades.length / 2);
    expect(short.first?.offset).toBe(whole.first?.offset);
    expect(checks.map(({ passed, detail }) => ({ passed, detail }))).toEqual(
      wholeChecks.map(({ passed, detail }) => ({ passed, detail })),
    );
    expect(checks.every(({ passed }) => passed)).toBe(true);
    expect(checks[1]!.restsOn).toContain(`the engine's state at the anchor ${ANCHOR}, taken as it is`);
    const [early] = whole.trades;
    expect(short.isBehind(early!.event.tradeId, early!.event.eventTime)).toBe(true);
  });

  it('do not count a trade again that they have', async () => {
    const tape = [begin, ...trades.map((trade) => traded(trade))];
    tape.splice(ANCHOR + 100, 0, traded(trades[3]!));
    const { short, checks } = await both(world(tape));
    expect(short.before).toBeDefined();
    const repeatedBefore = (await both(world())).short.remarks.duplicates?.count ?? 0;
    expect(short.remarks.duplicates?.count).toBe(repeatedBefore + 1);
    expect(checks.every(({ passed }) => passed)).toBe(true);
  });

  it('are left aside where a trade in them was taken back since', async () => {
    const tape: Readable[] = [begin, ...trades.map((trade) => traded(trade))];
    tape.splice(ANCHOR + 100, 0, amended('TradeCancelled', { ...trades[3]!, reason: 'busted', actor: 'ann' }));
    const { before, short, whole, checks } = await both(world(tape));
    expect(before).toBeDefined();
    expect(short.before).toBeUndefined();
    expect(short.trades.length).toBe(whole.trades.length);
    expect(checks.every(({ passed }) => passed)).toBe(true);
  });

  it('are left aside where a trade waited for a proof of its time: it may be counted since', async () => {
    const tape: Readable[] = [begin, ...trades.map((trade) => traded(trade))];
    const eventTime = trades[ANCHOR]!.eventTime + 7 * 86_400_000_000;
    tape.splice(ANCHOR - 1, 0, traded({ ...trades[ANCHOR]!, tradeId: 'ahead', eventTime, receivedAt: eventTime }));
    const { log, snapshot } = world(tape);
    expect(await log.sumsBefore(snapshot)).toBeUndefined();
  });

  it('show a snapshot whose figures are not theirs', async () => {
    const { log, snapshot } = world();
    const changed = { ...snapshot, sessionVolume: snapshot.sessionVolume + 1 };
    const admission = admissionOf(configuration, snapshot);
    const evidence = await evidenceOf(log, changed, admission, await log.sumsBefore(changed));
    expect(evidence.before).toBeDefined();
    expect(checkTrades(changed, evidence, admission, true)[1]!.passed).toBe(false);
  });

  it('are not used from a state with other bytes, another configuration, or where none is between', async () => {
    const { memory, log, snapshot } = world();
    expect(await log.sumsBefore({ ...snapshot, configHash: '0'.repeat(64) })).toBeUndefined();
    expect(await log.sumsBefore({ ...snapshot, engineVersion: '0' })).toBeUndefined();
    expect(await log.sumsBefore({ ...snapshot, firstOffset: ANCHOR + 1 })).toBeUndefined();
    const states = memory.records(STATES_TOPIC, PARTITION);
    for (const [index, record] of states.entries()) {
      const text = record.value!.toString('latin1').replace('"skipped":0', '"skipped":1');
      states[index] = { ...record, value: Buffer.from(text, 'latin1') };
    }
    expect(await log.sumsBefore(snapshot)).toBeUndefined();
  });
});

it.each([
  ['a tape with another record at its place', { manifest: { tapeRecordHash: 'ff' } }],
  ['a state of another form', { json: (json) => json.replace(/"format":\d+/, '"format":0') }],
] satisfies [string, Forgery][])('sums are not taken from an anchor of %s', async (_, forgery) => {
  const { log, snapshot } = world(undefined, forgery);
  expect(await log.sumsBefore(snapshot)).toBeUndefined();
});

it('writes a record of the tape as JSON with its hash', async () => {
  const { log, memory } = world();
  for await (const record of log.market(PARTITION, 1, 1)) {
    const body = encodeBody('Trade', trades[0]!);
    expect(memory.records('raw.trades', PARTITION)[1]!.value!.subarray(5)).toEqual(body);
    expect(JSON.parse(JSON.stringify(record))).toMatchObject({ name: 'Trade', offset: 1, hash: record.hash });
    expect(record.hash).toMatch(/^[0-9a-f]{64}$/);
  }
});
