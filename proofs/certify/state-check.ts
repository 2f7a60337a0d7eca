import { sha256Hex } from '../../contracts/codec.ts';
import { STATES_TOPIC } from '../../contracts/topics.ts';
import type { AnchorRecord } from '../../evaluators/anchor.ts';
import { Framed, framedIn } from '../../platform/kafka/framed-record.ts';
import type { LogRecord } from '../../platform/kafka/log-record.ts';
import { differenceBesideEvents, type Difference } from './difference.ts';
import type { OutputAccess } from './sequence-search.ts';

/**
 * Compares the states of a partition, from the log's beginning, with those derived again: each chunk and page must
 * stand there before those of later anchors, and nothing else may. Repetitions with the same bytes are harmless: an
 * engine that was killed writes its last anchor again. Memory: a hash for each record of the log.
 */
export class StateCheck {
  readonly #access: OutputAccess;
  readonly #partition: number;
  readonly #derived = new Set<string>();
  #batches: AsyncGenerator<readonly LogRecord[], void> | undefined;
  #records: readonly LogRecord[] = [];
  #next = 0;

  constructor(access: OutputAccess, partition: number) {
    this.#access = access;
    this.#partition = partition;
  }

  /** @throws TapeproofError UNREACHABLE */
  async check({ manifest, pages, chunks }: AnchorRecord): Promise<Difference | undefined> {
    const left = new Set([...pages, ...chunks].map(({ body }) => sha256Hex(body)));
    for (const hash of left) this.#derived.add(hash);
    while (left.size > 0) {
      const record = await this.#take();
      if (record === undefined) {
        const detail = 'a part of the state that the engine derives here is not in the log';
        return this.#difference('MISSING', undefined, manifest.tape.offset, detail);
      }
      const difference = await this.#judge(record, manifest.tape.offset, left);
      if (difference !== undefined) return difference;
    }
    return undefined;
  }

  /** At the end of the tape: nothing else may stand in the log. @throws TapeproofError UNREACHABLE */
  async rest(tapeOffset: number): Promise<Difference | undefined> {
    for (let record = await this.#take(); record !== undefined; record = await this.#take()) {
      const difference = await this.#judge(record, tapeOffset, new Set());
      if (difference !== undefined) return difference;
    }
    return undefined;
  }

  async close(): Promise<void> {
    await this.#batches?.return();
  }

  async #judge(record: LogRecord, tapeOffset: number, left: Set<string>): Promise<Difference | undefined> {
    const framed = await framedIn(this.#access.registry, record);
    if (!(framed instanceof Framed)) return this.#difference('NOT_AN_EVENT', record.offset, undefined, framed.detail);
    const hash = sha256Hex(framed.body);
    if (left.delete(hash) || this.#derived.has(hash)) return undefined;
    const detail = 'the engine derives no chunk and no page with these bytes up to this tape offset';
    return this.#difference('CHANGED', record.offset, tapeOffset, detail);
  }

  async #take(): Promise<LogRecord | undefined> {
    this.#batches ??= await this.#read();
    while (this.#next >= this.#records.length) {
      const batch = await this.#batches.next();
      if (batch.done === true) return undefined;
      this.#records = batch.value;
      this.#next = 0;
    }
    const record = this.#records[this.#next];
    this.#next += 1;
    return record;
  }

  async #read(): Promise<AsyncGenerator<readonly LogRecord[], void>> {
    const { reader } = this.#access;
    const [topic, partition] = [STATES_TOPIC, this.#partition];
    const from = await reader.startOffset(topic, partition);
    const to = await reader.endOffset(topic, partition);
    return from < to ? reader.read({ topic, partition, from, to }) : nothing();
  }

  #difference(
    kind: Difference['kind'],
    logOffset: number | undefined,
    tapeOffset: number | undefined,
    detail: string,
  ): Difference {
    return differenceBesideEvents({
      kind,
      topic: STATES_TOPIC,
      partition: this.#partition,
      logOffset,
      tapeOffset,
      detail,
    });
  }
}

async function* nothing(): AsyncGenerator<readonly LogRecord[], void> {
  // An empty partition has no records.
}
