/**
 * The sale conditions of US stocks, as the consolidated tapes report them: A and B by the CTA plan, C by the UTP plan.
 *
 * Sources: CTA Plan, "Consolidated Tape System Multicast Output Specification", trade conditions and their effect on
 * consolidated prices; UTP Plan, "UTP Trade Data Feed Interface Specification", sale condition matrix; for odd lots, UTP
 * Vendor Alert 2013-11. Compared with excerpts of these only, not with their current editions.
 *
 * `last`, `highLow` and `volume` are what a trade updates in the consolidated figures by these plans; `last` is
 * CONDITIONAL where it does so only if no other trade was before it.
 */
export interface SaleCondition {
  readonly code: string;
  /** The tapes that use it in this meaning. */
  readonly tapes: 'ABC' | 'AB' | 'C';
  readonly meaning: string;
  readonly last: 'YES' | 'CONDITIONAL' | 'NO';
  readonly highLow: boolean;
  readonly volume: boolean;
  /**
   * Why such a trade is set aside as suspicious here: its price is not that of the market at its time. Omitted where it
   * counts. Odd lots count, because they trade at the market's price; trades outside regular hours are outside the session.
   */
  readonly setAside?: string;
}

const ALL = { last: 'YES', highLow: true, volume: true } as const;
const VOLUME_ONLY = { last: 'NO', highLow: false, volume: true } as const;
const CONDITIONAL = { last: 'CONDITIONAL', highLow: true, volume: true } as const;
const NOTHING = { last: 'NO', highLow: false, volume: false } as const;
const NOT_REGULAR = 'settled at another time than regular trades, and priced for it';
const NOT_A_TRADE = 'not a trade';
const OF_BEFORE = 'of an earlier time';
const NOT_QUOTED = 'not priced by the quotes of the stock';

export const SALE_CONDITIONS: readonly SaleCondition[] = [
  { code: '@', tapes: 'ABC', meaning: 'regular', ...ALL },
  { code: 'A', tapes: 'C', meaning: 'acquisition', ...ALL },
  { code: 'B', tapes: 'AB', meaning: 'average price', ...VOLUME_ONLY, setAside: 'an average' },
  { code: 'B', tapes: 'C', meaning: 'bunched: several at one price', ...ALL },
  { code: 'C', tapes: 'ABC', meaning: 'cash: settled the same day', ...VOLUME_ONLY, setAside: NOT_REGULAR },
  { code: 'D', tapes: 'C', meaning: 'distribution of a large block', ...ALL },
  { code: 'E', tapes: 'AB', meaning: 'automatic execution', ...ALL },
  { code: 'F', tapes: 'ABC', meaning: 'intermarket sweep', ...ALL },
  { code: 'G', tapes: 'C', meaning: 'bunched, reported late', ...CONDITIONAL },
  { code: 'H', tapes: 'ABC', meaning: 'price variation', ...VOLUME_ONLY, setAside: 'far from the market' },
  { code: 'I', tapes: 'ABC', meaning: 'odd lot: fewer shares than a round lot', ...VOLUME_ONLY },
  { code: 'K', tapes: 'ABC', meaning: 'rule 127 of NYSE, or rule 155 of AMEX', ...ALL },
  { code: 'L', tapes: 'ABC', meaning: 'sold last: in sequence, reported late', ...CONDITIONAL },
  { code: 'M', tapes: 'ABC', meaning: 'official close of a market', ...NOTHING, setAside: NOT_A_TRADE },
  { code: 'N', tapes: 'ABC', meaning: 'next day: settled the day after', ...VOLUME_ONLY, setAside: NOT_REGULAR },
  { code: 'O', tapes: 'ABC', meaning: 'opening trade of a market', ...CONDITIONAL },
  { code: 'P', tapes: 'ABC', meaning: 'prior reference price', ...CONDITIONAL, setAside: OF_BEFORE },
  { code: 'Q', tapes: 'ABC', meaning: 'official open of a market', ...NOTHING, setAside: NOT_A_TRADE },
  { code: 'R', tapes: 'ABC', meaning: "seller's option: settled on its day", ...VOLUME_ONLY, setAside: NOT_REGULAR },
  { code: 'S', tapes: 'C', meaning: 'split between two markets', ...ALL },
  { code: 'T', tapes: 'ABC', meaning: 'outside regular hours', ...VOLUME_ONLY },
  { code: 'U', tapes: 'ABC', meaning: 'outside regular hours, out of sequence', ...VOLUME_ONLY, setAside: OF_BEFORE },
  { code: 'V', tapes: 'ABC', meaning: 'contingent on another trade', ...VOLUME_ONLY, setAside: NOT_QUOTED },
  { code: 'W', tapes: 'C', meaning: 'average price', ...VOLUME_ONLY, setAside: 'an average' },
  { code: 'X', tapes: 'ABC', meaning: 'cross', ...ALL },
  { code: 'Y', tapes: 'C', meaning: 'yellow flag: regular, at an unusual time', ...ALL },
  { code: 'Z', tapes: 'ABC', meaning: 'sold out of sequence: reported late', ...CONDITIONAL, setAside: OF_BEFORE },
  { code: '1', tapes: 'C', meaning: 'stopped stock', ...ALL },
  { code: '2', tapes: 'C', meaning: 'stopped stock, sold last', ...CONDITIONAL },
  { code: '3', tapes: 'C', meaning: 'stopped stock, out of sequence', ...CONDITIONAL, setAside: OF_BEFORE },
  { code: '4', tapes: 'ABC', meaning: 'derivatively priced', ...CONDITIONAL, setAside: NOT_QUOTED },
  { code: '5', tapes: 'ABC', meaning: 'reopening trade of a market', ...ALL },
  { code: '6', tapes: 'ABC', meaning: 'closing trade of a market', ...ALL },
  { code: '7', tapes: 'ABC', meaning: 'qualified contingent trade', ...VOLUME_ONLY, setAside: NOT_QUOTED },
  { code: '9', tapes: 'ABC', meaning: 'corrected consolidated close', ...ALL, volume: false, setAside: NOT_A_TRADE },
];

/** The first condition that sets a trade aside; undefined where none does. @param tape A, B or C */
export function settingAside(codes: readonly string[], tape: string): SaleCondition | undefined {
  return SALE_CONDITIONS.find(
    ({ code, tapes, setAside }) => setAside !== undefined && tapes.includes(tape) && codes.includes(code),
  );
}
