import type { DerivedTopic } from '../../contracts/topics.ts';
import type { NamedRoot, RootCheck } from '../../projectors/engine-roots.ts';
import type { Position, RootStore } from '../../projectors/sink.ts';

interface StoredEvent {
  readonly sequence: number;
  readonly hash: Buffer;
}

/** The stored events of one partition in memory, with the comparisons kept beside them; tests may change both. */
export class MemoryRoots implements RootStore {
  readonly outputs: readonly DerivedTopic[];
  readonly rows = new Map<DerivedTopic, StoredEvent[]>();
  readonly positions = new Map<DerivedTopic, Position>();
  checks: readonly RootCheck[] = [];

  constructor(outputs: readonly DerivedTopic[]) {
    this.outputs = outputs;
    for (const topic of outputs) this.rows.set(topic, []);
  }

  readonly position = (topic: DerivedTopic): Promise<Position> =>
    Promise.resolve(this.positions.get(topic) ?? { nextOffset: 0, nextSequence: 0 });

  nextAnchor(topic: DerivedTopic): Promise<number> {
    const own = this.#of(topic);
    const awaited = own.filter(({ result }) => result === 'awaits').map(({ anchor }) => anchor.logOffset);
    if (awaited.length > 0) return Promise.resolve(Math.min(...awaited));
    return Promise.resolve(Math.max(-1, ...own.map(({ anchor }) => anchor.logOffset)) + 1);
  }

  checkOf(topic: DerivedTopic, _partition: number, anchorHash: string): Promise<RootCheck | undefined> {
    return Promise.resolve(this.#of(topic).find(({ anchor }) => anchor.hash === anchorHash));
  }

  earlier({ topic, firstSequence, nextSequence, anchor }: NamedRoot) {
    const own = this.#of(topic);
    const compared = own.filter(({ storedRoot }) => storedRoot !== undefined);
    const base = compared
      .filter((check) => check.firstSequence === firstSequence && check.nextSequence <= nextSequence)
      .sort((left, right) => right.nextSequence - left.nextSequence)[0];
    const predecessor = own.find((check) => check.anchor.hash === anchor.previousHash);
    const endsAtBeginning = compared.some((check) => check.nextSequence === firstSequence);
    return Promise.resolve({ base, predecessor, endsAtBeginning });
  }

  async *hashes(topic: DerivedTopic, _partition: number, from: number, to: number) {
    const rows = (this.rows.get(topic) ?? []).filter(({ sequence }) => sequence >= from && sequence < to);
    yield await Promise.resolve([...rows].sort((left, right) => left.sequence - right.sequence));
  }

  keep(check: RootCheck): Promise<void> {
    const others = this.checks.filter(
      ({ topic, anchor }) => topic !== check.topic || anchor.hash !== check.anchor.hash,
    );
    this.checks = [...others, check];
    return Promise.resolve();
  }

  held() {
    return Promise.resolve([]);
  }

  #of(topic: DerivedTopic): RootCheck[] {
    return this.checks.filter((check) => check.topic === topic);
  }
}
