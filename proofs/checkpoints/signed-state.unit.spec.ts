import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CHECKPOINTS_TOPIC } from '../../contracts/topics.ts';
import { CheckpointedLog, startTestWitness, type TestWitness } from '../../tests/support/checkpointed-log.ts';
import { MemoryLog } from '../../tests/support/memory-log.ts';
import { WITNESS_KEY } from '../../tests/support/signed-log.ts';
import { derive } from '../../tests/support/small-partition.ts';
import { LOG_TOPICS } from './log-following.adapter.ts';
import { signedStatesOf, type SignedState } from './signed-state.adapter.ts';

const [FIRST_MS, SECOND_MS, THIRD_MS] = [1_764_150_000_000, 1_764_150_060_000, 1_764_150_120_000] as const;
const DECISIONS = 'probability.decisions';

describe('the signed state of a log', () => {
  let log: CheckpointedLog;
  let witness: TestWitness;

  beforeEach(async () => {
    const whole = new MemoryLog();
    derive(whole);
    log = new CheckpointedLog(whole, 0);
    witness = await startTestWitness();
  });
  afterEach(() => witness.close());

  const states = (): Promise<readonly SignedState[]> => signedStatesOf(log.access, 0);
  const ofDecisions = async () => (await states()).find(({ topic }) => topic === DECISIONS);

  it('is nothing where nobody signs', async () => {
    log.grow(1);
    expect(await states()).toEqual([]);
  });

  it('is its newest head, with its witnesses, and all covered until it grows', async () => {
    log.grow(0.5);
    await log.checkpoint(FIRST_MS, witness);
    expect((await states()).map(({ topic }) => topic)).toEqual(LOG_TOPICS);
    const state = await ofDecisions();
    expect(state).toEqual({
      ...{ topic: DECISIONS, partition: 0, size: log.memory.records(DECISIONS, 0).length },
      ...{ signedAt: FIRST_MS * 1_000, witnesses: [WITNESS_KEY.name], unsignedSinceMs: null, uncosignedSinceMs: null },
    });
    log.grow(1);
    // Where a record does not say when it was written, the head's own time is the earliest.
    expect((await ofDecisions())?.unsignedSinceMs).toBe(FIRST_MS);
    const records = log.memory.records(DECISIONS, 0);
    const grownAt = state?.size ?? 0;
    records[grownAt] = { ...records[grownAt]!, headers: { 'emitted-at': new Date(SECOND_MS).toISOString() } };
    expect((await ofDecisions())?.unsignedSinceMs).toBe(SECOND_MS);
  });

  it('says since when a witness is silent, and nothing where there never was one', async () => {
    log.grow(0.3);
    await log.checkpoint(FIRST_MS, witness);
    log.grow(0.6);
    await log.checkpoint(SECOND_MS);
    log.grow(1);
    await log.checkpoint(THIRD_MS);
    const state = await ofDecisions();
    expect(state).toMatchObject({ uncosignedSinceMs: SECOND_MS, witnesses: [WITNESS_KEY.name] });
    expect(state?.signedAt).toBe(THIRD_MS * 1_000);
    // The first heads are gone: nobody is known to have cosigned.
    const heads = log.memory.records(CHECKPOINTS_TOPIC, 0);
    heads.splice(0, LOG_TOPICS.length);
    expect(await ofDecisions()).toMatchObject({ uncosignedSinceMs: null, witnesses: [] });
  });

  it('counts a log that was cut as unsigned', async () => {
    log.grow(1);
    await log.checkpoint(FIRST_MS, witness);
    log.memory.records(DECISIONS, 0).pop();
    expect((await ofDecisions())?.unsignedSinceMs).toBe(FIRST_MS);
  });
});
