import { isDerived } from '../contracts/foreign-record.ts';
import {
  ANCHORS_TOPIC,
  DERIVED_TOPICS,
  perTopic,
  STATES_TOPIC,
  type DerivedTopic,
  type TopicName,
} from '../contracts/topics.ts';
import { PassedOverRecords, type PassedOver } from '../platform/kafka/foreign-records.ts';
import { framedIn, type Framed } from '../platform/kafka/framed-record.ts';
import type { Appended } from '../platform/kafka/producer.ts';
import type { DerivedRecord } from './advance.ts';
import type { LogAccess } from './anchor-log.adapter.ts';
import type { ForeignEvent } from './foreign-events.ts';
import { conflictWith, sequenceOf, type Commits } from './output-comparison.adapter.ts';
import { RecentHashes } from './recent-hashes.ts';

/** Events of other writers that wait for ours; of more, only a recovery keeps track. */
const AHEAD_MAX = 10_000;
/** Hashes of anchors kept, to know a repetition. */
const ANCHORS_MAX = 64;

const NOTHING_SENT = perTopic((): readonly number[] => []);

/** Records of an output that somebody else appended. */
interface ForeignRange {
  readonly topic: TopicName;
  readonly from: number;
  readonly to: number;
  /** Our events from this sequence on are after it in the log. */
  readonly ownAfter: number;
}

interface Ahead {
  readonly offset: number;
  readonly hash: Buffer;
}

/** What was found in the records of others. */
export interface ForeignFindings {
  readonly events: readonly ForeignEvent[];
  /** Records that are not events at all. */
  readonly passedOver: readonly PassedOver[];
}

/**
 * Follows where this engine's records end in each output of a partition, by Kafka's answers to its own writes. Where one
 * does not begin at the end of the last, somebody else wrote in between: another engine that does not know yet that it
 * lost the partition, whose events are the same, or a forger. Only those records are read, and each is compared with the
 * event that was derived under its sequence, now or when it is derived.
 */
export class ForeignWrites {
  readonly #access: LogAccess;
  readonly #partition: number;
  readonly #ends: Map<TopicName, number>;
  readonly #recent: Readonly<Record<DerivedTopic, RecentHashes>>;
  /** Of the events whose acknowledgement is awaited, in order. */
  #sequences: Readonly<Record<DerivedTopic, readonly number[]>> = NOTHING_SENT;
  /** Of those, how many are acknowledged. */
  readonly #acknowledged: Record<DerivedTopic, number> = perTopic(() => 0);
  #ranges: ForeignRange[] = [];
  readonly #ahead = new Map<string, Ahead>();
  readonly #anchors = new Set<string>();
  #isLost = false;

  /**
   * @param ends - log offset of the next record of each output.
   * @param nextSequences - of the first event of each output that will be derived.
   */
  constructor(
    access: LogAccess,
    partition: number,
    ends: ReadonlyMap<TopicName, number>,
    nextSequences: Readonly<Record<DerivedTopic, number>>,
  ) {
    this.#access = access;
    this.#partition = partition;
    this.#ends = new Map(ends);
    this.#recent = perTopic((topic) => new RecentHashes(nextSequences[topic]));
  }

  /** True when there are records of others that were not inspected. */
  get isDue(): boolean {
    return this.#ranges.length > 0;
  }

  /** True when more events are ahead than can be followed: a recovery has to compare them. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /**
   * Notes an event, written or found written.
   *
   * @throws TapeproofError CONFLICT when another event is already in the log under its sequence.
   */
  derived(derived: DerivedRecord, commits: Commits): void {
    const { topic, sequence, hash } = derived;
    this.#recent[topic].add(hash);
    if (this.#ahead.size === 0) return;
    const key = `${topic} ${sequence}`;
    const ahead = this.#ahead.get(key);
    this.#ahead.delete(key);
    if (ahead !== undefined && !ahead.hash.equals(hash)) {
      throw conflictWith(derived, this.#partition, ahead.offset, commits);
    }
  }

  /** Before events are sent. @param sequences - of each output's, in order. */
  sending(sequences: Readonly<Record<DerivedTopic, readonly number[]>>): void {
    this.#sequences = sequences;
    for (const topic of DERIVED_TOPICS) this.#acknowledged[topic] = 0;
  }

  /** Before an anchor is sent. */
  sendingAnchor(hash: Buffer): void {
    this.#anchors.add(hash.toString('hex'));
    const [oldest] = this.#anchors;
    if (this.#anchors.size > ANCHORS_MAX && oldest !== undefined) this.#anchors.delete(oldest);
  }

  /** Kafka's answer to a write of this engine. */
  appended({ topic, baseOffset, count }: Omit<Appended, 'partition'>): void {
    if (!isOutput(topic)) return;
    const expected = this.#ends.get(topic);
    const ownAfter = isDerived(topic) ? this.#acknowledge(topic, count) : Number.POSITIVE_INFINITY;
    if (baseOffset === undefined) {
      this.#ends.delete(topic);
      return;
    }
    // Before the expected end, the topic was created again: see written-extents.adapter.ts.
    if (expected !== undefined && baseOffset > expected) {
      this.#ranges.push({ topic, from: expected, to: baseOffset, ownAfter });
    }
    this.#ends.set(topic, baseOffset + count);
  }

  /** @returns the sequence of the first of the events; infinite where none is awaited. */
  #acknowledge(topic: DerivedTopic, count: number): number {
    const first = this.#sequences[topic][this.#acknowledged[topic]];
    this.#acknowledged[topic] += count;
    return first ?? Number.POSITIVE_INFINITY;
  }

  /** The ends of the outputs as they are while nothing is being written. */
  seen(ends: ReadonlyMap<TopicName, { readonly end: number }>): void {
    for (const [topic, { end }] of ends) {
      const expected = this.#ends.get(topic);
      if (expected !== undefined && end > expected) {
        this.#ranges.push({ topic, from: expected, to: end, ownAfter: Number.POSITIVE_INFINITY });
      }
      this.#ends.set(topic, end);
    }
  }

  /** Reads the records of others since the last time. @throws TapeproofError UNREACHABLE */
  async inspect(): Promise<ForeignFindings> {
    const events: ForeignEvent[] = [];
    const passedOver = new PassedOverRecords();
    const { reader, registry } = this.#access;
    const partition = this.#partition;
    for (const range of this.#ranges.splice(0)) {
      const { topic, from, to } = range;
      if (topic === STATES_TOPIC) {
        events.push({ topic, partition, offset: from, fate: 'unread' });
        continue;
      }
      const start = Math.max(from, await reader.startOffset(topic, partition));
      if (start >= to) continue;
      for await (const records of reader.read({ topic, partition, from: start, to })) {
        for (const record of records) {
          const framed = await framedIn(registry, record);
          if ('reason' in framed) passedOver.add(record, framed);
          else
            events.push({ topic, partition, offset: record.offset, fate: this.#fateOf(framed, range, record.offset) });
        }
      }
    }
    return { events, passedOver: passedOver.all };
  }

  #fateOf(framed: Framed, { topic, ownAfter }: ForeignRange, offset: number): ForeignEvent['fate'] {
    const { hash } = framed;
    if (!isDerived(topic)) return this.#anchors.has(hash.toString('hex')) ? 'repeated' : 'unverified';
    const sequence = sequenceOf(framed);
    if (sequence === undefined) return 'unverified';
    const recent = this.#recent[topic];
    if (sequence >= recent.nextSequence) {
      const key = `${topic} ${sequence}`;
      if (this.#ahead.size >= AHEAD_MAX) this.#isLost = true;
      // The first record under a sequence is the one that readers keep.
      else if (!this.#ahead.has(key)) this.#ahead.set(key, { offset, hash: Buffer.from(hash) });
      return 'ahead';
    }
    const isEqual = recent.isEqual(sequence, hash);
    if (isEqual === undefined) return 'unverified';
    if (isEqual) return 'repeated';
    return sequence >= ownAfter ? 'conflict' : 'differing';
  }
}

function isOutput(topic: TopicName): boolean {
  return isDerived(topic) || topic === ANCHORS_TOPIC || topic === STATES_TOPIC;
}

/** By output, the offset after its last record. */
export function endsOf(
  outputs: Readonly<Record<DerivedTopic, number>>,
  others: ReadonlyMap<TopicName, { readonly end: number }>,
): Map<TopicName, number> {
  const ends = new Map<TopicName, number>([...others].map(([topic, { end }]) => [topic, end]));
  for (const topic of DERIVED_TOPICS) ends.set(topic, outputs[topic]);
  return ends;
}
