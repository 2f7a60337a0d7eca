import { describe, expect, it } from 'vitest';
import { TAPE_TOPIC } from '../contracts/topics.ts';
import { parseConfiguration } from '../evaluators/configuration.ts';
import { activationOf } from '../evaluators/derive.ts';
import { syntheticTrades } from '../evaluators/fixtures/synthetic-market.ts';
import { activated, run, traded } from '../evaluators/fixtures/tape-contents.ts';
import { createPartitionTask } from '../evaluators/partition-task.ts';
import { activationOfEvent, type ActivationPorts } from './activation-log.ts';
import { derivedLog } from '../tests/support/derived-log.ts';

const PARTITION = 1;
const identity = { tapeId: 'tape', gitCommit: 'abc' };
const usual = parseConfiguration({ anchorIntervalRecords: 100 });
const ids = ['first', 'second', 'third'];
const activations = ids.map((activationId, index) =>
  activationOf(index === 1 ? parseConfiguration({ cadenceMs: 5_000 }) : usual, { ...identity, activationId }),
);
const trades = syntheticTrades({ seed: 4, count: 1_500 }).map((trade) => traded(trade));
const contents = activations.flatMap((activation, index) => [
  activated(activation),
  ...trades.slice(index * 500, (index + 1) * 500),
]);
const events = run(createPartitionTask(PARTITION), contents).flatMap(({ derived }) =>
  derived.map(({ event }) => event),
);
const { memory } = derivedLog(PARTITION, contents, () => undefined);

/** The ids found for all events, and the records of the tape that were read. */
async function found(ports: ActivationPorts): Promise<{ readonly all: (string | undefined)[]; readonly read: number }> {
  memory.ranges.length = 0;
  const all: (string | undefined)[] = [];
  for (const event of events) all.push((await activationOfEvent(ports, event))?.event.activationId);
  const read = memory.ranges
    .filter(({ topic }) => topic === TAPE_TOPIC)
    .reduce((sum, { from, to }) => sum + to - from, 0);
  return { all, read };
}

const inForce = events.map(({ tape }) => ids[Math.floor(tape.offset / 501)]);

describe('the activation in force at an event', () => {
  it('is found on the tape by the anchors, with one record read', async () => {
    expect(new Set(inForce).size).toBe(3);
    expect(await found(memory.access)).toEqual({ all: inForce, read: events.length });
  });

  it('is found by reading the tape where the anchors are missing, or lie', async () => {
    const anchors = memory.records('engine.anchors', PARTITION);
    const held = [...anchors];
    anchors.length = 0;
    expect((await found(memory.access)).all).toEqual(inForce);
    // The anchors after the activations are gone: what remains points at trades.
    anchors.push(...held.slice(2, 5).map((record, offset) => ({ ...record, offset })));
    expect((await found(memory.access)).all).toEqual(inForce);
    anchors.length = 0;
    anchors.push(...held);
  });

  it('is none where the tape has none of that configuration and engine', async () => {
    const [event] = events;
    for (const changed of [{ configHash: 'other' }, { engineVersion: '999' }]) {
      expect(await activationOfEvent(memory.access, { ...event!, ...changed })).toBeUndefined();
    }
  });
});
