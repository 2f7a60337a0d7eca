import type { ExchangeTrade, Market } from './market.ts';

const TURN_MS = 4;
/** After a pause of the process, overdue trades are published in pieces. */
const TRADES_PER_TURN_MAX = 2_000;
const MILLISECONDS_PER_SECOND = 1000;

/** A time in which trades are published faster, from the opening on. */
export interface Burst {
  readonly afterMs: number;
  readonly durationMs: number;
  /** How many times as fast. */
  readonly times: number;
}

export interface PublisherOptions {
  readonly markets: readonly Market[];
  readonly tradesPerSecond: number;
  readonly burst?: Burst | undefined;
  /** Ids that nobody ever gets, by symbol. */
  readonly withheld: Readonly<Record<string, readonly number[]>>;
  /** Whether trades carry the capture's times, or those of their publication as at an exchange. */
  readonly stamps: 'capture' | 'publication';
  readonly onTrade: (symbol: string, trade: ExchangeTrade) => void;
}

interface Book {
  readonly symbol: string;
  readonly source: readonly ExchangeTrade[];
  readonly firstId: number;
  readonly withheld: ReadonlySet<number>;
  /** As published. */
  readonly published: ExchangeTrade[];
  /** When each was published. */
  readonly publishedAtMs: number[];
}

/** Publishes the trades of all markets in the order of their times, at its own pace, whether anybody listens or not. */
export class Publisher {
  readonly finished: Promise<void>;
  private readonly options: PublisherOptions;
  private readonly books: ReadonlyMap<string, Book>;
  private readonly total: number;
  private readonly finish: () => void;
  private openedAtMs: number | undefined;
  private publishedSinceOpening = 0;
  private timer: NodeJS.Timeout | undefined;

  /** The first trade of each market is published at once, before anybody listens. */
  constructor(options: PublisherOptions) {
    this.options = options;
    this.books = new Map(options.markets.map((market) => [market.symbol, this.bookOf(market)]));
    this.total = options.markets.reduce((sum, { trades }) => sum + trades.length, 0);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.finished = promise.then(() => undefined);
    this.finish = () => {
      resolve(undefined);
    };
    for (const book of this.books.values()) this.publishNext(book);
  }

  get symbols(): ReadonlySet<string> {
    return new Set(this.books.keys());
  }

  /** Begins with the second trade of each market. */
  open(): void {
    if (this.openedAtMs !== undefined) return;
    this.openedAtMs = performance.now();
    this.timer = setInterval(() => {
      this.turn();
    }, TURN_MS);
    this.turn();
  }

  close(): void {
    clearInterval(this.timer);
  }

  /** Trades so far, including the withheld ones. */
  count(symbol: string): number {
    return this.bookOfSymbol(symbol).published.length;
  }

  /** The trades published so far, including the withheld ones. */
  trades(symbol: string): readonly ExchangeTrade[] {
    return this.bookOfSymbol(symbol).published;
  }

  isWithheld(symbol: string, id: number): boolean {
    return this.bookOfSymbol(symbol).withheld.has(id);
  }

  /**
   * Trades that a client may know, oldest first: from an id on, or the newest.
   *
   * @param lagMs trades published less than this long ago are not known yet; the first one always is
   */
  page(symbol: string, fromId: number | undefined, limit: number, lagMs: number): ExchangeTrade[] {
    const { published, publishedAtMs, firstId, withheld } = this.bookOfSymbol(symbol);
    const knownUntilMs = performance.now() - lagMs;
    let end = published.length;
    while (end > 1 && (publishedAtMs[end - 1] ?? 0) > knownUntilMs) end -= 1;
    const page: ExchangeTrade[] = [];
    if (fromId !== undefined) {
      for (let index = Math.max(fromId - firstId, 0); index < end && page.length < limit; index += 1) {
        const trade = published[index];
        if (trade !== undefined && !withheld.has(trade.id)) page.push(trade);
      }
      return page;
    }
    for (let index = end - 1; index >= 0 && page.length < limit; index -= 1) {
      const trade = published[index];
      if (trade !== undefined && !withheld.has(trade.id)) page.push(trade);
    }
    return page.reverse();
  }

  private bookOf({ symbol, trades }: Market): Book {
    const firstId = trades[0]?.id ?? 0;
    if (trades.some(({ id }, index) => id !== firstId + index)) throw new RangeError(`${symbol}: ids are not dense`);
    return {
      symbol,
      source: trades,
      firstId,
      withheld: new Set(this.options.withheld[symbol]),
      published: [],
      publishedAtMs: [],
    };
  }

  private bookOfSymbol(symbol: string): Book {
    const book = this.books.get(symbol);
    if (book === undefined) throw new RangeError(`there is no market ${symbol}`);
    return book;
  }

  private turn(): void {
    const elapsedMs = performance.now() - (this.openedAtMs ?? 0);
    const { tradesPerSecond, burst } = this.options;
    const burstMs = burst === undefined ? 0 : Math.min(Math.max(elapsedMs - burst.afterMs, 0), burst.durationMs);
    const tradingMs = elapsedMs + burstMs * ((burst?.times ?? 1) - 1);
    const due = Math.floor((tradingMs * tradesPerSecond) / MILLISECONDS_PER_SECOND);
    const number = Math.min(due - this.publishedSinceOpening, TRADES_PER_TURN_MAX);
    for (let index = 0; index < number; index += 1) {
      const book = this.earliest();
      if (book === undefined) break;
      this.publishedSinceOpening += 1;
      const trade = this.publishNext(book);
      if (!book.withheld.has(trade.id)) this.options.onTrade(book.symbol, trade);
    }
    if (this.publishedSinceOpening < this.total - this.books.size) return;
    clearInterval(this.timer);
    this.finish();
  }

  /** The market whose next trade is first; of two at the same time the one listed first. */
  private earliest(): Book | undefined {
    let earliest: Book | undefined;
    let earliestMs = Infinity;
    for (const book of this.books.values()) {
      const timeMs = book.source[book.published.length]?.timeMs ?? Infinity;
      if (timeMs >= earliestMs) continue;
      earliest = book;
      earliestMs = timeMs;
    }
    return earliest;
  }

  private publishNext(book: Book): ExchangeTrade {
    const next = book.source[book.published.length];
    if (next === undefined) throw new RangeError(`${book.symbol} has no more trades`);
    const trade = this.options.stamps === 'capture' ? next : { ...next, timeMs: Date.now() };
    book.published.push(trade);
    book.publishedAtMs.push(performance.now());
    return trade;
  }
}
