/** A number with more digits may not fit a double. */
const DIGITS_MAX = 15;
const ZERO = 48;
const NINE = 57;

/** An instrument's trade ids as engine version 2 remembered and wrote them. */
export interface TradeIdsOfVersion2 {
  /** For each prefix, the bounds of the closed intervals of numbers that were seen, alternating, ascending. */
  readonly prefixes: readonly (readonly [
    prefix: string,
    fresh: number,
    disordered: number,
    frozen: boolean,
    bounds: readonly number[],
  ])[];
  readonly window: readonly string[];
}

/** State of {@link FormerTradeIds}. */
export interface FormerTradeIdsState extends TradeIdsOfVersion2 {
  /** The clock where version 2 stopped, microseconds: a later trade is not one of those. */
  readonly untilUs: number;
}

/**
 * The ids that engine version 2 had seen where this one took over, without their times. Read only: a trade that is not
 * later than that place and has one of them was counted by version 2.
 */
export class FormerTradeIds {
  readonly untilUs: number;
  private readonly state: FormerTradeIdsState;
  private readonly prefixes: ReadonlyMap<string, readonly number[]>;
  private readonly window: ReadonlySet<string>;

  constructor(state: FormerTradeIdsState) {
    this.untilUs = state.untilUs;
    this.state = state;
    this.prefixes = new Map(state.prefixes.map(([prefix, , , , bounds]) => [prefix, bounds]));
    this.window = new Set(state.window);
  }

  toState(): FormerTradeIdsState {
    return this.state;
  }

  has(tradeId: string, eventTimeUs: number): boolean {
    if (eventTimeUs > this.untilUs) return false;
    if (this.window.has(tradeId)) return true;
    const start = numberStart(tradeId);
    const bounds = start === tradeId.length ? undefined : this.prefixes.get(tradeId.slice(0, start));
    if (bounds === undefined) return false;
    const number = Number(tradeId.slice(start));
    let low = 0;
    let high = bounds.length / 2;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((bounds[2 * middle] ?? 0) <= number) low = middle + 1;
      else high = middle;
    }
    return low > 0 && number <= (bounds[2 * low - 1] ?? -1);
  }
}

/** The place where the id's number begins: the longest tail of at most 15 digits without leading zeros. */
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
