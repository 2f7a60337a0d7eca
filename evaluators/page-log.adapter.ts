import type { EngineState } from '../contracts/generated/events.ts';
import { StatePage } from '../contracts/state-page.ts';
import { STATES_TOPIC } from '../contracts/topics.ts';
import {
  anchorsBackward,
  FOREIGN_STATE_RECORDS_MAX,
  pageKey,
  readStateRecord,
  type AnchorHints,
  type LogAccess,
} from './anchor-log.adapter.ts';
import { namesIn, type PagesByHash } from './state-pages.ts';

/**
 * The pages in one partition of `engine.states`, for one recovery: a page that was found for one anchor, or is not in
 * the whole log, is not searched for again for the next.
 */
export class PageLog {
  readonly #access: LogAccess;
  readonly #partition: number;
  readonly #found = new Map<string, StatePage>();
  readonly #missing = new Set<string>();

  constructor(access: LogAccess, partition: number) {
    this.#access = access;
    this.#partition = partition;
  }

  /**
   * The pages that a head names, directly and through its parts, perhaps with others. They are searched for at the
   * places that the anchors that wrote them name, and then in the whole log.
   *
   * @returns undefined when one is missing, or the head or a part is not JSON.
   * @throws TapeproofError UNREACHABLE
   */
  async read(head: Buffer): Promise<PagesByHash | undefined> {
    for (let texts: readonly Buffer[] | undefined = [head]; texts?.length !== 0; texts = await this.#readNamed(texts)) {
      if (texts === undefined) return undefined;
    }
    return this.#found;
  }

  /** The pages that a head or a part names itself, perhaps with others. @returns and @throws like {@link read}. */
  async readNamed(json: Buffer): Promise<PagesByHash | undefined> {
    return (await this.#readNamed([json])) === undefined ? undefined : this.#found;
  }

  /** @returns the parts among the pages that some JSON names. */
  async #readNamed(texts: readonly Buffer[]): Promise<Buffer[] | undefined> {
    const named = texts.map(namedBy);
    if (named.includes(undefined)) return undefined;
    const names = new Map(named.flatMap((each) => each ?? []).map((name) => [name.hash, name]));
    if (!(await this.#findAll(names))) return undefined;
    return [...names.values()].flatMap(({ part }) => (part === undefined ? [] : (this.#found.get(part)?.bytes ?? [])));
  }

  async #findAll(names: ReadonlyMap<string, { readonly writtenAt: number }>): Promise<boolean> {
    const wanted = new Set([...names.keys()].filter((hash) => !this.#found.has(hash)));
    if ([...wanted].some((hash) => this.#missing.has(hash))) return false;
    if (wanted.size > 0) await this.#findNearHints(wanted, names);
    if (wanted.size > 0) await this.#find(wanted, 0, Number.POSITIVE_INFINITY);
    for (const hash of wanted) this.#missing.add(hash);
    return wanted.size === 0;
  }

  /** Searches for each page at the place that the anchor that wrote it names. */
  async #findNearHints(wanted: Set<string>, names: ReadonlyMap<string, { readonly writtenAt: number }>): Promise<void> {
    const groups = new Map<number, Set<string>>();
    for (const hash of wanted) {
      const writtenAt = names.get(hash)?.writtenAt ?? 0;
      groups.set(writtenAt, (groups.get(writtenAt) ?? new Set()).add(hash));
    }
    const hints = await this.#hintsOf(new Set(groups.keys()));
    for (const [writtenAt, group] of groups) {
      const { pages, state } = hints.get(writtenAt) ?? {};
      if (pages === undefined || state === undefined) continue;
      const found = await this.#find(group, pages, Math.max(state, pages + group.size) + FOREIGN_STATE_RECORDS_MAX);
      for (const hash of found) wanted.delete(hash);
    }
  }

  /** The hints of the anchors at some tape offsets; where several share an offset, the newest one's. */
  async #hintsOf(offsets: ReadonlySet<number>): Promise<Map<number, AnchorHints>> {
    const hints = new Map<number, AnchorHints>();
    for await (const anchor of anchorsBackward(this.#access, this.#partition)) {
      const { offset } = anchor.manifest.tape;
      if (offsets.has(offset) && !hints.has(offset)) hints.set(offset, anchor.hints);
      if (hints.size === offsets.size) break;
    }
    return hints;
  }

  /** Removes the pages found in a stretch of the log from those wanted. @returns their hashes. */
  async #find(wanted: Set<string>, from: number, to: number): Promise<string[]> {
    const { reader, registry } = this.#access;
    const partition = this.#partition;
    const range = {
      topic: STATES_TOPIC,
      partition,
      from: Math.max(from, await reader.startOffset(STATES_TOPIC, partition)),
      to: Math.min(to, await reader.endOffset(STATES_TOPIC, partition)),
    };
    const found: string[] = [];
    if (range.from >= range.to) return found;
    const keyPrefix = pageKey(partition, '');
    const chunks = new Map<string, Map<number, Buffer>>();
    for await (const records of reader.read(range)) {
      for (const { key, value } of records) {
        const name = key?.toString('latin1');
        if (name?.startsWith(keyPrefix) !== true || !wanted.has(name.slice(keyPrefix.length))) continue;
        const state = await readStateRecord(registry, value);
        const bytes = state === undefined ? undefined : wholePage(chunks, name, state);
        if (bytes === undefined) continue;
        // Its name is the hash of its content, whatever its key is.
        const page = StatePage.of(bytes);
        if (!wanted.delete(page.hash)) continue;
        this.#found.set(page.hash, page);
        found.push(page.hash);
      }
      if (wanted.size === 0) break;
    }
    return found;
  }
}

function namedBy(json: Buffer): ReturnType<typeof namesIn> | undefined {
  try {
    return namesIn(json);
  } catch {
    return undefined;
  }
}

/** The page of a chunk, once all its chunks were read; copied, because a record's memory belongs to its fetch. */
function wholePage(chunks: Map<string, Map<number, Buffer>>, name: string, state: EngineState): Buffer | undefined {
  if (state.chunks === 1) return Buffer.from(state.bytes);
  const read = chunks.get(name) ?? new Map<number, Buffer>();
  chunks.set(name, read.set(state.chunk, Buffer.from(state.bytes)));
  if (read.size < state.chunks) return undefined;
  chunks.delete(name);
  return Buffer.concat([...read].sort(([left], [right]) => left - right).map(([, bytes]) => bytes));
}
