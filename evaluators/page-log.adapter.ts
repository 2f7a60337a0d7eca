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
import { pageOriginsOf, type PageOrigins, type PagesByHash } from './state-pages.ts';

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
   * The pages that a head names, perhaps with others. They are searched for at the places that the anchors that wrote
   * them name, and then in the whole log.
   *
   * @returns undefined when one is missing, or the head is not JSON.
   * @throws TapeproofError UNREACHABLE
   */
  async read(head: Buffer): Promise<PagesByHash | undefined> {
    const origins = originsIn(head);
    if (origins === undefined) return undefined;
    const wanted = new Set([...origins.keys()].filter((hash) => !this.#found.has(hash)));
    if ([...wanted].some((hash) => this.#missing.has(hash))) return undefined;
    if (wanted.size > 0) await this.#findNearHints(wanted, origins);
    if (wanted.size > 0) await this.#find(wanted, 0, Number.POSITIVE_INFINITY);
    for (const hash of wanted) this.#missing.add(hash);
    return wanted.size === 0 ? this.#found : undefined;
  }

  /** Searches for each page at the place that the anchor that wrote it names. */
  async #findNearHints(wanted: Set<string>, origins: PageOrigins): Promise<void> {
    const groups = new Map<number, Set<string>>();
    for (const hash of wanted) {
      const writtenAt = origins.get(hash) ?? 0;
      groups.set(writtenAt, (groups.get(writtenAt) ?? new Set()).add(hash));
    }
    const hints = await this.#hintsOf(new Set(groups.keys()));
    for (const [writtenAt, group] of groups) {
      const { pages, state } = hints.get(writtenAt) ?? {};
      if (pages === undefined || state === undefined) continue;
      const count = group.size;
      const found = await this.#find(group, pages, Math.max(state, pages + count) + FOREIGN_STATE_RECORDS_MAX);
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
    for await (const records of reader.read(range)) {
      for (const { key, value } of records) {
        const name = key?.toString('latin1');
        if (name?.startsWith(keyPrefix) !== true || !wanted.has(name.slice(keyPrefix.length))) continue;
        const state = await readStateRecord(registry, value);
        if (state === undefined) continue;
        // A copy: the record's memory belongs to its fetch. Its name is the hash of its content, whatever its key is.
        const page = StatePage.of(Buffer.from(state.bytes));
        if (!wanted.delete(page.hash)) continue;
        this.#found.set(page.hash, page);
        found.push(page.hash);
      }
      if (wanted.size === 0) break;
    }
    return found;
  }
}

function originsIn(head: Buffer): PageOrigins | undefined {
  try {
    return pageOriginsOf(head);
  } catch {
    return undefined;
  }
}
