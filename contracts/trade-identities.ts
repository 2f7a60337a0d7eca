import { EntryCursor, IdentityKey } from './identity-entry.ts';
import { IdentityPage, type PageLayout } from './identity-page.ts';
import type { StatePage } from './state-page.ts';

/** The most identities held for one instrument; beyond that the oldest are forgotten. */
export const IDENTITIES_MAX = 20_000_000;
/** Measured: twice this needs 1 % fewer bytes, but half as much time again for a late trade. */
const BLOCK_BYTES = 512;
const PAGE_BYTES = 32_768;

/** Bounds of {@link TradeIdentities}: values other than the defaults are for tests. */
export interface IdentitiesBounds extends PageLayout {
  readonly identitiesMax: number;
}

const BOUNDS: IdentitiesBounds = { identitiesMax: IDENTITIES_MAX, blockBytes: BLOCK_BYTES, pageBytes: PAGE_BYTES };

/** State of {@link TradeIdentities}. */
export interface IdentitiesState {
  /** See {@link TradeIdentities.forgottenBeforeUs}. */
  readonly forgottenBeforeUs: number;
  readonly pages: readonly StatePage[];
}

/**
 * The identities (trade id and event time) of one instrument's trades: an exact set, whatever the form of the ids and
 * their order of arrival. An id that is not a number of at most 15 digits is held as 16 bytes of its SHA-256.
 *
 * They are ordered by time, then id, in pages of packed bytes. A trade after all others, like nearly all, is packed
 * after the last one. For any other, its page is found by bisection, its block by skipping from block to block, and
 * its place by reading the block; when trades arrive in order again, the search starts where the previous one was
 * found.
 *
 *     page ── page ── page ◄─ append
 *       └ block, block, block …
 *           └ first time, then entries as differences
 */
export class TradeIdentities {
  private readonly bounds: IdentitiesBounds;
  private readonly key = new IdentityKey();
  private readonly cursor = new EntryCursor();
  private pages: IdentityPage[] = [];
  /** The page that the cursor is in; −1 where it is invalid. */
  private cursorPage = -1;
  private held = 0;
  private forgotten = 0;

  constructor(bounds: Partial<IdentitiesBounds> = {}) {
    this.bounds = { ...BOUNDS, ...bounds };
  }

  /** The pages' bytes must be those of a state: a caller that has them from elsewhere compares their hashes first. */
  static fromState(state: IdentitiesState, bounds: Partial<IdentitiesBounds> = {}): TradeIdentities {
    const identities = new TradeIdentities(bounds);
    identities.pages = state.pages.map((page) => IdentityPage.fromState(page));
    for (const { count } of identities.pages) identities.held += count;
    identities.forgotten = state.forgottenBeforeUs;
    return identities;
  }

  /** The same for the same additions, whether or not states were taken or restored in between. */
  toState(): IdentitiesState {
    return { forgottenBeforeUs: this.forgotten, pages: this.pages.map((page) => page.toState()) };
  }

  /** Identities held. */
  get size(): number {
    return this.held;
  }

  /** The size of the packed identities, bytes. */
  get bytes(): number {
    return this.pages.reduce((sum, { used }) => sum + used, 0);
  }

  /** For trades before this time, microseconds, it is no longer known whether they were there; 0: known for all. */
  get forgottenBeforeUs(): number {
    return this.forgotten;
  }

  /** False for a trade so old that {@link add} and {@link has} cannot tell whether it was there. */
  canJudge(eventTimeUs: number): boolean {
    return eventTimeUs >= this.forgotten;
  }

  /**
   * Adds a trade; false when it is already there, or cannot be judged: {@link canJudge} distinguishes the two.
   *
   * @throws RangeError for a time that is not a whole number of microseconds from 1970 to 2112.
   */
  add(tradeId: string, eventTimeUs: number): boolean {
    const { key } = this;
    key.set(tradeId, eventTimeUs);
    if (eventTimeUs < this.forgotten) return false;
    const tail = this.pages.at(-1);
    const order = tail === undefined ? -1 : tail.compareLast(key);
    if (order === 0) return false;
    if (order < 0) this.append(tail);
    else if (!this.insert()) return false;
    this.held += 1;
    if (this.held > this.bounds.identitiesMax) this.forgetOldestPage();
    return true;
  }

  /** True when a trade was added; false for one that cannot be judged. @throws RangeError like {@link add}. */
  has(tradeId: string, eventTimeUs: number): boolean {
    const { key } = this;
    key.set(tradeId, eventTimeUs);
    const order = this.pages.at(-1)?.compareLast(key) ?? -1;
    if (order <= 0) return order === 0;
    this.pageOfKey();
    return this.isThere();
  }

  /** Forgets the trades before a time, microseconds. */
  forgetBefore(timeUs: number): void {
    if (timeUs <= this.forgotten) return;
    this.forgotten = timeUs;
    let whole = 0;
    while (this.isBefore(whole, timeUs)) whole += 1;
    const kept = this.pages.slice(whole);
    const first = kept[0];
    if (first !== undefined && first.firstUs < timeUs) kept[0] = first.from(timeUs);
    this.pages = kept;
    this.held = kept.reduce((sum, { count }) => sum + count, 0);
    this.cursorPage = -1;
  }

  private isBefore(page: number, timeUs: number): boolean {
    const candidate = this.pages[page];
    return candidate !== undefined && candidate.lastUs < timeUs;
  }

  /** A whole page at once: room for the next several thousand. */
  private forgetOldestPage(): void {
    const oldest = this.pages[0];
    if (oldest !== undefined) this.forgetBefore(oldest.lastUs + 1);
  }

  private append(tail: IdentityPage | undefined): void {
    let page = tail;
    if (page === undefined || page.used >= this.bounds.pageBytes) {
      page?.trim();
      page = IdentityPage.empty();
      this.pages.push(page);
    }
    page.append(this.key, this.bounds);
  }

  /** Inserts the key between others; false when it is already there. */
  private insert(): boolean {
    const { key, bounds, cursor } = this;
    const page = this.pageOfKey();
    if (this.isThere()) return false;
    if (page.compareLast(key) < 0) page.append(key, bounds);
    else if (!page.insert(cursor, key, bounds)) this.cursorPage = -1;
    if (page.used > 2 * bounds.pageBytes) this.split(page);
    return true;
  }

  /** True when the key is in the cursor's block; the cursor stops at its place, or has passed it. */
  private isThere(): boolean {
    const found = this.cursor.seek(this.key);
    if (found) this.cursor.pass();
    return found;
  }

  private split(page: IdentityPage): void {
    const halves = page.halves();
    if (halves === undefined) return;
    this.pages.splice(this.pages.indexOf(page), 1, ...halves);
    this.cursorPage = -1;
  }

  /** The page that a key before the last one belongs to; the cursor is in its block, before the key's place. */
  private pageOfKey(): IdentityPage {
    const { cursor, key, pages } = this;
    const current = pages[this.cursorPage];
    if (current?.goesOn(cursor, key, pages[this.cursorPage + 1]) === true) return current;
    let low = 1;
    let high = pages.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((pages[middle]?.compareFirst(key) ?? 1) <= 0) low = middle + 1;
      else high = middle;
    }
    this.cursorPage = low - 1;
    const page = pages[low - 1];
    if (page === undefined) throw new Error('a trade was sought among none');
    page.openAtBlockOf(cursor, key);
    return page;
  }
}
