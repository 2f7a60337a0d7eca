import type { Trade, TradeGapReason } from '../../contracts/generated/events.ts';
import { OpenGaps } from './open-gaps.ts';
import type { TradeOrigin } from './observer.ts';
import {
  LATE_TRADES_MAX,
  type GivenUpGap,
  type HeldByTape,
  type Missing,
  type Offered,
  type Released,
  type Sequencer,
} from './sequencer.ts';

/** Trades gone on are cut off the array of those that wait in pieces of this many. */
const CUT_OFF = 1_024;

/** A trade that waits; without one, an id that was refused. */
interface Waiting {
  readonly id: number;
  readonly trade: Trade | undefined;
  readonly origin: TradeOrigin;
}

/**
 * For venues that number an instrument's trades without holes. Newer trades wait in a room of fixed size while older ones
 * are missing. When it is full the newest are forgotten: they are missing in turn and asked for later, so that nothing is
 * lost and memory never grows, however long the older ones take.
 */
export class DenseSequencer implements Sequencer {
  private readonly waitingMax: number;
  /** In ascending order of ids; those before `head` are gone. */
  private room: Waiting[] = [];
  private head = 0;
  /** The next id to go on; undefined before the start. */
  private next: number | undefined;
  /** Where it began; undefined where the tape held something. */
  private firstId: number | undefined;
  private beginsWithAny = false;
  /** The greatest id heard of, also of trades forgotten. */
  private heard = -1;
  private readonly openGaps = new OpenGaps();
  private late: Waiting[] = [];
  private pendingGap: GivenUpGap | undefined;
  lastTime: number | null = null;

  constructor(waitingMax: number) {
    this.waitingMax = waitingMax;
  }

  get waiting(): number {
    return this.room.length - this.head + this.late.length;
  }

  get isReady(): boolean {
    const isNext = this.next !== undefined && this.room[this.head]?.id === this.next;
    return isNext || this.pendingGap !== undefined || this.late.length > 0;
  }

  get isStarted(): boolean {
    return this.next !== undefined || this.beginsWithAny;
  }

  get nextId(): number | undefined {
    const newest = this.room.at(-1);
    return newest === undefined || this.head === this.room.length ? this.next : newest.id + 1;
  }

  resume(held: HeldByTape | undefined): void {
    if (held?.lastId !== undefined) {
      this.openGaps.reset(held.openGaps);
      this.goOnFrom(held.lastId + 1, held.lastTime);
    } else if (this.firstId !== undefined) {
      this.openGaps.reset([]);
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

  hasHeard(tradeId: string): boolean {
    return this.heard >= idOf(tradeId);
  }

  missing(): Missing | undefined {
    if (this.next === undefined) return undefined;
    const last = (this.room[this.head]?.id ?? this.heard + 1) - 1;
    return last < this.next ? undefined : { first: this.next, last };
  }

  giveUp(reason: TradeGapReason): GivenUpGap | undefined {
    const missing = this.missing();
    const firstAfter = this.room[this.head];
    if (missing === undefined || firstAfter === undefined) return undefined;
    const toTime = this.firstTimeWaiting();
    if (toTime === undefined) return undefined;
    const gap = { ...missing, reason, fromTime: this.lastTime, toTime };
    this.pendingGap = gap;
    this.openGaps.add(missing);
    this.next = firstAfter.id;
    return gap;
  }

  take(): Released | undefined {
    const late = this.late.shift();
    if (late?.trade !== undefined) return { kind: 'trade', trade: late.trade, origin: late.origin, late: true };
    if (this.pendingGap !== undefined) {
      const gap = this.pendingGap;
      this.pendingGap = undefined;
      return { kind: 'gap', gap };
    }
    while (this.next !== undefined) {
      const first = this.room[this.head];
      if (first?.id !== this.next) return undefined;
      this.head += 1;
      this.next += 1;
      this.cutOff();
      if (first.trade === undefined) continue;
      this.lastTime = first.trade.eventTime;
      return { kind: 'trade', trade: first.trade, origin: first.origin, late: false };
    }
    return undefined;
  }

  private beginAt(id: number): void {
    this.firstId = id;
    this.goOnFrom(id, null);
  }

  private goOnFrom(next: number, lastTime: number | null): void {
    this.next = next;
    this.lastTime = lastTime;
    this.beginsWithAny = false;
    this.pendingGap = undefined;
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
      // What was refused may come whole from elsewhere.
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

  private putLate(entry: Waiting): Offered {
    if (entry.trade === undefined || !this.openGaps.has(entry.id)) return 'DUPLICATE';
    if (this.late.length >= LATE_TRADES_MAX) return 'FORGOTTEN';
    this.openGaps.close(entry.id);
    this.late.push(entry);
    return 'LATE';
  }

  /** Index of the first that waits with this id or a greater one. */
  private placeOf(id: number): number {
    let low = this.head;
    let high = this.room.length;
    // Nearly always the newest.
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
  if (!Number.isSafeInteger(id)) throw new Error(`the trade id ${JSON.stringify(tradeId)} is no whole number`);
  return id;
}
