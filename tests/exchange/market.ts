/** A trade as an exchange knows it. */
export interface ExchangeTrade {
  /** Dense within a market. */
  readonly id: number;
  /** Decimal text, as the exchange writes it. */
  readonly price: string;
  readonly size: string;
  readonly timeMs: number;
  readonly buyerIsMaker: boolean;
}

/** The trades under one symbol, in the order of their ids. */
export interface Market {
  readonly symbol: string;
  readonly trades: readonly ExchangeTrade[];
}
