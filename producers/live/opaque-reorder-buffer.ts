import type { Trade, TradeGapReason } from '../../contracts/generated/events.ts';
import { isRefusedTrade, type RefusedTrade } from '../venue.ts';
import type { TradeOrigin } from './telemetry.ts';
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

interface Received {
  readonly trade: Trade;
  readonly origin: TradeOrigin;
}

/**
 * For venues whose ids have no order, or an order with holes: trades are released as they arrive, each once as far back
 * as ids are remembered. A single missing trade cannot be known. But where the connection was interrupted, the buffer is
 * *torn*: later trades wait until a page of the newest trades is laid over the tear. If the page reaches back to a
 * trade known before, it shows everything missed; if not, a gap is declared between the two trades.
 */
export class OpaqueReorderBuffer implements ReorderBuffer {
  private readonly waitingMax: number;
  /** In the order of arrival: a Set keeps it. */
  private readonly recent = new Set<string>();
  private queue: Released[] = [];
  /** Trades received after the tear, by id, in the order of arrival; undefined where nothing may be missing. */
  private sinceTear: Map<string, Received> | undefined;
  /** Ids shown at the beginning, before the first trade that was wanted. */
  private beforeBeginning: readonly string[] = [];
  /** The last trade before which nothing is missing, as far as known. */
  private last: { readonly id: string; readonly timeUs: number | null } | undefined;
  isStarted = false;
  readonly nextId = undefined;
  readonly missing = undefined;
  lastTime: number | null = null;

  constructor(waitingMax: number) {
    this.waitingMax = waitingMax;
  }

  get waiting(): number {
    return this.queue.length + (this.sinceTear?.size ?? 0);
  }

  get isReady(): boolean {
    return this.isStarted && this.queue.length > 0;
  }

  get isTorn(): boolean {
    return this.sinceTear !== undefined;
  }

  get first(): Released | undefined {
    return this.isStarted ? this.queue[0] : undefined;
  }

  hasHeard(tradeId: string): boolean {
    return this.recent.has(tradeId) || this.sinceTear?.has(tradeId) === true;
  }

  resume(held: HeldByTape | undefined): void {
    if (held === undefined && !this.isStarted) return;
    this.isStarted = true;
    this.lastTime = held?.lastTime ?? null;
    const waiting = this.queue.flatMap((released) => (released.kind === 'trade' ? [released] : []));
    // Released trades that did not arrive are missing between the tape's end and those that wait.
    this.sinceTear = new Map([
      ...waiting.map(({ trade, origin }) => [trade.tradeId, { trade, origin }] as const),
      ...(this.sinceTear ?? []),
    ]);
    this.queue = [];
    this.recent.clear();
    for (const id of held?.recentIds ?? this.beforeBeginning) this.remember(id);
    const lastId = held?.recentIds.at(-1);
    this.last = lastId === undefined ? undefined : { id: lastId, timeUs: this.lastTime };
  }

  begin(): void {
    this.isStarted = true;
    this.beforeBeginning = [...this.recent];
  }

  offer(trade: Trade, origin: TradeOrigin): Offered {
    if (this.hasHeard(trade.tradeId)) return 'DUPLICATE';
    if (this.waiting >= this.waitingMax) return 'FORGOTTEN';
    if (this.sinceTear === undefined) this.push({ trade, origin });
    else this.sinceTear.set(trade.tradeId, { trade, origin });
    return 'NEW';
  }

  account(tradeId: string): boolean {
    if (this.recent.has(tradeId)) return false;
    this.remember(tradeId);
    return true;
  }

  hear(): void {
    // An id without an order reveals no other id.
  }

  /** From here on trades may have been missed: what arrives waits for a page. */
  tear(): void {
    if (this.isStarted) this.sinceTear ??= new Map();
  }

  /**
   * Lays a page of the newest trades, oldest first, over the tear, if there is one, and takes the trades of it that are
   * new. Trades before the first known one are older than the beginning, or forgotten: they are not wanted. A page may
   * exceed the room: it is bounded itself.
   */
  mend(page: readonly (Trade | RefusedTrade)[]): void {
    const known = page.findIndex(({ tradeId }) => tradeId !== undefined && this.recent.has(tradeId));
    const trades = page.slice(known + 1).flatMap((item) => (isRefusedTrade(item) ? [] : [item]));
    const isContinuous = known >= 0 || page.length === 0 || this.recent.size === 0;
    const since = this.sinceTear ?? new Map<string, Received>();
    this.sinceTear = undefined;
    const before = beforePage(since, trades);
    const inPage = new Set(trades.map(({ tradeId }) => tradeId));
    const after = [...since.values()].slice(before.length).filter(({ trade }) => !inPage.has(trade.tradeId));
    const paged = trades
      .filter(({ tradeId }) => !this.recent.has(tradeId))
      .map((trade): Received => since.get(trade.tradeId) ?? { trade, origin: 'history' });
    const received = [...before, ...paged, ...after];
    if (!isContinuous) this.declare('NOT_SERVED', received[0]?.trade);
    for (const each of received) this.push(each);
  }

  /** Gives up waiting for a page: a gap is declared before what arrived since. */
  giveUp(reason: TradeGapReason): GivenUpGap | undefined {
    const since = this.sinceTear;
    const [first] = since?.values() ?? [];
    if (since === undefined || first === undefined) return undefined;
    this.sinceTear = undefined;
    const gap = this.declare(reason, first.trade);
    for (const each of since.values()) this.push(each);
    return gap;
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
    this.remember(trade.tradeId);
    this.last = { id: trade.tradeId, timeUs: trade.eventTime };
    this.queue.push({ kind: 'trade', trade, origin, late: false });
  }

  private declare(reason: TradeGapReason, after: Trade | undefined): GivenUpGap | undefined {
    if (this.last === undefined || after === undefined) return undefined;
    const around = idsAround(this.last.id, after.tradeId);
    const gap = { ...around, reason, fromTime: this.last.timeUs, toTime: after.eventTime };
    this.queue.push({ kind: 'gap', gap });
    return gap;
  }

  private remember(id: string): void {
    this.recent.add(id);
    if (this.recent.size <= RECENT_IDS_MAX) return;
    for (const oldest of this.recent) {
      this.recent.delete(oldest);
      return;
    }
  }
}

/** What arrived before the first trade that the page has too: it is older than the page. */
function beforePage(since: ReadonlyMap<string, Received>, page: readonly Trade[]): readonly Received[] {
  const common = page.find(({ tradeId }) => since.has(tradeId));
  if (common === undefined) return [];
  const received = [...since.values()];
  return received.slice(
    0,
    received.findIndex(({ trade }) => trade.tradeId === common.tradeId),
  );
}
