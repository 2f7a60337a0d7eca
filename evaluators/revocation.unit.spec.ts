import { describe, expect, it } from 'vitest';
import type { EngineActivated } from '../contracts/generated/events.ts';
import type { TapeContent } from '../contracts/tape-content.ts';
import { TAPE_TOPIC } from '../contracts/topics.ts';
import { MemoryLog } from '../tests/support/memory-log.ts';
import { tapeRecordOf, type Placed } from '../tests/support/seeded-tape.ts';
import type { Advance } from './advance.ts';
import { parseConfiguration } from './configuration.ts';
import { activationOf } from './derive.ts';
import { syntheticTrades } from './fixtures/synthetic-market.ts';
import { activated, eventsOf, everything, traded } from './fixtures/tape-contents.ts';
import { recordOfEvent } from './outgoing-records.ts';
import { createPartitionTask, type PartitionTask } from './partition-task.ts';
import { recoverTask, stepAlong } from './recovery.adapter.ts';
import { isRevokedBy } from './revocation.ts';

const PARTITION = 2;
const configuration = parseConfiguration({ anchorIntervalRecords: 100 });
const identity = { tapeId: 'tape', gitCommit: 'abc' };
const genuine = activationOf(configuration, { ...identity, activationId: 'genuine' });
const forged: EngineActivated = { ...genuine, activationId: 'forged', engineVersion: '999' };
const later = { ...genuine, activationId: 'later' };
const revoking: EngineActivated = { ...genuine, activationId: 'revoking', revokes: ['forged'] };
const trades = syntheticTrades({ seed: 3, count: 600 }).map((trade) => traded(trade));

type Content = Placed['content'];

const beforeForged: readonly Content[] = [activated(genuine), ...trades.slice(0, 250)];
const between: readonly Content[] = [...trades.slice(250, 400), activated(later)];
const after: readonly Content[] = [...trades.slice(400)];
const blocked = [...beforeForged, activated(forged), ...between];
const revoked = [...blocked, activated(revoking), activated(forged), ...after];

function logOf(contents: readonly Content[]): MemoryLog {
  const log = new MemoryLog();
  log.append(contents.map((content) => tapeRecordOf({ partition: PARTITION, content })));
  return log;
}

async function derive(log: MemoryLog, task: PartitionTask, to?: number): Promise<Advance[]> {
  const end = to ?? log.records(TAPE_TOPIC, PARTITION).length;
  const advances: Advance[] = [];
  for await (const advance of stepAlong(log.access, task, end)) advances.push(advance);
  return advances;
}

describe('an activation of another engine version that a later one revokes', () => {
  it('blocks until then, and the result only grows', async () => {
    const task = createPartitionTask(PARTITION);
    const halted = await derive(logOf(blocked), task);
    expect(task.nextOffset).toBe(beforeForged.length);
    expect(halted.at(-1)?.foreignActivation?.activationId).toBe('forged');
    const whole = everything(await derive(logOf(revoked), createPartitionTask(PARTITION)));
    const sofar = everything(halted);
    expect(whole.slice(0, sofar.length)).toEqual(sofar);
    expect(whole.length).toBeGreaterThan(sofar.length);
  });

  it('has no effect but a dead letter that names the later one, and neither has its repetition', async () => {
    const task = createPartitionTask(PARTITION);
    const advances = await derive(logOf(revoked), task);
    expect(task.nextOffset).toBe(revoked.length);
    const letters = advances.flatMap(({ deadLetters }) => deadLetters);
    expect(letters.map(({ source, reason }) => [source.position, reason])).toEqual([
      [beforeForged.length, 'MALFORMED'],
    ]);
    expect(letters[0]?.detail).toContain(`by the activation revoking at offset ${blocked.length}`);
    expect(advances.every(({ foreignActivation }) => foreignActivation === undefined)).toBe(true);
    // All that counts is as on a tape without it, in other places.
    const events = (all: readonly Advance[]) =>
      all.flatMap(({ derived }) => derived.map(({ topic, sequence, event }) => [topic, sequence, event.eventTime]));
    const harmless: TapeContent[] = [...beforeForged, ...between, activated(revoking), ...after];
    const other = await derive(logOf(harmless as Content[]), createPartitionTask(PARTITION));
    expect(events(advances)).toEqual(events(other));
  });

  it('leaves the same bytes from each anchor on as from the beginning', async () => {
    const log = logOf(revoked);
    const advances = await derive(log, createPartitionTask(PARTITION));
    log.append(eventsOf(advances).map((event) => recordOfEvent(PARTITION, event)));
    for (const { anchor } of advances) if (anchor !== undefined) log.appendAnchor(anchor);
    const whole = everything(advances);
    const offsets = advances.flatMap(({ anchor }) => anchor?.manifest.tape.offset ?? []);
    expect(offsets).toContain(beforeForged.length);
    for (const offset of offsets) {
      const { task } = await recoverTask(log.access, PARTITION, offset);
      expect(task.nextOffset).toBe(offset);
      const rest = everything(await derive(log, task));
      expect(whole.slice(whole.length - rest.length)).toEqual(rest);
    }
  });

  it('may be revoked beyond the end of what is derived', async () => {
    const task = createPartitionTask(PARTITION);
    await derive(logOf(revoked), task, beforeForged.length + 10);
    expect(task.nextOffset).toBe(beforeForged.length + 10);
  });

  it('is not passed over by an engine that is not in charge', () => {
    const task = createPartitionTask(PARTITION);
    const content = activated(genuine);
    expect(() => task.passOver({ partition: PARTITION, offset: 5, content }, { activationId: 'x', offset: 9 })).toThrow(
      RangeError,
    );
  });

  it.each([
    ['another id', { revokes: ['other'] }],
    ['another tape', { tapeId: 'foreign' }],
    ['a wrong hash', { configHash: 'wrong' }],
    ['itself', { activationId: 'forged' }],
  ] satisfies [string, Partial<EngineActivated>][])('is not revoked by one with %s', (_what, changed) => {
    expect(isRevokedBy(forged, revoking, 'tape')).toBe(true);
    expect(isRevokedBy(forged, revoking, undefined)).toBe(true);
    expect(isRevokedBy(forged, { ...revoking, ...changed }, 'tape')).toBe(false);
  });
});

it('an activation’s statement is not in the state: it derives the same bytes', async () => {
  const stated = { ...genuine, actor: 'ann', reason: 'why', approver: 'bo', hasUncommittedChanges: true };
  const states = await Promise.all(
    [genuine, stated].map(async (first) => {
      const advances = await derive(logOf([activated(first), ...trades]), createPartitionTask(PARTITION));
      return advances.flatMap(({ anchor }) => anchor?.manifest.stateHash ?? []);
    }),
  );
  expect(states[0]?.length).toBeGreaterThan(3);
  expect(states[0]).toEqual(states[1]);
});
