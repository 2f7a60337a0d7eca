/**
 * The sale conditions of US stocks under which a price is not that of the market at that moment: by the plans it updates
 * neither the last price nor the high and low. Their codes are those of the consolidated tapes, which differ a little:
 * A and B by CTA, C by UTP.
 *
 * Sources: CTA Plan, "Consolidated Tape System Multicast Output Specification", trade conditions and their
 * effect on consolidated prices; UTP Plan, "UTP Data Feed Services Specification", sale condition matrix.
 * The other codes, such as I (odd lot), F (intermarket sweep), T (outside regular hours) and @ (regular), are kept on
 * the tape as they come, and their trades count.
 */
export interface SaleCondition {
  readonly code: string;
  /** The tapes that use it in this meaning. */
  readonly tapes: 'ABC' | 'AB' | 'C';
  readonly meaning: string;
}

export const NOT_OF_THE_MARKET: readonly SaleCondition[] = [
  { code: 'B', tapes: 'AB', meaning: 'average price trade' },
  { code: 'W', tapes: 'C', meaning: 'average price trade' },
  { code: 'C', tapes: 'ABC', meaning: 'cash sale: settled the same day' },
  { code: 'N', tapes: 'ABC', meaning: 'settled the next day' },
  { code: 'R', tapes: 'ABC', meaning: "settled on the seller's day" },
  { code: 'H', tapes: 'ABC', meaning: 'price variation trade' },
  { code: 'P', tapes: 'ABC', meaning: 'prior reference price: agreed earlier' },
  { code: 'Z', tapes: 'ABC', meaning: 'sold out of sequence: reported late' },
  { code: 'U', tapes: 'ABC', meaning: 'outside regular hours, sold out of sequence' },
  { code: 'V', tapes: 'ABC', meaning: 'contingent on another trade' },
  { code: '4', tapes: 'ABC', meaning: 'derivatively priced' },
  { code: '7', tapes: 'ABC', meaning: 'qualified contingent trade' },
  { code: 'M', tapes: 'ABC', meaning: 'official close of a market: not a trade' },
  { code: 'Q', tapes: 'ABC', meaning: 'official open of a market: not a trade' },
];

/** The first condition that sets a trade aside; undefined where none does. @param tape A, B or C */
export function settingAside(codes: readonly string[], tape: string): SaleCondition | undefined {
  return NOT_OF_THE_MARKET.find(({ code, tapes }) => tapes.includes(tape) && codes.includes(code));
}
