/**
 * The bits of a trade's conditions in LEAN's files of US stocks, from the lowest on, by the names of LEAN's
 * `TradeConditionFlags`; the data are AlgoSeek's. Those of `LEAN_SET_ASIDE` mean the same as the sale conditions that
 * are set aside (`sale-conditions.ts`).
 */
export const LEAN_CONDITIONS: readonly string[] = [
  ...['Regular', 'Cash', 'NextDay', 'Seller', 'YellowFlag', 'IntermarketSweep', 'OpeningPrints', 'ClosingPrints'],
  ...['ReOpeningPrints', 'DerivativelyPriced', 'FormT', 'Sold', 'Stopped', 'ExtendedHours', 'OutOfSequence', 'Split'],
  ...['Acquisition', 'Bunched', 'StockOption', 'Distribution', 'AveragePrice', 'Cross', 'PriceVariation', 'Rule155'],
  ...['OfficialClose', 'PriorReferencePrice', 'OfficialOpen', 'CapElection', 'AutoExecution', 'TradeThroughExempt'],
  ...['UndocumentedFlag', 'OddLot'],
];

export const LEAN_SET_ASIDE: ReadonlySet<string> = new Set([
  ...['Cash', 'NextDay', 'Seller', 'DerivativelyPriced', 'OutOfSequence', 'StockOption', 'AveragePrice'],
  ...['PriceVariation', 'OfficialClose', 'PriorReferencePrice', 'OfficialOpen'],
]);
