import type { Trade, TradeGapReason } from '../../contracts/generated/events.ts';
import { DeclaredGaps } from './declared-gaps.ts';
import type { TradeOrigin } from './telemetry.ts';
import {
  idsOf,
  LATE_TRADES_MAX,
  type GivenUpGap,
  type HeldByTape,
  type Missing,
  type Offered,
  type Released,
  type ReorderBuffer,
} from './reorder-buffer.ts';

/** Released trades are removed from the array of waiting ones in pieces of this size. */
const CUT_OFF = 1_024;

/** A waiting trade; without a trade, a refused id. */
interface Waiting {
  readonly id: number;
  readonly trade: Trade | undefined;
  readonly origin: TradeOrigin;
}

interface LateTrade {
  readonly trade: Trade;
  readonly origin: TradeOrigin;
}

/**
 * For venues that number an instrument's trades without holes. Newer trades wait in a buffer of fixed size while older
 * ones are missing. When it is full the newest are dropped: they then count as missing and are requested later, so
 * that nothing is lost and memory stays bounded, however long the older ones take.
 */
export class DenseReorderBuffer implements ReorderBuffer {
  private readonly waitingMax: number;
  /** In ascending order of ids; those before `head` are released. */
  private room: Waiting[] = [];
  private head = 0;
  /** The next id to release; undefined before the start. */
  private next: number | undefined;
  /** The id where it began; undefined where the tape had trades. */
  private firstId: number | undefined;
  private beginsWithAny = false;
  /** The greatest id seen, dropped trades included. */
  private heard = -1;
  private readonly declaredGaps = new DeclaredGaps();
  private late: LateTrade[] = [];
  private gapToDeclare: GivenUpGap | undefined;
  lastTime: number | null = null;

  constructor(waitingMax: number) {
    this.waitingMax = waitingMax;
  }

  get waiting(): number {
    return this.room.length - this.head + this.late.length;
  }

  get isReady(): boolean {
    const isNext = this.next !== undefined && this.room[this.head]?.id === this.next;
    return isNext || this.gapToDeclare !== undefined || this.late.length > 0;
  }

  get isStarted(): boolean {
    return this.next !== undefined || this.beginsWithAny;
  }

  get nextId(): number | undefined {
    const newest = this.room.at(-1);
    return newest === undefined || this.head === this.room.length ? this.next : newest.id + 1;
  }

  get nextToRelease(): number | undefined {
    return this.next;
  }

  get first(): Released | undefined {
    const late = this.late[0];
    if (late !== undefined) return { kind: 'trade', trade: late.trade, origin: late.origin, late: true };
    if (this.gapToDeclare !== undefined) return { kind: 'gap', gap: this.gapToDeclare };
    const next = this.room[this.head];
    if (next?.trade === undefined || next.id !== this.next) return undefined;
    return { kind: 'trade', trade: next.trade, origin: next.origin, late: false };
  }

  get missing(): Missing | undefined {
    if (this.next === undefined) return undefined;
    const last = (this.room[this.head]?.id ?? this.heard + 1) - 1;
    return last < this.next ? undefined : { first: this.next, last };
  }

  hasHeard(tradeId: string): boolean {
    return this.heard >= idOf(tradeId);
  }

  resume(held: HeldByTape | undefined): void {
    if (held?.lastId !== undefined) {
      this.declaredGaps.reset(held.declaredGaps);
      this.goOnFrom(held.lastId + 1, held.lastTime);
    } else if (this.firstId !== undefined) {
      this.declaredGaps.reset([]);
      this.goOnFrom(this.firstId, null);
    }
  }

  begin(tradeId: string | undefined): void {
    const id = tradeId === undefined ? this.room[this.head]?.id : idOf(tradeId);
    if (id === undefined) this.beginsWithAny = true;
    else this.beginAt(id);
  }

  offer(trade: Trade, origin: TradeOrigin): Offered {
    return this.put({ id: idOf(trade.tradeId), trade, origin });
  }

  account(tradeId: string): boolean {
    return this.put({ id: idOf(tradeId), trade: undefined, origin: 'history' }) !== 'DUPLICATE';
  }

  hear(tradeId: string): void {
    this.heard = Math.max(this.heard, idOf(tradeId));
  }

  giveUp(reason: TradeGapReason): GivenUpGap | undefined {
    const { missing } = this;
    const firstAfter = this.room[this.head];
    if (missing === undefined || firstAfter === undefined) return undefined;
    const toTime = this.firstTimeWaiting();
    if (toTime === undefined) return undefined;
    const gap = { ...idsOf(missing), reason, fromTime: this.lastTime, toTime };
    this.gapToDeclare = gap;
    this.declaredGaps.add(missing);
    this.next = firstAfter.id;
    return gap;
  }

  passRefused(): void {
    while (this.next !== undefined) {
      const first = this.room[this.head];
      if (first?.id !== this.next || first.trade !== undefined) return;
      this.goOnBehind(first);
    }
  }

  drop(): void {
    const first = this.room[this.head];
    if (this.late.length > 0) this.late.shift();
    else if (this.gapToDeclare !== undefined) this.gapToDeclare = undefined;
    else if (first?.trade !== undefined && first.id === this.next) {
      this.lastTime = first.trade.eventTime;
      this.goOnBehind(first);
    }
    this.passRefused();
  }

  private goOnBehind({ id }: Waiting): void {
    this.head += 1;
    this.next = id + 1;
    this.cutOff();
  }

  private beginAt(id: number): void {
    this.firstId = id;
    this.goOnFrom(id, null);
  }

  private goOnFrom(next: number, lastTime: number | null): void {
    this.next = next;
    this.lastTime = lastTime;
    this.beginsWithAny = false;
    this.gapToDeclare = undefined;
    this.late = [];
    const from = this.placeOf(next);
    this.room.splice(0, from);
    this.head = 0;
  }

  private put(entry: Waiting): Offered {
    if (this.next === undefined && this.beginsWithAny) this.beginAt(entry.id);
    this.heard = Math.max(this.heard, entry.id);
    if (this.next !== undefined && entry.id < this.next) return this.putLate(entry);
    const place = this.placeOf(entry.id);
    const there = this.room[place];
    if (there?.id === entry.id) {
      // A refused trade may arrive intact by another way.
      if (there.trade !== undefined || entry.trade === undefined) return 'DUPLICATE';
      this.room[place] = entry;
      return 'NEW';
    }
    if (this.room.length - this.head >= this.waitingMax) {
      if (place === this.room.length) return 'FORGOTTEN';
      this.room.pop();
    }
    if (place === this.room.length) this.room.push(entry);
    else this.room.splice(place, 0, entry);
    return 'NEW';
  }

  private putLate({ id, trade, origin }: Waiting): Offered {
    if (trade === undefined || !this.declaredGaps.has(id)) return 'DUPLICATE';
    if (this.late.length >= LATE_TRADES_MAX) return 'FORGOTTEN';
    this.declaredGaps.close(id);
    this.late.push({ trade, origin });
    return 'LATE';
  }

  /** Index of the first waiting one with this id or a greater one. */
  private placeOf(id: number): number {
    let low = this.head;
    let high = this.room.length;
    // It is nearly always the newest.
    const newest = this.room[high - 1];
    if (newest === undefined || high === low || newest.id < id) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.room[middle]?.id ?? 0) < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private firstTimeWaiting(): number | undefined {
    for (let index = this.head; index < this.room.length; index += 1) {
      const trade = this.room[index]?.trade;
      if (trade !== undefined) return trade.eventTime;
    }
    return undefined;
  }

  private cutOff(): void {
    if (this.head === this.room.length) this.room = [];
    else if (this.head >= CUT_OFF && this.head * 2 >= this.room.length) this.room.splice(0, this.head);
    else return;
    this.head = 0;
  }
}

function idOf(tradeId: string): number {
  const id = Number(tradeId);
  if (!Number.isSafeInteger(id)) throw new Error(`the trade id ${JSON.stringify(tradeId)} is not a whole number`);
  return id;
}
