import { describe, expect, it } from 'vitest';
import { encodeBody, hashBody } from '../contracts/codec.ts';
import type { ProbabilityDecision } from '../contracts/generated/events.ts';
import { ANCHORS_TOPIC, DERIVED_TOPICS, perTopic, STATES_TOPIC, type TopicName } from '../contracts/topics.ts';
import { MemoryLog } from '../tests/support/memory-log.ts';
import type { DerivedRecord } from './advance.ts';
import { anchorRecords } from './anchor-log.adapter.ts';
import { parseConfiguration } from './configuration.ts';
import { activationOf } from './derive.ts';
import { syntheticTrades } from './fixtures/synthetic-market.ts';
import { activated, eventsOf, run, traded } from './fixtures/tape-contents.ts';
import { ForeignWrites } from './foreign-writes.adapter.ts';
import { OutputComparison } from './output-comparison.adapter.ts';
import { recordOfEvent } from './outgoing-records.ts';
import { createPartitionTask } from './partition-task.ts';

const PARTITION = 2;
const TOPIC = 'probability.decisions';
const OUTPUTS: readonly TopicName[] = [...DERIVED_TOPICS, ANCHORS_TOPIC, STATES_TOPIC];
const COMMITS = { derivedBy: 'this-build', activatedBy: 'that-build' };
const identity = { tapeId: 'tape', activationId: 'activation', gitCommit: 'unknown' };
const advances = run(createPartitionTask(PARTITION), [
  activated(activationOf(parseConfiguration({}), identity)),
  ...syntheticTrades({ seed: 7, count: 400, meanGapSeconds: 3 }).map((trade) => traded(trade)),
]);
const decisions = eventsOf(advances).filter(({ topic }) => topic === TOPIC);
const [anchor] = advances.flatMap(({ anchor: one }) => one ?? []);

/** Another decision under the same sequence. */
function forged(derived: DerivedRecord): DerivedRecord {
  const event = { ...(derived.event as ProbabilityDecision), probability: 0.999 };
  const body = encodeBody('ProbabilityDecision', event);
  return { ...derived, event, body, hash: hashBody('ProbabilityDecision', body) };
}

/** An output to which this engine and another writer append in turn. */
class Output {
  readonly log = new MemoryLog();
  readonly writes: ForeignWrites;

  constructor(held: readonly DerivedRecord[] = []) {
    this.other(...held);
    const ends = new Map<TopicName, number>(OUTPUTS.map((topic) => [topic, this.end(topic)]));
    const next = Object.fromEntries(DERIVED_TOPICS.map((topic) => [topic, topic === TOPIC ? held.length : 0]));
    this.writes = new ForeignWrites(this.log.access, PARTITION, ends, next as never);
  }

  end(topic: TopicName): number {
    return this.log.records(topic, PARTITION).length;
  }

  other(...derived: readonly DerivedRecord[]): void {
    this.log.append(derived.map((one) => recordOfEvent(PARTITION, one)));
  }

  sending(...derived: readonly DerivedRecord[]): void {
    this.writes.sending({ ...perTopic(() => []), [TOPIC]: derived.map(({ sequence }) => sequence) });
  }

  async own(...derived: readonly DerivedRecord[]) {
    for (const one of derived) this.writes.derived(one, COMMITS);
    this.sending(...derived);
    const baseOffset = this.end(TOPIC);
    this.other(...derived);
    this.writes.appended({ topic: TOPIC, baseOffset, count: derived.length });
    return await this.fates();
  }

  look(): void {
    this.writes.seen(new Map(OUTPUTS.map((topic) => [topic, { end: this.end(topic) }])));
  }

  async fates() {
    const { events, passedOver } = await this.writes.inspect();
    return [...events.map(({ offset, fate }) => [offset, fate]), ...passedOver.map(({ offset }) => [offset, 'none'])];
  }
}

describe('what others append to an output', () => {
  it('costs nothing while there is nothing: only the answers to the writes are looked at', async () => {
    const output = new Output();
    for (const decision of decisions.slice(0, 8)) expect(await output.own(decision)).toEqual([]);
    output.look();
    expect(output.writes.isDue).toBe(false);
    expect(output.log.ranges).toEqual([]);
  });

  it('is harmless where it is the same: a repetition of another engine, before or after ours', async () => {
    const output = new Output();
    await output.own(...decisions.slice(0, 4));
    output.other(...decisions.slice(2, 6));
    expect(await output.own(...decisions.slice(4, 6))).toEqual([2, 3, 4, 5].map((at) => [at + 2, 'repeated']));
    // Endless repetitions cost only themselves.
    for (let round = 0; round < 50; round += 1) {
      output.other(...decisions.slice(0, 6));
      output.look();
      expect(new Set((await output.fates()).map(([, fate]) => fate))).toEqual(new Set(['repeated']));
    }
    expect(output.writes.isLost).toBe(false);
  });

  it('is a conflict where it stands before ours under its sequence', async () => {
    const output = new Output();
    await output.own(decisions[0]!);
    output.other(forged(decisions[1]!));
    expect(await output.own(...decisions.slice(1, 3))).toEqual([[1, 'conflict']]);
  });

  it('stops the engine by the first record under a sequence, although the true one follows it', async () => {
    const output = new Output();
    await output.own(decisions[0]!);
    output.other(forged(decisions[1]!), decisions[1]!);
    output.look();
    expect(await output.fates()).toEqual([1, 2].map((at) => [at, 'ahead']));
    expect(() => {
      output.writes.derived(decisions[1]!, COMMITS);
    }).toThrow(/holds another event at log offset 1,/);
  });

  it('is older than ours where it stands between two acknowledgements of one send', async () => {
    const output = new Output();
    const [first, second] = [decisions[0]!, decisions[1]!];
    for (const one of [first, second]) output.writes.derived(one, COMMITS);
    output.sending(first, second);
    output.other(first);
    output.writes.appended({ topic: TOPIC, baseOffset: 0, count: 1 });
    output.other(forged(first), second);
    output.writes.appended({ topic: TOPIC, baseOffset: 2, count: 1 });
    expect(await output.fates()).toEqual([[1, 'differing']]);
  });

  it('is named where it claims the sequence of an older event with other bytes', async () => {
    const output = new Output();
    await output.own(...decisions.slice(0, 3));
    output.other(forged(decisions[1]!));
    expect(await output.own(decisions[3]!)).toEqual([[3, 'differing']]);
  });

  it('waits while nothing is derived, and stops the engine before it writes after it', async () => {
    const output = new Output();
    await output.own(decisions[0]!);
    output.other(forged(decisions[1]!), decisions[2]!);
    output.look();
    expect(await output.fates()).toEqual([
      [1, 'ahead'],
      [2, 'ahead'],
    ]);
    expect(() => {
      output.writes.derived(decisions[1]!, COMMITS);
    }).toThrow(/probability.decisions-2 holds another event at log offset 1, not decision-2-\d+-0 \(sequence 1\)/);
    expect(() => {
      output.writes.derived(decisions[2]!, COMMITS);
    }).not.toThrow();
  });

  it('is not verified where the event of its sequence was derived before the recovery', async () => {
    const output = new Output(decisions.slice(0, 3));
    output.other(forged(decisions[1]!));
    expect(await output.own(decisions[3]!)).toEqual([[3, 'unverified']]);
  });

  it('is passed over where it is not an event', async () => {
    const output = new Output();
    const records = output.log.records(TOPIC, PARTITION);
    await output.own(decisions[0]!);
    records.push({ ...records[0]!, offset: 1, value: null }, { ...records[0]!, offset: 2, value: Buffer.from('text') });
    expect(await output.own(decisions[1]!)).toEqual([
      [1, 'none'],
      [2, 'none'],
    ]);
  });

  it('may be an anchor: one of ours again, or a stranger’s', async () => {
    const output = new Output();
    const append = (hash: Buffer) => {
      const { states, manifest } = anchorRecords(anchor!, 0, { pages: 0, state: 0, outputs: {} });
      output.log.append([...states, manifest]);
      output.look();
      return hash;
    };
    append(anchor!.hash);
    expect(await output.fates()).toEqual([
      [0, 'unverified'],
      [0, 'unread'],
    ]);
    output.writes.sendingAnchor(anchor!.hash);
    append(anchor!.hash);
    expect((await output.fates())[0]).toEqual([1, 'repeated']);
  });

  it('is not suspected where the topic was created again, or Kafka does not say where it appended', async () => {
    const output = new Output();
    await output.own(...decisions.slice(0, 3));
    output.sending(decisions[3]!);
    output.writes.appended({ topic: TOPIC, baseOffset: 0, count: 1 });
    output.writes.appended({ topic: TOPIC, baseOffset: undefined, count: 1 });
    output.writes.appended({ topic: TOPIC, baseOffset: 7, count: 1 });
    expect(output.writes.isDue).toBe(false);
  });

  it('leaves it to a recovery where more is ahead than can be followed', async () => {
    const output = new Output();
    const far = Array.from({ length: 10_001 }, (_, index) => {
      const event = { ...(decisions[0]!.event as ProbabilityDecision), sequence: index + 5 };
      return { ...decisions[0]!, event, body: encodeBody('ProbabilityDecision', event) };
    });
    output.other(...far);
    output.look();
    await output.fates();
    expect(output.writes.isLost).toBe(true);
  });
});

describe('a comparison', () => {
  it('names repetitions of older sequences by what they are', async () => {
    const log = new MemoryLog();
    const written = [...decisions.slice(0, 4), decisions[1]!, forged(decisions[2]!), ...decisions.slice(4, 6)];
    log.append(written.map((one) => recordOfEvent(PARTITION, one)));
    const next = { ...Object.fromEntries(DERIVED_TOPICS.map((topic) => [topic, 0])), [TOPIC]: 2 } as never;
    const comparison = await OutputComparison.open(log.access, PARTITION, next, { [TOPIC]: 2 });
    for (const one of decisions.slice(2, 6)) expect(await comparison.holds(one, COMMITS)).toBe(true);
    expect(comparison.repetitions.map(({ offset, fate }) => [offset, fate])).toEqual([
      [4, 'unverified'],
      [5, 'differing'],
    ]);
  });
});
