import { setTimeout as sleep } from 'node:timers/promises';
import { ANCHORS_TOPIC, type DerivedTopic } from '../contracts/topics.ts';
import { TapeproofError } from '../platform/errors.ts';
import type { LogReader } from '../platform/kafka/log-reader.ts';
import { topicPartitionKey } from '../platform/kafka/topic-partition.ts';
import { namedRootOf, RootComparison, type NamedRoot, type RootCheck } from './engine-roots.ts';
import type { EventReader } from './event-reader.adapter.ts';
import type { HeldOutput, Position, RootStore } from './sink.ts';

/** How soon a new anchor is noticed. */
const ROUND_INTERVAL_MS = 1_000;
/** Anchors of an output in memory at a time. */
const ANCHORS_AHEAD_MAX = 64;

/** Failures that end a round and are not reported here. */
const PASSING: ReadonlySet<string> = new Set(['UNREACHABLE', 'REGISTRY_CHANGED', 'GENERATION_CHANGED']);

type Partitions = readonly (readonly [topic: string, partition: number])[];

export interface RootWatchSettings {
  readonly roots: RootStore;
  readonly reader: LogReader;
  readonly read: EventReader;
  readonly tapeId: string;
  /** The store's position in an output. @throws TapeproofError UNREACHABLE */
  readonly position: (topic: DerivedTopic, partition: number) => Promise<Position>;
  readonly report: RootReport;
}

export interface RootReport {
  /** A comparison, once it is kept. */
  compared(check: RootCheck): void;
  /** What all comparisons found, at the start and whenever there are differences. */
  held(outputs: readonly HeldOutput[]): void;
  /** A round ended early for a reason that is not an outage, or (undefined) one ended well. */
  failed(reason: string | undefined): void;
}

/** One output of one partition, with the anchors that name its roots, in the order of their log. */
interface WatchedOutput {
  readonly topic: DerivedTopic;
  readonly partition: number;
  /** Log offset of the next anchor to be read. */
  nextAnchor: number;
  /** Anchors read and not compared: the store does not have all of their events yet. */
  waiting: readonly NamedRoot[];
  /** Anchors whose events do not exist. */
  awaited: readonly NamedRoot[];
}

/**
 * Compares the stored events with the roots in the engine's anchors, beside the deliveries, and keeps what differs.
 * Nothing waits for it: an anchor is written after its events, and may come late.
 */
export class RootWatch {
  readonly #settings: RootWatchSettings;
  readonly #outputs = new Map<string, WatchedOutput>();
  /** False where there was a difference, or one may be settled, since the last report. */
  #isReported = false;

  constructor(settings: RootWatchSettings) {
    this.#settings = settings;
  }

  /** Rounds until `signal`. @param assigned - the partitions that this process delivers at present. */
  async run(assigned: () => Partitions, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.round(assigned(), () => signal.aborted);
      await sleep(ROUND_INTERVAL_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Compares each anchor whose events are stored. After an outage the next round goes on from there. */
  async round(assigned: Partitions, isOver: () => boolean = () => false): Promise<void> {
    const { roots, report } = this.#settings;
    try {
      for (const output of await this.#watched(assigned)) await this.#advance(output, isOver);
      if (!this.#isReported) report.held(await roots.held());
      this.#isReported = true;
      report.failed(undefined);
    } catch (error) {
      // The deliveries report an outage, and go on with another generation.
      if (error instanceof TapeproofError && PASSING.has(error.code)) return;
      report.failed(error instanceof Error ? error.message : String(error));
    }
  }

  async #watched(assigned: Partitions): Promise<readonly WatchedOutput[]> {
    const { roots } = this.#settings;
    const watched = new Map<string, WatchedOutput>();
    for (const [name, partition] of assigned) {
      const topic = roots.outputs.find((output) => output === name);
      if (topic === undefined) continue;
      const key = topicPartitionKey({ topic, partition });
      const known = this.#outputs.get(key);
      const nextAnchor = known === undefined ? await roots.nextAnchor(topic, partition) : 0;
      watched.set(key, known ?? { topic, partition, nextAnchor, waiting: [], awaited: [] });
    }
    // Another process goes on with the others.
    this.#outputs.clear();
    for (const [key, output] of watched) this.#outputs.set(key, output);
    return [...watched.values()];
  }

  async #advance(output: WatchedOutput, isOver: () => boolean): Promise<void> {
    const { topic, partition } = output;
    const { reader, position } = this.#settings;
    while (!isOver()) {
      if (output.waiting.length === 0) await this.#readAnchors(output);
      if (output.waiting.length === 0 && output.awaited.length === 0) break;
      // The log's end first: what is before it and not stored then does not exist.
      const end = await reader.endOffset(topic, partition);
      const { nextSequence, nextOffset } = await position(topic, partition);
      const isDue = (named: NamedRoot): boolean => named.nextSequence <= nextSequence || nextOffset >= end;
      const cameLate = output.awaited.filter((named) => named.nextSequence <= nextSequence);
      const due = output.waiting.slice(
        0,
        firstIndexWhere(output.waiting, (named) => !isDue(named)),
      );
      if (cameLate.length + due.length === 0) break;
      for (const named of [...cameLate, ...due]) {
        if (isOver()) return;
        const { result } = await this.#compare(named, nextSequence);
        output.waiting = output.waiting.filter((other) => other !== named);
        output.awaited = output.awaited.filter((other) => other !== named);
        if (result === 'awaits') output.awaited = [...output.awaited, named];
        if (result !== 'agrees' || cameLate.includes(named)) this.#isReported = false;
      }
    }
  }

  async #readAnchors(output: WatchedOutput): Promise<void> {
    const { topic, partition, awaited } = output;
    const { reader, read, tapeId, roots } = this.#settings;
    const end = await reader.endOffset(ANCHORS_TOPIC, partition);
    // The engine's topics were recreated: all anchors are read again, and the known ones passed over.
    if (end < output.nextAnchor) output.nextAnchor = 0;
    const from = Math.max(output.nextAnchor, await reader.startOffset(ANCHORS_TOPIC, partition));
    const to = Math.min(end, from + ANCHORS_AHEAD_MAX);
    if (from >= to) return;
    const unknown = new Map<string, NamedRoot>();
    for await (const records of reader.read({ topic: ANCHORS_TOPIC, partition, from, to })) {
      for (const record of records) {
        const outcome = await read(record);
        if (outcome.kind !== 'event' || outcome.source.type !== 'EngineAnchor') continue;
        const { event, bodyHash, offset: logOffset } = outcome.source;
        if (event.tapeId !== tapeId || event.tape.partition !== partition) continue;
        const hash = bodyHash().toString('hex');
        const named = namedRootOf(topic, event, { hash, logOffset });
        if (named === undefined || awaited.some(({ anchor }) => anchor.hash === hash)) continue;
        const known = await roots.checkOf(topic, partition, hash);
        if (known === undefined || known.result === 'awaits') unknown.set(hash, named);
      }
    }
    output.waiting = [...unknown.values()];
    output.nextAnchor = to;
  }

  async #compare(named: NamedRoot, storedTo: number): Promise<RootCheck> {
    const { roots, report } = this.#settings;
    const check = await this.#checkOf(new RootComparison(named, await roots.earlier(named)), named, storedTo);
    await roots.keep(check);
    report.compared(check);
    return check;
  }

  async #checkOf(comparison: RootComparison, named: NamedRoot, storedTo: number): Promise<RootCheck> {
    const { topic, partition, nextSequence } = named;
    if (comparison.refusal !== undefined) return comparison.refused(comparison.refusal);
    if (nextSequence > storedTo) return comparison.awaiting(storedTo);
    const { roots } = this.#settings;
    for await (const rows of roots.hashes(topic, partition, comparison.fromSequence, nextSequence)) {
      for (const { sequence, hash } of rows) comparison.take(sequence, hash);
    }
    return comparison.result();
  }
}

/** The index of the first such item, or the number of items. */
function firstIndexWhere<Item>(items: readonly Item[], is: (item: Item) => boolean): number {
  const index = items.findIndex(is);
  return index === -1 ? items.length : index;
}
