import type { Trade, TradeGapReason } from '../../contracts/generated/events.ts';
import { NewestMap } from '../newest-map.ts';
import { isRefusedTrade, type RefusedTrade } from '../venue.ts';
import type { TradeOrigin } from './telemetry.ts';
import { TornSegments, type AroundPage, type Received } from './torn-segments.ts';
import {
  idsAround,
  type GivenUpGap,
  type HeldByTape,
  type Offered,
  type Released,
  type ReorderBuffer,
} from './reorder-buffer.ts';

/**
 * Ids remembered, to recognise trades already seen: more than a page of history and the trades that arrive while it is
 * requested.
 */
const RECENT_IDS_MAX = 20_000;

/**
 * What a page from the last known trade on shows. JOINED: everything up to the trades that wait; MORE: some of what is
 * missing; NOTHING: none of it.
 */
export type Filled = 'JOINED' | 'MORE' | 'NOTHING';

/**
 * For venues whose ids have no order, or an order with holes: trades are released as they arrive, each once as far back
 * as ids are remembered. A single missing trade cannot be known. But where the connection was interrupted, the buffer is
 * *torn*: later trades wait until a page of the newest trades is laid over the tear. If the page reaches back to a
 * trade known before, it shows everything missed; if not, either the *hole* before it is filled by pages from the last
 * known trade on, or a gap is declared between the two trades.
 */
export class OpaqueReorderBuffer implements ReorderBuffer {
  private readonly waitingMax: number;
  /** In the order of arrival: a Set keeps it. */
  private readonly recent = new NewestMap<string, true>(RECENT_IDS_MAX);
  private queue: Released[] = [];
  /** Trades received after the tear; undefined where nothing may be missing. */
  private torn: TornSegments | undefined;
  /** Between the last known trade and the first one that waits; undefined where there is none. */
  private hole: { mayHaveMissed: boolean } | undefined;
  /** Ids shown at the beginning, before the first trade that was wanted. */
  private beforeBeginning: readonly string[] = [];
  /** The last trade before which nothing is missing, as far as known. */
  private last: { readonly id: string; readonly timeUs: number | null } | undefined;
  isStarted = false;
  readonly nextId = undefined;
  readonly nextToRelease = undefined;
  readonly missing = undefined;
  lastTime: number | null = null;

  constructor(waitingMax: number) {
    this.waitingMax = waitingMax;
  }

  get waiting(): number {
    return this.queue.length + (this.torn?.size ?? 0);
  }

  get isReady(): boolean {
    return this.isStarted && this.queue.length > 0;
  }

  get isTorn(): boolean {
    return this.torn !== undefined;
  }

  /** Event time of the last trade before the hole, microseconds; undefined where there is no hole. */
  get holeAfterUs(): number | undefined {
    return this.hole === undefined ? undefined : (this.last?.timeUs ?? undefined);
  }

  get first(): Released | undefined {
    return this.isStarted ? this.queue[0] : undefined;
  }

  hasHeard(tradeId: string): boolean {
    return this.recent.has(tradeId) || this.torn?.has(tradeId) === true;
  }

  resume(held: HeldByTape | undefined): void {
    if (held === undefined && !this.isStarted) return;
    this.isStarted = true;
    this.lastTime = held?.lastTime ?? null;
    // Released trades that did not arrive are missing between the tape's end and those that wait.
    const torn = new TornSegments();
    for (const released of this.queue) if (released.kind === 'trade') torn.add(released);
    for (const segment of this.torn?.all ?? []) {
      torn.cut();
      for (const received of segment) torn.add(received);
    }
    this.torn = torn;
    this.hole = undefined;
    this.queue = [];
    this.recent.clear();
    for (const id of held?.recentIds ?? this.beforeBeginning) this.recent.set(id, true);
    const lastId = held?.recentIds.at(-1);
    this.last = lastId === undefined ? undefined : { id: lastId, timeUs: this.lastTime };
  }

  begin(): void {
    this.isStarted = true;
    this.beforeBeginning = [...this.recent.keys()];
  }

  offer(trade: Trade, origin: TradeOrigin): Offered {
    if (this.hasHeard(trade.tradeId)) return 'DUPLICATE';
    if (this.waiting >= this.waitingMax) return 'FORGOTTEN';
    if (this.torn === undefined) this.push({ trade, origin });
    else this.torn.add({ trade, origin });
    return 'NEW';
  }

  account(tradeId: string): boolean {
    if (this.recent.has(tradeId)) return false;
    this.recent.set(tradeId, true);
    return true;
  }

  hear(): void {
    // An id without an order reveals no other id.
  }

  /** From here on trades may have been missed: what arrives waits for a page. */
  tear(): void {
    if (!this.isStarted) return;
    this.torn ??= new TornSegments();
    this.torn.cut();
    if (this.hole !== undefined) this.hole.mayHaveMissed = true;
  }

  /**
   * Lays a page of the newest trades, oldest first, over the tear, if there is one, and takes the trades of it that are
   * new. Trades before the first known one are older than the beginning, or forgotten: they are not wanted. A page may
   * exceed the room: it is bounded itself.
   *
   * @param isWhole false where it was requested too early to show everything missed: later trades go on waiting
   * @param mayFill whether the hole before a page that does not reach back can be filled: the page then waits
   */
  mend(page: readonly (Trade | RefusedTrade)[], isWhole: boolean, mayFill = false): void {
    const known = page.findIndex(({ tradeId }) => tradeId !== undefined && this.recent.has(tradeId));
    const trades = page.slice(known + 1).flatMap((item) => (isRefusedTrade(item) ? [] : [item]));
    const fresh = trades.filter(({ tradeId }) => !this.recent.has(tradeId));
    const torn = this.torn ?? new TornSegments();
    const around = torn.around(fresh);
    // Where it reaches back to a known trade, or nothing was known, the page has all of its time.
    const isContinuous = known >= 0 || page.length === 0 || this.recent.size === 0;
    const paged = fresh.map((trade): Received => torn.get(trade.tradeId) ?? { trade, origin: 'history' });
    if (!isContinuous && mayFill && typeof this.last?.timeUs === 'number') {
      this.hold(around, paged, isWhole);
      return;
    }
    for (const segment of around.before) this.release(segment, !isContinuous);
    this.release(paged, !isContinuous && !around.isJoined);
    this.torn = isWhole ? undefined : new TornSegments();
    for (const segment of around.after) {
      if (isWhole) this.release(segment, false);
      this.torn?.cut();
      for (const each of segment) this.torn?.add(each);
    }
    this.torn?.cut();
  }

  /**
   * Takes a page from the last known trade on, oldest first, into the hole.
   *
   * @param follows whether it follows a page of before without a hole; otherwise it must show a known trade
   */
  fill(page: readonly (Trade | RefusedTrade)[], follows: boolean): Filled {
    const known = page.findIndex(({ tradeId }) => tradeId !== undefined && this.recent.has(tradeId));
    if (known < 0 && !follows) return 'NOTHING';
    const fresh = page.slice(known + 1).flatMap((item) => (isRefusedTrade(item) ? [] : [item]));
    const trades = fresh.filter(({ tradeId }) => !this.recent.has(tradeId));
    if (trades.length === 0) return 'NOTHING';
    const torn = this.torn ?? new TornSegments();
    const { before, after, meets, continues } = torn.around(trades);
    for (const segment of before) this.release(segment, false);
    this.release(
      trades.map((trade) => torn.get(trade.tradeId) ?? { trade, origin: 'history' }),
      false,
    );
    const isOpen = !meets || this.hole?.mayHaveMissed !== false;
    const ready = meets ? after.slice(0, isOpen ? Number(continues) : after.length) : [];
    for (const segment of ready) this.release(segment, false);
    this.torn = isOpen ? TornSegments.of(after.slice(ready.length)) : undefined;
    this.torn?.cut();
    if (meets) this.hole = undefined;
    return meets ? 'JOINED' : 'MORE';
  }

  /** Gives up waiting for a page: a gap is declared before what arrived after each interruption. */
  giveUp(reason: TradeGapReason): GivenUpGap | undefined {
    this.hole = undefined;
    const segments = this.torn?.all ?? [];
    if (segments.length === 0) return undefined;
    this.torn = undefined;
    const gaps = segments.map((segment) => this.release(segment, true, reason));
    return gaps.find((gap) => gap !== undefined);
  }

  passRefused(): void {
    // A refused id does not wait; it is only remembered.
  }

  drop(): void {
    if (!this.isStarted) return;
    const released = this.queue.shift();
    if (released?.kind === 'trade') this.lastTime = released.trade.eventTime;
  }

  private push({ trade, origin }: Received): void {
    this.recent.set(trade.tradeId, true);
    this.last = { id: trade.tradeId, timeUs: trade.eventTime };
    this.queue.push({ kind: 'trade', trade, origin, late: false });
  }

  /** A page of the newest trades, and what waits around it, waits until the hole before all of them is filled. */
  private hold({ before, isJoined, after }: AroundPage, paged: readonly Received[], isWhole: boolean): void {
    const leading = isJoined ? (before.at(-1) ?? []) : [];
    const earlier = isJoined ? before.slice(0, -1) : before;
    const page = [...leading, ...paged];
    this.torn = TornSegments.of(isWhole ? [...earlier, [...page, ...after.flat()]] : [...earlier, page, ...after]);
    if (!isWhole) this.torn.cut();
    // Between those that wait there may be further holes: another page of the newest shows them.
    this.hole = { mayHaveMissed: !isWhole || earlier.length > 0 };
  }

  /** Trades without a hole among them, after a gap or directly after the last one. */
  private release(segment: readonly Received[], isAfterGap: boolean, reason: TradeGapReason = 'NOT_SERVED') {
    const gap = isAfterGap ? this.gapBefore(segment[0]?.trade, reason) : undefined;
    if (gap !== undefined) this.queue.push({ kind: 'gap', gap });
    for (const each of segment) this.push(each);
    return gap;
  }

  private gapBefore(after: Trade | undefined, reason: TradeGapReason): GivenUpGap | undefined {
    if (this.last === undefined || after === undefined) return undefined;
    const around = idsAround(this.last.id, after.tradeId);
    return { ...around, reason, fromTime: this.last.timeUs, toTime: after.eventTime };
  }
}
