import { describe, expect, it } from 'vitest';
import { decodeBody, encodeBody } from '../contracts/codec.ts';
import type { ProbabilityDecision } from '../contracts/generated/events.ts';
import { parseConfiguration } from '../evaluators/configuration.ts';
import { activationOf } from '../evaluators/derive.ts';
import { syntheticTrades } from '../evaluators/fixtures/synthetic-market.ts';
import { activated, eventsOf, run, traded } from '../evaluators/fixtures/tape-contents.ts';
import { recordOfEvent } from '../evaluators/outgoing-records.ts';
import { createPartitionTask } from '../evaluators/partition-task.ts';
import { MemoryLog } from '../tests/support/memory-log.ts';
import type { Chain } from './chain.ts';
import { parseEventId } from './event-id.ts';
import { EventLog, type Located } from './event-log.ts';
import { checkRivals } from './rival-records.ts';

const PARTITION = 1;
const activation = activationOf(parseConfiguration({}), { tapeId: 'tape', activationId: 'first', gitCommit: 'abc' });
const derived = eventsOf(
  run(createPartitionTask(PARTITION), [
    activated(activation),
    ...syntheticTrades({ seed: 3, count: 400 }).map((trade) => traded(trade)),
  ]),
);
const decisions = derived.filter(({ type }) => type === 'ProbabilityDecision');
const decision = decisions[5]!;
const forged = encodeBody('ProbabilityDecision', { ...(decision.event as ProbabilityDecision), probability: 0.9 });

/** The check of a chain of one decision, in a log with other records put in at places among the decisions. */
async function checked(inserted: Readonly<Record<number, Buffer>>) {
  const log = new MemoryLog();
  decisions.forEach((record, index) => {
    const outgoing = recordOfEvent(PARTITION, record);
    const body = inserted[index];
    log.append([...(body === undefined ? [] : [{ ...outgoing, body }]), outgoing]);
  });
  const { reader, registry } = log.access;
  const events = new EventLog(reader, registry);
  const own = decision.hash.toString('hex');
  const held = log.records('probability.decisions', PARTITION);
  const offset = held.findIndex(({ value }) => value!.subarray(5).equals(decision.body));
  expect(parseEventId(decision.event.eventId)).toBeDefined();
  const located: Located<ProbabilityDecision> = {
    ...{ topic: 'probability.decisions', partition: PARTITION, offset, hash: own },
    event: decodeBody('ProbabilityDecision', decision.body),
  };
  return await checkRivals(events, { snapshot: located, results: [], decision: undefined } as unknown as Chain);
}

describe('checkRivals', () => {
  it('passes where each sequence stands once, or again with the same bytes', async () => {
    expect(await checked({})).toMatchObject({ passed: true });
    expect(await checked({ 9: decision.body })).toMatchObject({ passed: true });
  });

  it('names a record that was forged before the event', async () => {
    const { passed, detail } = await checked({ 5: forged });
    expect(passed).toBe(false);
    expect(detail).toContain('holds another event before');
    expect(detail).toContain('at log offset 5, under sequence 5');
    expect(detail).toContain('readers that keep the first one hold that one');
  });

  it('names a repetition with other bytes after the event', async () => {
    const { passed, detail } = await checked({ 12: forged });
    expect(passed).toBe(false);
    expect(detail).toContain('holds another event after');
  });
});
