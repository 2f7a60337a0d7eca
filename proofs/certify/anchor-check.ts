import { ANCHORS_TOPIC } from '../../contracts/topics.ts';
import type { EngineAnchor } from '../../contracts/generated/events.ts';
import type { AnchorRecord } from '../../evaluators/anchor.ts';
import { framedIn } from '../../platform/kafka/framed-record.ts';
import { differenceBesideEvents, fieldDifferences, type Difference } from './difference.ts';
import type { OutputAccess } from './sequence-search.ts';

/** An anchor as it stands in the log. */
interface Stored {
  readonly logOffset: number;
  /** Hex. */
  readonly hash: string;
}

/** NOT_WRITTEN: the log has neither this anchor nor a later one. */
export type AnchorVerdict = true | 'NOT_WRITTEN' | Difference;

/**
 * Compares the anchors of a partition with those derived again. An anchor may be written again, with the same bytes; so
 * they are looked up by tape offset. Memory: a hash for each anchor of the log.
 */
export class AnchorCheck {
  readonly #access: OutputAccess;
  readonly #partition: number;
  readonly #stored = new Map<number, Stored[]>();
  readonly #derived = new Set<number>();
  #readTo: number | undefined;
  #foreign: Difference | undefined;

  constructor(access: OutputAccess, partition: number) {
    this.#access = access;
    this.#partition = partition;
  }

  /** Reads the anchors that were added since the last time. @throws TapeproofError UNREACHABLE */
  async load(): Promise<void> {
    const { reader, registry } = this.#access;
    const [topic, partition] = [ANCHORS_TOPIC, this.#partition];
    const from = this.#readTo ?? (await reader.startOffset(topic, partition));
    const to = await reader.endOffset(topic, partition);
    this.#readTo = to;
    if (from >= to) return;
    for await (const records of reader.read({ topic, partition, from, to })) {
      for (const { offset, value } of records) {
        const framed = await framedIn(registry, { topic, value });
        const manifest = 'reason' in framed ? undefined : framed.as('EngineAnchor');
        if ('reason' in framed || manifest === undefined) {
          const { detail } = 'reason' in framed ? framed : framed.unreadable;
          this.#foreign ??= this.#difference('NOT_AN_EVENT', offset, undefined, `it is not an anchor: ${detail}`);
          continue;
        }
        const { tape } = manifest;
        if (tape.partition !== partition) {
          this.#foreign ??= this.#difference('FORGED', offset, tape.offset, 'it names another partition');
          continue;
        }
        const stored = { logOffset: offset, hash: framed.hash.toString('hex') };
        this.#stored.set(tape.offset, [...(this.#stored.get(tape.offset) ?? []), stored]);
      }
    }
  }

  /** The greatest tape offset of an anchor at or before one; undefined when there is none. */
  lastAtOrBefore(tapeOffset: number): number | undefined {
    const offsets = [...this.#stored.keys()].filter((offset) => offset <= tapeOffset);
    return offsets.length === 0 ? undefined : Math.max(...offsets);
  }

  /** True where an anchor promises that the events of a tape offset are written. */
  promises(tapeOffset: number): boolean {
    return [...this.#stored.keys()].some((stored) => stored > tapeOffset);
  }

  /** The only anchor at a tape offset must be this one. */
  async begins(tapeOffset: number, hash: string): Promise<Difference | undefined> {
    this.#derived.add(tapeOffset);
    const other = this.#stored.get(tapeOffset)?.find((stored) => stored.hash !== hash);
    return other === undefined ? undefined : await this.#changed(other, tapeOffset, undefined);
  }

  async check({ manifest, hash }: AnchorRecord): Promise<AnchorVerdict> {
    const { offset } = manifest.tape;
    if (!this.#stored.has(offset)) await this.load();
    this.#derived.add(offset);
    const stored = this.#stored.get(offset);
    if (stored === undefined) {
      if (!this.promises(offset)) return 'NOT_WRITTEN';
      const detail = 'the engine derives an anchor here, and the log has only later ones';
      return this.#difference('MISSING', undefined, offset, detail);
    }
    const other = stored.find((found) => found.hash !== hash.toString('hex'));
    return other === undefined ? true : await this.#changed(other, offset, manifest);
  }

  /** An anchor of a range of the tape that was not derived, or a record that is not an anchor. */
  rest(from: number, to: number): Difference | undefined {
    if (this.#foreign !== undefined) return this.#foreign;
    for (const [offset, [first]] of this.#stored) {
      if (offset < from || offset > to || this.#derived.has(offset) || first === undefined) continue;
      return this.#difference('FORGED', first.logOffset, offset, 'the engine derives no anchor at this tape offset');
    }
    return undefined;
  }

  /** An anchor that names a place after the tape's end; undefined when there is none. */
  beyond(tapeEnd: number): Difference | undefined {
    for (const [offset, [first]] of this.#stored) {
      if (offset <= tapeEnd || first === undefined) continue;
      return this.#difference('FORGED', first.logOffset, offset, 'it names a tape offset after the end of the tape');
    }
    return undefined;
  }

  async #changed({ logOffset }: Stored, tapeOffset: number, expected: EngineAnchor | undefined): Promise<Difference> {
    const detail =
      expected === undefined
        ? 'there are several anchors at this tape offset, with different bytes'
        : 'the engine derives this anchor with other bytes';
    const found = expected === undefined ? undefined : await this.#read(logOffset);
    return {
      ...this.#difference('CHANGED', logOffset, tapeOffset, detail),
      fields: expected === undefined || found === undefined ? [] : fieldDifferences(expected, found),
    };
  }

  async #read(logOffset: number): Promise<EngineAnchor | undefined> {
    const { reader, registry } = this.#access;
    const range = { topic: ANCHORS_TOPIC, partition: this.#partition, from: logOffset, to: logOffset + 1 };
    for await (const [record] of reader.read(range)) {
      if (record === undefined) continue;
      const framed = await framedIn(registry, record);
      return 'reason' in framed ? undefined : framed.as('EngineAnchor');
    }
    return undefined;
  }

  #difference(
    kind: Difference['kind'],
    logOffset: number | undefined,
    tapeOffset: number | undefined,
    detail: string,
  ): Difference {
    return differenceBesideEvents({
      kind,
      topic: ANCHORS_TOPIC,
      partition: this.#partition,
      logOffset,
      tapeOffset,
      detail,
    });
  }
}
