/** Exact sums of a session's trades; units of 10^-12, and of 10^-24 for the turnover. */
export interface SessionSums {
  readonly count: number;
  readonly volumeUnits: bigint;
  readonly turnoverUnits: bigint;
}

/** What the trades before a place of the tape add up to, as an anchor's state has it. */
export interface SumsBefore {
  /** Tape offset: trades from here on are not in the sums. */
  readonly offset: number;
  readonly has: (tradeId: string, eventTimeUs: number) => boolean;
  readonly isCancelled: (tradeId: string, eventTimeUs: number) => boolean;
  /** The sums of a session by its number; of none where it had no trade yet. */
  readonly sessionOf: (index: number) => SessionSums;
}
