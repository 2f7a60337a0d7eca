import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProbabilityDecision } from '../../contracts/generated/events.ts';
import { isoTimeOf } from '../../contracts/iso-time.ts';
import { parseConfiguration } from '../../evaluators/configuration.ts';
import { activationOf } from '../../evaluators/derive.ts';
import { syntheticTrades } from '../../evaluators/fixtures/synthetic-market.ts';
import { activated, traded } from '../../evaluators/fixtures/tape-contents.ts';
import { CheckpointedLog, startTestWitness, type TestWitness } from '../../tests/support/checkpointed-log.ts';
import { derivedLog } from '../../tests/support/derived-log.ts';
import { LOG_KEY, OTHER_LOG_KEY, SECOND_WITNESS_KEY, WITNESS_KEY } from '../../tests/support/signed-log.ts';
import { EventLog } from '../event-log.ts';
import type { Located } from '../located.ts';
import { eventHashOf, parseProof, verifyProof } from '../tlog/tlog-proof.ts';
import { checkpointsOf, proveEvent } from './event-proof.adapter.ts';
import { checkpointReferences } from './references.adapter.ts';

const PARTITION = 0;
const TAPE_ID = 'tape-1';
const STEPS = 20;
const activation = activationOf(parseConfiguration({ hitRule: { horizonMs: 20_000 }, anchorIntervalRecords: 500 }), {
  ...{ tapeId: TAPE_ID, activationId: 'first', gitCommit: 'abc' },
});
const contents = [activated(activation), ...syntheticTrades({ seed: 7, count: 2_500 }).map((trade) => traded(trade))];
const { memory: whole } = derivedLog(PARTITION, contents, isoTimeOf);
const KEYS = { logKeys: [LOG_KEY], witnessKeys: [WITNESS_KEY] };
const UNVERIFIED = { logKeys: [], witnessKeys: [] };

let witness: TestWitness;
let log: CheckpointedLog;
let decisions: Located<ProbabilityDecision>[];

const decisionsIn = async (checkpointed: CheckpointedLog): Promise<Located<ProbabilityDecision>[]> => {
  const { reader, registry } = checkpointed.access;
  const found: Located<ProbabilityDecision>[] = [];
  const events = new EventLog(reader, registry).range('ProbabilityDecision', PARTITION, 0, Number.MAX_SAFE_INTEGER);
  for await (const located of events) found.push(located);
  return found;
};

/** Signs after each step, at the time of its last event; the witness is away in one step of three. */
async function grown(): Promise<CheckpointedLog> {
  const made = new CheckpointedLog(whole, PARTITION);
  for (let step = 1; step <= STEPS; step += 1) {
    made.grow((step / STEPS) * 0.95);
    const last = (await decisionsIn(made)).at(-1);
    const nowMs = Date.parse(last?.emittedAt ?? '') + 1_000;
    witness.timeS = Math.floor(nowMs / 1_000);
    await made.checkpoint(nowMs, step % 3 === 2 ? undefined : witness);
  }
  made.grow(1);
  return made;
}

beforeAll(async () => {
  witness = await startTestWitness();
  log = await grown();
  decisions = await decisionsIn(log);
});
afterAll(() => witness.close());

const proven = (located: Located<ProbabilityDecision>, keys = KEYS) => proveEvent(log.access, located, TAPE_ID, keys);
const at = (share: number) => decisions[Math.floor(decisions.length * share)]!;

describe('the proof of an event', () => {
  it('is of the first checkpoint with it that is cosigned, and a reader with the keys takes it', async () => {
    const sizes: number[] = [];
    for (let share = 0; share < 0.9; share += 0.07) {
      const located = at(share);
      const { text, size, index, cosignatures } = await proven(located);
      expect(index).toBe(located.event.sequence);
      expect(cosignatures.map((cosignature) => cosignature.witness)).toEqual(['witness.example']);
      const proof = parseProof(text);
      expect(eventHashOf(proof.extra!).toString('hex')).toBe(located.hash);
      const report = verifyProof(proof, Buffer.from(located.hash, 'hex'), { ...KEYS, witnessesMin: 1 });
      expect(report.checks.map(({ passed }) => passed)).toEqual([true, true, true]);
      const around = await checkpointsOf(log.access, located, TAPE_ID, KEYS);
      expect(around?.cosigned?.size).toBe(size);
      expect(around?.before?.size ?? 0).toBeLessThanOrEqual(index);
      expect(around?.first.size).toBeGreaterThan(index);
      sizes.push(size);
    }
    expect(new Set(sizes).size).toBeGreaterThan(5);
  });

  it('reads only from the checkpoint before it to that one', async () => {
    const located = at(0.6);
    const around = await checkpointsOf(log.access, located, TAPE_ID, KEYS);
    log.memory.ranges.length = 0;
    await proven(located);
    const read = log.memory.ranges.filter(({ topic }) => topic === located.topic);
    expect(read.map(({ from }) => from)).toEqual([around!.before!.logOffset, located.offset]);
  });

  it('finds the same checkpoints where the log does not say when the event was sent', async () => {
    for (const share of [0, 0.3, 0.85]) {
      const { emittedAt, ...located } = at(share);
      expect(emittedAt).toBeDefined();
      expect((await proven(located)).text).toBe((await proven(at(share))).text);
    }
  });

  it('says that no witness signed where none did', async () => {
    const { cosignatures, text } = await proven(at(0.5), { ...KEYS, witnessKeys: [SECOND_WITNESS_KEY] });
    expect(cosignatures).toEqual([]);
    const policy = { logKeys: [LOG_KEY], witnessKeys: [], witnessesMin: 0 };
    const report = verifyProof(parseProof(text), Buffer.from(at(0.5).hash, 'hex'), policy);
    expect(report.checks.every(({ passed }) => passed)).toBe(true);
  });

  it('skips what another key signed, and what is not a sound record', async () => {
    const { text } = await proven(at(0.5));
    const held = log.memory.records('engine.checkpoints', PARTITION);
    const kept = [...held];
    await log.checkpoint(kept.at(-1)!.timestampMs, undefined, [{ ...OTHER_LOG_KEY, name: LOG_KEY.name }]);
    expect(held.length).toBeGreaterThan(kept.length);
    expect((await proven(at(0.5))).text).toBe(text);
    const byOther = await proven(at(0.5), { logKeys: [OTHER_LOG_KEY], witnessKeys: [] });
    expect(byOther).toMatchObject({ size: decisions.length, cosignatures: [] });
    held.splice(0, held.length, ...kept);
  });

  it('is announced by the reference in a report, which reads the checkpoints once', async () => {
    const asked = decisions.slice(Math.floor(decisions.length / 2));
    log.memory.ranges.length = 0;
    const references = await checkpointReferences(log.access, asked.toReversed(), TAPE_ID);
    expect(log.memory.ranges).toHaveLength(1);
    for (const located of asked) {
      const around = await checkpointsOf(log.access, located, TAPE_ID, KEYS);
      const reference = references.get(located.event.eventId);
      expect(reference?.size).toBe(around?.first.size);
      expect(reference?.index).toBe(around === undefined ? undefined : located.event.sequence);
    }
    expect(references.size).toBeLessThan(asked.length);
    expect(await checkpointReferences(log.access, asked, 'another-tape')).toEqual(new Map());
  });

  it('waits for a checkpoint', async () => {
    const last = decisions.at(-1)!;
    await expect(proven(last)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('run "npx tapeproof checkpoints now"') as string,
    });
    await expect(proveEvent(log.access, at(0.5), 'another-tape', UNVERIFIED)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('is not made of a log that was rewritten, nor for an event that is not the one of its place', async () => {
    const located = at(0.5);
    const other = { ...located, hash: at(0.4).hash };
    await expect(proven(other)).rejects.toThrow(/has another event at sequence/);
    const held = log.memory.records('probability.decisions', PARTITION);
    const kept = [...held];
    held[located.offset] = { ...held[located.offset]!, value: forgedFrom(kept[located.offset]!.value!) };
    await expect(proven(located)).rejects.toThrow(/are not those that were signed: there is no proof/);
    held.splice(0, held.length, ...kept);
  });
});

/** The event with another last byte. */
function forgedFrom(value: Buffer): Buffer {
  const forged = Buffer.from(value);
  forged.writeUInt8(forged.readUInt8(forged.length - 1) ^ 1, forged.length - 1);
  return forged;
}
