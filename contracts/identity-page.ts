import {
  compareEntry,
  ENTRY_BYTES_MAX,
  EntryCursor,
  HASHED,
  ID_HASH_BYTES,
  writeEntry,
  writeEntryHead,
  type IdentityKey,
} from './identity-entry.ts';
import { StatePage } from './state-page.ts';

/** The number of entries, before the blocks. */
const COUNT_BYTES = 4;
/** A block's header: the length of its entries, and the time of its first. */
const LENGTH_BYTES = 2;
const HEADER_BYTES = LENGTH_BYTES + 8;
const CAPACITY_BYTES_MIN = 128;
/** The most that one insertion adds: an entry, the head of the next one, and a block's header where it splits. */
const ROOM_BYTES = 2 * ENTRY_BYTES_MAX + HEADER_BYTES + ENTRY_BYTES_MAX;

/**
 * The fill size of blocks and pages, bytes. They are split beyond twice that, when entries are inserted between others.
 */
export interface PageLayout {
  readonly blockBytes: number;
  readonly pageBytes: number;
}

const patch = Buffer.alloc(ROOM_BYTES);
const walker = new EntryCursor();

/**
 * Identities in ascending order, in bytes that are also their serialized form:
 *
 *     page  = number of entries (4 bytes), blocks
 *     block = length of its entries (2 bytes), time of the first (a double), entries
 *     entry = varint of 2 × time since the entry before + kind,
 *             then a number as the zigzag varint of its difference to the one before (0 after none), or 16 bytes of hash
 */
export class IdentityPage {
  used: number;
  count: number;
  /** Time of the first entry, microseconds; meaningless while there is none. */
  firstUs = 0;
  lastUs = 0;
  private bytes: Buffer;
  /** A view of the same bytes, which reads faster. */
  private view: DataView;
  private lastNumber = 0;
  private lastBlockAt = 0;
  /** The bytes in use as handed out, which never change afterwards. */
  private handedOut: StatePage | undefined;

  private constructor(bytes: Buffer, used: number, count: number) {
    this.bytes = bytes;
    this.view = viewOf(bytes);
    this.used = used;
    this.count = count;
  }

  static empty(): IdentityPage {
    return new IdentityPage(Buffer.allocUnsafeSlow(CAPACITY_BYTES_MIN), COUNT_BYTES, 0);
  }

  static fromState(page: StatePage): IdentityPage {
    const restored = new IdentityPage(page.bytes, page.bytes.length, page.bytes.readUInt32LE(0));
    restored.handedOut = page;
    restored.findEnds();
    return restored;
  }

  toState(): StatePage {
    if (this.handedOut === undefined) {
      this.bytes.writeUInt32LE(this.count, 0);
      this.handedOut = StatePage.of(this.bytes.subarray(0, this.used));
    }
    return this.handedOut;
  }

  /** Compares the last entry with a key: below 0 where the entry is first. */
  compareLast(key: IdentityKey): number {
    return compareEntry(this.bytes, this.lastUs, this.lastNumber, this.used - ID_HASH_BYTES, key);
  }

  /** Compares the first entry of a block with a key. */
  compareFirst(key: IdentityKey, blockAt: number = COUNT_BYTES): number {
    const order = this.blockUs(blockAt) - key.timeUs;
    if (order !== 0) return order;
    this.open(walker, blockAt);
    walker.peek();
    return compareEntry(this.bytes, walker.nextUs, walker.nextNumber, walker.nextHeadEnd, key);
  }

  /** Adds a key that is after the last entry. */
  append(key: IdentityKey, { blockBytes }: PageLayout): void {
    // More is likely to follow.
    this.makeRoom(this.used);
    const { bytes, lastBlockAt } = this;
    const isFirst = this.count === 0;
    if (isFirst || this.used - lastBlockAt - HEADER_BYTES >= blockBytes) {
      this.lastBlockAt = this.used;
      this.used = writeEntry(bytes, this.beginBlock(key.timeUs), 0, 0, key);
      if (isFirst) this.firstUs = key.timeUs;
    } else {
      const base = this.lastNumber === HASHED ? 0 : this.lastNumber;
      this.used = writeEntry(bytes, this.used, key.timeUs - this.lastUs, base, key);
    }
    this.setLength(this.lastBlockAt, this.used - this.lastBlockAt - HEADER_BYTES);
    this.lastUs = key.timeUs;
    this.lastNumber = key.number;
    this.count += 1;
  }

  /** Releases the room after the last entry: nothing more is added there. */
  trim(): void {
    if (this.handedOut !== undefined || this.bytes.length === this.used) return;
    this.move(this.used);
  }

  /** A cursor before the first entry of a block. */
  open(cursor: EntryCursor, blockAt: number): void {
    cursor.bytes = this.bytes;
    cursor.blockAt = blockAt;
    cursor.at = blockAt + HEADER_BYTES;
    cursor.end = this.blockEnd(blockAt);
    cursor.timeUs = this.blockUs(blockAt);
    cursor.number = 0;
  }

  /**
   * A cursor at the start of the block that a key belongs to: the last whose first entry is not after it, or else the
   * first.
   */
  openAtBlockOf(cursor: EntryCursor, key: IdentityKey): void {
    let blockAt = COUNT_BYTES;
    for (let next = this.blockEnd(blockAt); next < this.used; next = this.blockEnd(next)) {
      if (this.compareFirst(key, next) > 0) break;
      blockAt = next;
    }
    this.open(cursor, blockAt);
  }

  /** True when a key's place is in the block of a cursor that stopped there before, and after what it has passed. */
  goesOn(cursor: EntryCursor, key: IdentityKey, next: IdentityPage | undefined): boolean {
    // Bytes may have been appended, or moved to other memory.
    cursor.bytes = this.bytes;
    cursor.end = this.blockEnd(cursor.blockAt);
    if (cursor.at === cursor.blockAt + HEADER_BYTES || cursor.comparePassed(key) >= 0) return false;
    if (cursor.end < this.used) return this.compareFirst(key, cursor.end) > 0;
    return next === undefined || next.compareFirst(key) > 0;
  }

  /**
   * Adds a key where a cursor that sought it stopped, before the page's last entry; the cursor has then passed it.
   *
   * @returns false where the block was split: the cursor is then invalid.
   */
  insert(cursor: EntryCursor, key: IdentityKey, { blockBytes }: PageLayout): boolean {
    const hasNext = cursor.peek();
    this.makeRoom();
    const { blockAt, at } = cursor;
    // Happens only before the block's first entry.
    const previousUs = Math.min(cursor.timeUs, key.timeUs);
    const entryEnd = writeEntry(patch, 0, key.timeUs - previousUs, cursor.base, key);
    const base = key.number === HASHED ? 0 : key.number;
    const { nextUs, nextNumber } = cursor;
    const patchEnd = hasNext ? writeEntryHead(patch, entryEnd, nextUs - key.timeUs, base, nextNumber) : entryEnd;
    const shift = this.splice(at, hasNext ? cursor.nextHeadEnd : at, patchEnd);
    const length = cursor.end + shift - blockAt - HEADER_BYTES;
    this.setLength(blockAt, length);
    if (key.timeUs < cursor.timeUs) this.setBlockUs(blockAt, key.timeUs);
    if (key.timeUs < this.firstUs) this.firstUs = key.timeUs;
    if (blockAt < this.lastBlockAt) this.lastBlockAt += shift;
    this.count += 1;
    if (length > 2 * blockBytes) {
      this.splitBlock(blockAt, blockAt + HEADER_BYTES + length / 2);
      return false;
    }
    cursor.bytes = this.bytes;
    cursor.end += shift;
    cursor.at += entryEnd;
    cursor.timeUs = key.timeUs;
    cursor.number = key.number;
    return true;
  }

  /** Halves of the page, which is then invalid; undefined where it has only one block. */
  halves(): readonly [IdentityPage, IdentityPage] | undefined {
    let cut = this.blockEnd(COUNT_BYTES);
    while (cut < this.lastBlockAt && cut < this.used / 2) cut = this.blockEnd(cut);
    if (cut >= this.used) return undefined;
    return [this.part(COUNT_BYTES, cut), this.part(cut, this.used)];
  }

  /** The page without the entries before a time; it must have some before it and some not. */
  from(timeUs: number): IdentityPage {
    let blockAt = COUNT_BYTES;
    for (let next = this.blockEnd(blockAt); next < this.used; next = this.blockEnd(next)) {
      if (this.blockUs(next) >= timeUs) break;
      blockAt = next;
    }
    this.open(walker, blockAt);
    while (walker.peek() && walker.nextUs < timeUs) walker.pass();
    const { at, end } = walker;
    if (at < end) this.splitBlock(blockAt, at);
    return this.part(this.blockEnd(blockAt), this.used);
  }

  /** Begins a new block with the first entry at or after a place within a block. */
  private splitBlock(blockAt: number, from: number): void {
    this.makeRoom();
    this.open(walker, blockAt);
    while (walker.peek() && walker.at < from) walker.pass();
    const { at, end, nextUs, nextNumber, nextHeadEnd } = walker;
    patch.writeDoubleLE(nextUs, LENGTH_BYTES);
    const shift = this.splice(at, nextHeadEnd, writeEntryHead(patch, HEADER_BYTES, 0, 0, nextNumber));
    this.setLength(blockAt, at - blockAt - HEADER_BYTES);
    this.setLength(at, end + shift - at - HEADER_BYTES);
    if (blockAt === this.lastBlockAt) this.lastBlockAt = at;
    else if (blockAt < this.lastBlockAt) this.lastBlockAt += shift;
  }

  /** Replaces bytes by the first bytes of the patch. @returns by how much the following bytes moved. */
  private splice(from: number, to: number, patchBytes: number): number {
    const shift = patchBytes - (to - from);
    this.bytes.copyWithin(to + shift, to, this.used);
    patch.copy(this.bytes, from, 0, patchBytes);
    this.used += shift;
    return shift;
  }

  /** A page of some of the blocks. */
  private part(from: number, to: number): IdentityPage {
    const bytes = Buffer.allocUnsafeSlow(COUNT_BYTES + to - from);
    this.bytes.copy(bytes, COUNT_BYTES, from, to);
    const part = new IdentityPage(bytes, bytes.length, 0);
    for (let blockAt = COUNT_BYTES; blockAt < part.used; blockAt = part.blockEnd(blockAt)) {
      part.open(walker, blockAt);
      while (walker.peek()) {
        walker.pass();
        part.count += 1;
      }
    }
    part.findEnds();
    return part;
  }

  private beginBlock(timeUs: number): number {
    this.setBlockUs(this.used, timeUs);
    return this.used + HEADER_BYTES;
  }

  private findEnds(): void {
    this.firstUs = this.blockUs(COUNT_BYTES);
    let blockAt = COUNT_BYTES;
    for (let next = blockAt; next < this.used; next = this.blockEnd(next)) blockAt = next;
    this.lastBlockAt = blockAt;
    this.open(walker, blockAt);
    while (walker.peek()) walker.pass();
    this.lastUs = walker.timeUs;
    this.lastNumber = walker.number;
  }

  /** Prepares the bytes for a change: with room for it, and not handed out. */
  private makeRoom(spare: number = this.used >>> 3): void {
    const needed = this.used + ROOM_BYTES;
    if (this.handedOut === undefined && needed <= this.bytes.length) return;
    this.move(needed + spare);
    this.handedOut = undefined;
  }

  private move(capacity: number): void {
    // Separate memory: a part of a pool's would keep the whole pool alive.
    const bytes = Buffer.allocUnsafeSlow(capacity);
    this.bytes.copy(bytes, 0, 0, this.used);
    this.bytes = bytes;
    this.view = viewOf(bytes);
  }

  private blockEnd(blockAt: number): number {
    return blockAt + HEADER_BYTES + this.view.getUint16(blockAt, true);
  }

  private setLength(blockAt: number, bytes: number): void {
    this.view.setUint16(blockAt, bytes, true);
  }

  private blockUs(blockAt: number): number {
    return this.view.getFloat64(blockAt + LENGTH_BYTES, true);
  }

  private setBlockUs(blockAt: number, timeUs: number): void {
    this.view.setFloat64(blockAt + LENGTH_BYTES, timeUs, true);
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
