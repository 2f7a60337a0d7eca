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
 * Recoveries made before the group has given partitions to this process: it waits seconds for a member that was killed,
 * and a recovery up to its anchor only reads. One counts if the engine's outputs are then exactly as they were when it
 * began, for then it would find the same again.
 */
export class EarlyRecoveries {
  readonly #access: LogAccess;
  readonly #found = new Map<number, EarlyRecovery>();
  #isOver = false;

  constructor(access: LogAccess) {
    this.#access = access;
  }

  /** Recovers one partition after the other, until {@link end}. Never rejects: the recovery at the first batch reports. */
  async run(partitions: number): Promise<void> {
    try {
      for (let partition = 0; partition < Math.min(partitions, PARTITIONS_MAX) && !this.#isOver; partition += 1) {
        const extents = await extentsOf(this.#access.reader, partition);
        const recovered = await recoverTask(this.#access, partition, Number.POSITIVE_INFINITY, () => this.#isOver);
        this.#keep(partition, { recovered, extents });
      }
    } catch {
      // Interrupted, or an outage.
    }
  }

  #keep(partition: number, early: EarlyRecovery): void {
    if (!this.#isOver) this.#found.set(partition, early);
  }

  /** The group has decided: what belongs to other members is dropped. */
  end(assigned: readonly number[]): void {
    this.#isOver = true;
    for (const partition of this.#found.keys()) if (!assigned.includes(partition)) this.#found.delete(partition);
  }

  /**
   * What was recovered, once; undefined where nothing was, or where it need not be what a recovery finds now.
   *
   * @param extents - of the outputs, now.
   * @throws TapeproofError UNREACHABLE
   */
  async take(partition: number, extents: Extents): Promise<RecoveredTask | undefined> {
    const early = this.#found.get(partition);
    this.#found.delete(partition);
    if (early?.recovered.anchor === undefined || !areEqual(early.extents, extents)) return undefined;
    return (await liesOnTape(this.#access, early.recovered.anchor)) ? early.recovered : undefined;
  }
}
