/** Prefixes of an instrument's ids that are kept as intervals of numbers. */
export const PREFIXES_MAX = 128;
/** Disjoint intervals of one prefix; the holes between them are ids still awaited. */
export const INTERVALS_MAX = 512;
/** Ids remembered one by one where numbers do not help. */
export const WINDOW_IDS_MAX = 4_096;

/** A number with more digits may not fit a double. */
const DIGITS_MAX = 15;
/** Ids below the greatest, of those new to a prefix: from this share on, its ids do not grow. */
const DISORDER_SHARE = 0.25;

const ZERO = 48;
const NINE = 57;

type IntervalsState = readonly [prefix: string, fresh: number, disordered: number, frozen: boolean, bounds: number[]];

/** State of {@link TradeIds}. */
export interface TradeIdsState {
  readonly prefixes: readonly IntervalsState[];
  readonly window: readonly string[];
}

/**
 * The trade ids of one instrument that were seen, in bounded memory, so that a trade on the tape twice has one effect.
 *
 * An id is a prefix and a number: `3735683259`, or `0011223344556677-17` where the source had no ids. Numbers of a prefix
 * are kept as intervals. A hole is an id that may still arrive: a gap filled late counts. When there are more than
 * {@link INTERVALS_MAX} intervals:
 *
 * - where ids grow, the lowest hole is closed: what is still missing there counts as seen;
 * - where they do not grow, intervals say nothing, so they are kept as they are and later ids go to a window of the last
 *   {@link WINDOW_IDS_MAX}.
 *
 * Ids of a prefix beyond the {@link PREFIXES_MAX}th (random ids have a new one each time) go to that window, too.
 */
export class TradeIds {
  private readonly prefixes = new Map<string, Intervals>();
  private readonly window = new Set<string>();
  private lastPrefix = '';
  private lastIntervals: Intervals | undefined;

  static fromState(state: TradeIdsState): TradeIds {
    const ids = new TradeIds();
    for (const prefix of state.prefixes) ids.prefixes.set(prefix[0], Intervals.fromState(prefix));
    for (const id of state.window) ids.window.add(id);
    return ids;
  }

  toState(): TradeIdsState {
    return {
      prefixes: [...this.prefixes].map(([prefix, intervals]) => intervals.toState(prefix)),
      window: [...this.window],
    };
  }

  /** Notes an id; false when it was seen before. */
  add(tradeId: string): boolean {
    const start = numberStart(tradeId);
    if (start === tradeId.length) return this.addToWindow(tradeId);
    const number = numberFrom(tradeId, start);
    const intervals = this.intervalsOf(tradeId, start);
    if (intervals === undefined) return this.addToWindow(tradeId);
    if (!intervals.frozen) return intervals.add(number);
    return intervals.has(number) ? false : this.addToWindow(tradeId);
  }

  private intervalsOf(tradeId: string, start: number): Intervals | undefined {
    const { lastIntervals, lastPrefix } = this;
    if (lastIntervals !== undefined && start === lastPrefix.length && tradeId.startsWith(lastPrefix)) {
      return lastIntervals;
    }
    const prefix = tradeId.slice(0, start);
    let intervals = this.prefixes.get(prefix);
    if (intervals === undefined) {
      if (this.prefixes.size >= PREFIXES_MAX) return undefined;
      intervals = new Intervals();
      this.prefixes.set(prefix, intervals);
    }
    this.lastPrefix = prefix;
    this.lastIntervals = intervals;
    return intervals;
  }

  private addToWindow(tradeId: string): boolean {
    if (this.window.has(tradeId)) return false;
    this.window.add(tradeId);
    if (this.window.size > WINDOW_IDS_MAX) {
      const [oldest] = this.window;
      if (oldest !== undefined) this.window.delete(oldest);
    }
    return true;
  }
}

/**
 * Where the id's number begins: the longest tail of at most {@link DIGITS_MAX} digits that is written without leading
 * zeros. So prefix and number together name one id, however long it is.
 */
function numberStart(id: string): number {
  let start = id.length;
  const earliest = Math.max(0, id.length - DIGITS_MAX);
  while (start > earliest && isDigit(id.charCodeAt(start - 1))) start -= 1;
  while (start < id.length - 1 && id.charCodeAt(start) === ZERO) start += 1;
  return start;
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

function numberFrom(id: string, start: number): number {
  let number = 0;
  for (let index = start; index < id.length; index += 1) number = number * 10 + id.charCodeAt(index) - ZERO;
  return number;
}

/** A set of whole numbers as sorted, disjoint, non-touching closed intervals. */
class Intervals {
  frozen = false;
  private lows: number[] = [];
  private highs: number[] = [];
  private fresh = 0;
  private disordered = 0;

  static fromState([, fresh, disordered, frozen, bounds]: IntervalsState): Intervals {
    const intervals = new Intervals();
    intervals.fresh = fresh;
    intervals.disordered = disordered;
    intervals.frozen = frozen;
    intervals.lows = bounds.filter((_, index) => index % 2 === 0);
    intervals.highs = bounds.filter((_, index) => index % 2 === 1);
    return intervals;
  }

  toState(prefix: string): IntervalsState {
    const bounds = this.lows.flatMap((low, index) => [low, this.highs[index] ?? low]);
    return [prefix, this.fresh, this.disordered, this.frozen, bounds];
  }

  has(number: number): boolean {
    return number <= (this.highs[this.positionOf(number)] ?? -1);
  }

  /** Adds a number; false when it is there. */
  add(number: number): boolean {
    const last = this.highs.length - 1;
    const greatest = this.highs[last] ?? -1;
    if (last >= 0 && number === greatest + 1) {
      this.highs[last] = number;
      this.fresh += 1;
      return true;
    }
    if (number > greatest) {
      this.lows.push(number);
      this.highs.push(number);
      this.fresh += 1;
    } else {
      const position = this.positionOf(number);
      if (number <= (this.highs[position] ?? -1)) return false;
      this.fresh += 1;
      this.disordered += 1;
      this.addBelow(position, number);
    }
    if (this.lows.length > INTERVALS_MAX) this.makeRoom();
    return true;
  }

  /** Adds a missing number that lies after interval `position` (−1: before all) and before the next one. */
  private addBelow(position: number, number: number): void {
    const touchesLower = position >= 0 && this.highs[position] === number - 1;
    const touchesUpper = this.lows[position + 1] === number + 1;
    if (touchesLower && touchesUpper) this.closeHole(position);
    else if (touchesLower) this.highs[position] = number;
    else if (touchesUpper) this.lows[position + 1] = number;
    else {
      this.lows.splice(position + 1, 0, number);
      this.highs.splice(position + 1, 0, number);
    }
  }

  private makeRoom(): void {
    if (this.disordered >= this.fresh * DISORDER_SHARE) this.frozen = true;
    else this.closeHole(0);
  }

  /** Joins interval `position` with the next one. */
  private closeHole(position: number): void {
    this.highs.splice(position, 1);
    this.lows.splice(position + 1, 1);
  }

  /** Position of the last interval that begins at or below a number; −1 when there is none. */
  private positionOf(number: number): number {
    let low = 0;
    let high = this.lows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.lows[middle] ?? 0) <= number) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
