import type { Trade, TradeGap } from '../../contracts/generated/events.ts';
import { idRangeOf } from '../../contracts/trade-rules.ts';
import { DeclaredGaps } from './declared-gaps.ts';
import type { HeldByTape, Missing } from './reorder-buffer.ts';

/** Late trades and gaps at the end of the tape that are remembered. */
const REMEMBERED_MAX = 20_000;
/** Ids of an instrument's last trades that are remembered. */
const RECENT_IDS_MAX = 20_000;

/**
 * One instrument's records at the end of the tape. The tape is read backward in pieces, each piece forward: call
 * `piece` before each, then `trade` and `gap` in its order.
 */
export class InstrumentPosition {
  private readonly remembersIds: boolean;
  private lastId: number | undefined;
  private lastTime: number | null = null;
  private greatestInPiece = -1;
  private gaps: Missing[] = [];
  private lateIds: number[] = [];
  private recentIds: string[] = [];
  private readonly newIds: string[] = [];
  private recentInPiece: string[] = [];

  /** @param remembersIds whether the ids of the last trades are needed, because they have no order */
  constructor(remembersIds: boolean) {
    this.remembersIds = remembersIds;
  }

  /** Whether anything was found. */
  get isFound(): boolean {
    return this.lastId !== undefined || this.recentInPiece.length > 0 || this.recentIds.length > 0;
  }

  piece(): void {
    this.greatestInPiece = -1;
    this.recentIds = [...this.recentInPiece, ...this.recentIds].slice(-RECENT_IDS_MAX);
    this.recentInPiece = [];
  }

  trade({ tradeId, eventTime }: Pick<Trade, 'tradeId' | 'eventTime'>): void {
    if (this.remembersIds) {
      this.recentInPiece.push(tradeId);
      // Of the last trade: later pieces are older.
      if (this.recentIds.length === 0) this.lastTime = eventTime;
    }
    if (this.recentInPiece.length >= 2 * RECENT_IDS_MAX) this.recentInPiece.splice(0, RECENT_IDS_MAX);
    const id = Number(tradeId);
    if (!Number.isSafeInteger(id)) return;
    if (id < this.greatestInPiece && this.lateIds.length < REMEMBERED_MAX) this.lateIds.push(id);
    this.greatestInPiece = Math.max(this.greatestInPiece, id);
    if (this.lastId !== undefined && id <= this.lastId) return;
    this.lastId = id;
    if (!this.remembersIds) this.lastTime = eventTime;
  }

  /** A trade's new id after a correction: it is no further trade. */
  renamed(newId: string): void {
    if (this.remembersIds && this.newIds.length < REMEMBERED_MAX) this.newIds.push(newId);
  }

  gap(gap: Pick<TradeGap, 'firstTradeId' | 'lastTradeId'>): void {
    const range = idRangeOf(gap);
    if (range === undefined || this.gaps.length >= REMEMBERED_MAX) return;
    this.gaps.push(range);
    // The trade after it may not have arrived: the gap was declared nevertheless.
    if (this.lastId === undefined || range.last > this.lastId) this.lastId = range.last;
  }

  held(): HeldByTape | undefined {
    if (!this.isFound) return undefined;
    const declaredGaps = new DeclaredGaps();
    declaredGaps.reset(this.gaps.toSorted((left, right) => left.first - right.first));
    for (const id of this.lateIds) declaredGaps.close(id);
    this.piece();
    return {
      lastId: this.lastId,
      lastTime: this.lastTime,
      declaredGaps: declaredGaps.list(),
      // The last one remains that of the last trade.
      recentIds: [...this.newIds, ...this.recentIds],
    };
  }
}
