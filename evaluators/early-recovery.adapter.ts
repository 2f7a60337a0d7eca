import { liesOnTape, type LogAccess } from './anchor-log.adapter.ts';
import { recoverTask, type RecoveredTask } from './recovery.adapter.ts';
import { areEqual, extentsOf, type Extents } from './written-extents.adapter.ts';

/** Their states are held in memory although others may get them. */
const PARTITIONS_MAX = 16;

interface EarlyRecovery {
  readonly recovered: RecoveredTask;
  /** Before the recovery began. */
  readonly extents: Extents;
}

/**
 * Recoveries begun before the group has given partitions to this process: the group may wait seconds for a member that was
 * killed, and a recovery up to its anchor only reads. One counts if the engine's outputs are then exactly as they were when
 * it began, for then it would find the same again.
 */
export class EarlyRecoveries {
  readonly #access: LogAccess;
  readonly #found = new Map<number, EarlyRecovery>();
  /** It never rejects. */
  #underWay: { readonly partition: number; readonly ended: Promise<void> } | undefined;
  /** Undefined until the group has decided. */
  #assigned: ReadonlySet<number> | undefined;
  /** Asked by the recovery that {@link take} waits for. */
  #isInterrupted: () => boolean = () => false;

  constructor(access: LogAccess) {
    this.#access = access;
  }

  /** Recovers one partition after the other, until {@link end}. Never rejects: the recovery at the first batch reports. */
  async run(partitions: number): Promise<void> {
    for (let partition = 0; partition < Math.min(partitions, PARTITIONS_MAX); partition += 1) {
      if (this.#assigned !== undefined) return;
      this.#underWay = { partition, ended: this.#recover(partition).catch(() => undefined) };
      await this.#underWay.ended;
      // Interrupted, or an outage.
      if (!this.#found.has(partition)) return;
    }
  }

  async #recover(partition: number): Promise<void> {
    const isUnwanted = (): boolean => this.#assigned?.has(partition) === false || this.#isInterrupted();
    const extents = await extentsOf(this.#access.reader, partition);
    const recovered = await recoverTask(this.#access, partition, Number.POSITIVE_INFINITY, isUnwanted);
    if (!isUnwanted()) this.#found.set(partition, { recovered, extents });
  }

  /** The group has decided: no further one begins, and what belongs to other members is dropped. */
  end(assigned: readonly number[]): void {
    this.#assigned = new Set(assigned);
    for (const partition of this.#found.keys()) if (!this.#assigned.has(partition)) this.#found.delete(partition);
  }

  /**
   * What was recovered, once; undefined where nothing was, or where it need not be what a recovery finds now. Waits for the
   * one that is under way: beginning anew would do the same work again.
   *
   * @param extents - of the outputs, now.
   * @param isInterrupted - when true, the one under way ends with nothing.
   * @throws TapeproofError UNREACHABLE
   */
  async take(
    partition: number,
    extents: Extents,
    isInterrupted: () => boolean = () => false,
  ): Promise<RecoveredTask | undefined> {
    if (this.#underWay?.partition === partition) {
      this.#isInterrupted = isInterrupted;
      await this.#underWay.ended;
    }
    const early = this.#found.get(partition);
    this.#found.delete(partition);
    if (early?.recovered.anchor === undefined || !areEqual(early.extents, extents)) return undefined;
    return (await liesOnTape(this.#access, early.recovered.anchor)) ? early.recovered : undefined;
  }
}
