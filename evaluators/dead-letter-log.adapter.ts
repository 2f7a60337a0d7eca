import { sha256Hex } from '../contracts/codec.ts';
import { DEAD_LETTERS_TOPIC } from '../contracts/topics.ts';
import { framedIn, type Framed } from '../platform/kafka/framed-record.ts';
import type { LogAccess } from './anchor-log.adapter.ts';
import { ENGINE_READER } from './dead-letters.ts';

/** Dead letters read at once while searching backward from the end. */
const BACKWARD_STEP_RECORDS = 256;

/**
 * The dead letters of one partition, for one recovery: the letter of a tape record that is processed again may already
 * be there. They are read at the first query.
 */
export class DeadLetterLog {
  readonly #access: LogAccess;
  readonly #partition: number;
  readonly #from: number;
  readonly #to: number;
  #held: Promise<ReadonlySet<string>> | undefined;

  /**
   * @param from - tape offset; letters of earlier records are never queried.
   * @param to - tape offset; records from it on are new, and so have no letters yet.
   */
  constructor(access: LogAccess, partition: number, from: number, to: number) {
    this.#access = access;
    this.#partition = partition;
    this.#from = from;
    this.#to = to;
  }

  /**
   * Whether a letter with these bytes is there.
   *
   * @param offset - of the tape record that causes it.
   * @throws TapeproofError UNREACHABLE
   */
  async holds(body: Buffer, offset: number): Promise<boolean> {
    if (offset >= this.#to) return false;
    this.#held ??= this.#read();
    return (await this.#held).has(sha256Hex(body));
  }

  /** From the end backward, until the letters are older than the records processed again. */
  async #read(): Promise<ReadonlySet<string>> {
    const { reader, registry } = this.#access;
    const [topic, partition] = [DEAD_LETTERS_TOPIC, this.#partition];
    const held = new Set<string>();
    const start = await reader.startOffset(topic, partition);
    let to = await reader.endOffset(topic, partition);
    while (to > start) {
      const from = Math.max(start, to - BACKWARD_STEP_RECORDS);
      const positions: number[] = [];
      for await (const records of reader.read({ topic, partition, from, to })) {
        for (const record of records) {
          const framed = await framedIn(registry, record);
          if ('reason' in framed) continue;
          held.add(sha256Hex(framed.body));
          positions.push(...positionIn(framed));
        }
      }
      if (positions.length > 0 && positions.every((position) => position < this.#from)) break;
      to = from;
    }
    return held;
  }
}

/** The tape offset of an engine's letter; undefined for another reader's letter, or for a record that is not a letter. */
function positionIn(framed: Framed): number[] {
  const letter = framed.as('DeadLetter');
  return letter?.reader === ENGINE_READER ? [letter.source.position] : [];
}
