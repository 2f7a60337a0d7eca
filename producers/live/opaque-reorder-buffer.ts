import type { Trade } from '../../contracts/generated/events.ts';
import type { TradeOrigin } from './telemetry.ts';
import type { HeldByTape, Offered, Released, ReorderBuffer } from './reorder-buffer.ts';

/**
 * Ids remembered, to recognise trades already seen: more than a page of history and the trades that arrive while it is
 * requested.
 */
const RECENT_IDS_MAX = 20_000;

/**
 * For venues whose ids have no order: trades are released as they arrive, each once as far back as ids are remembered.
 * No trade is known to be missing.
 */
export class OpaqueReorderBuffer implements ReorderBuffer {
  private readonly waitingMax: number;
  /** In the order of arrival: a Set keeps it. */
  private readonly recent = new Set<string>();
  private queue: Released[] = [];
  isStarted = false;
  readonly nextId = undefined;
  readonly missing = undefined;
  lastTime: number | null = null;

  constructor(waitingMax: number) {
    this.waitingMax = waitingMax;
  }

  get waiting(): number {
    return this.queue.length;
  }

  get isReady(): boolean {
    return this.isStarted && this.queue.length > 0;
  }

  get first(): Released | undefined {
    return this.isStarted ? this.queue[0] : undefined;
  }

  hasHeard(tradeId: string): boolean {
    return this.recent.has(tradeId);
  }

  resume(held: HeldByTape | undefined): void {
    if (held === undefined && !this.isStarted) return;
    this.isStarted = true;
    this.lastTime = held?.lastTime ?? null;
    // Released trades that did not arrive are not among them, and are accepted again where the venue still shows them.
    this.recent.clear();
    for (const id of held?.recentIds ?? []) this.remember(id);
    for (const released of this.queue) if (released.kind === 'trade') this.remember(released.trade.tradeId);
  }

  begin(): void {
    this.isStarted = true;
  }

  offer(trade: Trade, origin: TradeOrigin): Offered {
    if (this.recent.has(trade.tradeId)) return 'DUPLICATE';
    if (this.queue.length >= this.waitingMax) return 'FORGOTTEN';
    this.remember(trade.tradeId);
    this.queue.push({ kind: 'trade', trade, origin, late: false });
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

  giveUp(): undefined {
    return undefined;
  }

  passRefused(): void {
    // A refused id does not wait; it is only remembered.
  }

  drop(): void {
    if (!this.isStarted) return;
    const released = this.queue.shift();
    if (released?.kind === 'trade') this.lastTime = released.trade.eventTime;
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
