import { TAPE_TOPIC } from '../contracts/topics.ts';
import { framedIn } from '../platform/kafka/framed-record.ts';
import type { Advance, TapeRecord } from './advance.ts';
import type { LogAccess } from './anchor-log.adapter.ts';
import type { PartitionTask } from './partition-task.ts';
import { isRevokedBy, type Revocation } from './revocation.ts';

/**
 * Looks ahead on one partition's tape for the activation that revokes the one at which the engine halted.
 *
 * An engine halts at the activation of another version, which has to continue. If that activation was a mistake or
 * forged, no engine ever continues. An operator then appends an activation that revokes it: the halted engine passes
 * over the revoked one, with a dead letter, and processes what follows as before. Where the tape ends before the
 * revocation, the engine derives the same and halts: the result remains a function of the tape that only grows with it.
 * An engine that does accept the activation never halts there, and is not affected: what was derived stands.
 */
export class RevocationSearch {
  readonly #access: Pick<LogAccess, 'reader' | 'registry'>;
  readonly #partition: number;
  /** The activation searched for last, and how far. */
  #haltedAt = -1;
  #searchedTo = 0;
  #found: Revocation | undefined;

  constructor(access: Pick<LogAccess, 'reader' | 'registry'>, partition: number) {
    this.#access = access;
    this.#partition = partition;
  }

  /**
   * The revocation of the activation at which a task halted; undefined where there is none up to the tape's present end,
   * or where another engine version is in charge. Repeated calls read only what is new.
   *
   * @throws TapeproofError UNREACHABLE
   */
  async of(task: PartitionTask, { offset, content }: TapeRecord, halted: Advance): Promise<Revocation | undefined> {
    if (content.kind !== 'activation' || halted.foreignActivation === undefined || !task.isInCharge) return undefined;
    if (this.#haltedAt !== offset) {
      this.#haltedAt = offset;
      this.#searchedTo = offset + 1;
      this.#found = undefined;
    }
    this.#found ??= await this.#search(content.activation, task.tapeId);
    return this.#found;
  }

  async #search(
    halting: { readonly activationId: string },
    tapeId: string | undefined,
  ): Promise<Revocation | undefined> {
    const { reader, registry } = this.#access;
    const to = await reader.endOffset(TAPE_TOPIC, this.#partition);
    const range = { topic: TAPE_TOPIC, partition: this.#partition, from: this.#searchedTo, to };
    if (range.from >= to) return undefined;
    for await (const records of reader.read(range)) {
      for (const record of records) {
        const found = framedIn(registry, record);
        const framed = found instanceof Promise ? await found : found;
        // Trades are passed without decoding them.
        const later = 'reason' in framed ? undefined : framed.as('EngineActivated');
        if (later !== undefined && isRevokedBy(halting, later, tapeId)) {
          return { activationId: later.activationId, offset: record.offset };
        }
        this.#searchedTo = record.offset + 1;
      }
    }
    return undefined;
  }
}
