import { LIVE_SOURCE_PREFIX } from '../contracts/dead-letter.ts';
import type { Trade } from '../contracts/generated/events.ts';
import type { Decimal } from '../contracts/decimal.ts';
import type { Refusal } from '../contracts/trade-rules.ts';
import type { SecretVariable } from '../platform/security/variables.ts';

/** A trade of a frame or page that breaks a rule. Where its id is known it does not count as missing: it was seen. */
export interface RefusedTrade {
  readonly refusal: Refusal;
  readonly instrument: string | undefined;
  readonly tradeId: string | undefined;
  /** The trade in the venue's own text, for its dead letter. */
  readonly text: string;
}

/** The price and the size of a trade. */
export interface TradeFigures {
  readonly price: Decimal;
  readonly size: Decimal;
}

/**
 * A venue takes one of its trades back, or corrects it. The trade is looked up on the tape, whichever process appended
 * it: an amendment may arrive before its trade, again, or for a trade that the tape does not hold.
 */
export interface VenueAmendment {
  readonly amends: 'CANCEL' | 'CORRECT';
  readonly instrument: string;
  /** The trade's id, or the one that an earlier correction gave it. */
  readonly tradeId: string;
  /** The trade happened in `[fromUs, toUs)`, microseconds since 1970: ids may be used again at other times. */
  readonly window: { readonly fromUs: number; readonly toUs: number };
  /** The trade's figures before, as the venue states them: a trade with others is not the one that it means. */
  readonly stated: TradeFigures;
  /** What a correction makes valid, and the trade's new id, if it has one; undefined for a cancel. */
  readonly corrected: (TradeFigures & { readonly tradeId: string | undefined }) | undefined;
  /** STREAM: said now; PAGE: a mark on a past trade, which is repeated in every page that shows it. */
  readonly origin: 'STREAM' | 'PAGE';
  /** The venue's own word for it, for people. */
  readonly word: string;
  /** Microseconds since 1970. */
  readonly receivedAt: number;
  /** The venue's own text, for its dead letter. */
  readonly text: string;
}

export type ParsedItem = Trade | RefusedTrade | VenueAmendment;

/**
 * The result of reading a frame or a page: its trades in the venue's order, oldest first, refused ones and amendments in
 * their places; an empty list where it legitimately has none (a heartbeat, a reply); a refusal where it cannot be read
 * as a whole.
 */
export type Parsed = readonly ParsedItem[] | Refusal;

/**
 * A frame about the connection instead of trades. SUBSCRIPTION_REFUSED: trades of something requested will not arrive
 * by this connection; RECONNECT: the venue ends the connection soon; MAINTENANCE: the market does not trade for now.
 */
export interface VenueNotice {
  readonly notice: 'SUBSCRIPTION_REFUSED' | 'RECONNECT' | 'MAINTENANCE';
  /** In the venue's words: untrusted text. */
  readonly detail: string;
}

/** Where a venue answers a request for a page with an error in its own form, whatever the HTTP status. */
export interface PageError {
  readonly pageError: 'UNKNOWN_SYMBOL' | 'RATE_LIMITED' | 'OTHER';
  /** In the venue's words: untrusted text. */
  readonly detail: string;
}

/** What a venue's trades are, for those who choose one: `ingest venues` shows it. */
export interface VenueFacts {
  /** The side that its messages name. The tape has the taker's in any case. */
  readonly side: 'TAKER' | 'MAKER' | 'NONE';
  /** The finest digit of the times that its stream and its pages have in common. */
  readonly timeResolution: 's' | 'ms' | 'us' | 'ns';
  /**
   * The trades that can be requested when they were missed: all, all where an exchange serves them, only the newest, or
   * none.
   */
  readonly backfill: 'ALL' | 'WHERE_SERVED' | 'NEWEST' | 'NONE';
  /** What its parsers were tested on: frames captured from the venue, or only the examples of its documentation. */
  readonly provenOn: 'CAPTURE' | 'DOCUMENTATION';
  /** One sentence on anything that surprises; omitted where nothing does. */
  readonly note?: string;
}

/** The key and the secret of an account. */
export interface Credentials {
  readonly key: string;
  readonly secret: string;
}

/** How a venue that requires an account is given its credentials: they are never part of an address. */
export interface VenueAccount {
  /** The variables that hold them, or name their files with the suffix `_FILE`. */
  readonly keyVariable: SecretVariable;
  readonly secretVariable: SecretVariable;
  /** The first message of a connection. */
  login(credentials: Credentials): string;
  /** Whether a frame says that the login was accepted: subscriptions follow it. Never throws. */
  isAccepted(text: string): boolean;
  /** Headers of each request. */
  headers(credentials: Credentials): Readonly<Record<string, string>>;
}

/** A venue's addresses, without a slash at the end. */
export interface Endpoints {
  readonly webSocketUrl: string;
  readonly restUrl: string;
}

/** The venue's limits for one IP address. We stay well below them. */
export interface VenueLimits {
  readonly connections: { readonly count: number; readonly windowMs: number };
  /** Frames from client to server, pings included. */
  readonly clientMessagesPerSecond: number;
  readonly requestWeight: { readonly weight: number; readonly windowMs: number };
  /** The venue cuts a connection at this age. */
  readonly connectionLifetimeMs: number;
  readonly instrumentsPerConnection: number;
  /** HTTP statuses that demand a wait, besides 429; omitted where there are none. */
  readonly waitStatuses?: readonly number[];
}

/** One REST request: `GET <restUrl><path>`; of ccxt, the name of a method and its arguments. */
export interface HistoryRequest {
  /** With its query, beginning with the slash. */
  readonly path: string;
  /** Its cost in the venue's request weight. */
  readonly weight: number;
}

/** The trades of a time, oldest first, of a venue whose ids have no order. Times are microseconds since 1970. */
export interface Period {
  /** The page begins with the first trade of this time, or earlier. */
  readonly sinceUs: number;
  /** Trades of this time and later ones are not wanted; undefined for all until now. */
  readonly untilUs: number | undefined;
  /** Of the page before, by `pageTokenOf`; undefined for the first page. The rest of the request stays the same. */
  readonly pageToken: string | undefined;
}

/** From where on trades are requested: a venue that pages by id uses the one, a venue that pages by time the other. */
export interface BackfillStart {
  readonly firstTradeId: number;
  /** Event time of the last trade before it, microseconds; null where none is known. */
  readonly afterTimeUs: number | null;
}

/**
 * An exchange whose trades are taken live. Adding one: a folder in `producers/venues/` and a line in its
 * `catalogue.ts`; the suite in `venues.contract.spec.ts` there then runs over it. Everything here is pure: connecting,
 * requesting, waiting and retrying are the same for all (`producers/live/`).
 *
 * A trade read from the stream and the same trade read from a page are equal except for `receivedAt`.
 */
export interface Venue {
  /** As in `BTC-USDT@binance`. */
  readonly name: string;
  /** One line for people. */
  readonly description: string;
  readonly endpoints: Endpoints;
  readonly limits: VenueLimits;
  /**
   * DENSE: whole numbers; an instrument's next trade has the next one, so missing trades are known and requested.
   * OPAQUE: any unique text; missing trades cannot be known, only recently seen ones are recognised.
   */
  readonly tradeIds: 'DENSE' | 'OPAQUE';
  readonly facts: VenueFacts;
  /** Omitted where its trades are public. */
  readonly account?: VenueAccount;
  /** The venue's own name of an instrument, BTCUSDT for `BTC-USDT@binance`; undefined where no symbol is possible. */
  symbolOf(instrument: string): string | undefined;
  /** The instrument of a symbol; undefined where the symbol cannot be read. */
  instrumentOf(symbol: string): string | undefined;
  /** The currencies that it is known to quote in, for suggestions; omitted where symbols show the quote themselves. */
  readonly quotes?: readonly string[];
  readonly stream: {
    /** The address to connect to for these symbols. */
    url(webSocketUrl: string, symbols: readonly string[]): string;
    /** Messages to send once connected; none where the address suffices. */
    subscriptions(symbols: readonly string[]): readonly string[];
    /** A message that keeps the connection open besides WebSocket's own pings, where the venue requires one. */
    readonly keepAlive: string | undefined;
    /** Never throws. @param receivedAt microseconds */
    parseFrame(text: string, receivedAt: number): Parsed | VenueNotice;
  };
  readonly history: {
    /** Most trades that one page holds. */
    readonly pageTradesMax: number;
    /** Response header with the weight used in the window so far, lower case, where the venue reports it. */
    readonly usedWeightHeader: string | undefined;
    newest(symbol: string, limit: number): HistoryRequest;
    /**
     * The request for a page from this place on; it may begin earlier. Undefined where the venue has no such request.
     */
    from(symbol: string, place: BackfillStart, limit: number): HistoryRequest | undefined;
    /**
     * Where ids are OPAQUE: the request for the oldest trades of a period, for those that pages of the newest no longer
     * show. Omitted where the venue has no such request.
     */
    since?(symbol: string, period: Period, limit: number): HistoryRequest;
    /**
     * The token by which the venue goes on after a page of a period; undefined where that was the last one. Omitted where
     * it goes on by time alone. Never throws.
     */
    pageTokenOf?(text: string): string | undefined;
    /**
     * The answer to any of these. Never throws.
     *
     * @param receivedAt microseconds
     * @param isOfPeriod whether it answers `since`: a venue may write such a page in another order
     */
    parsePage(text: string, symbol: string, receivedAt: number, isOfPeriod?: boolean): Parsed | PageError;
  };
  /** Real messages, for the shared suite and for people. */
  readonly examples: {
    readonly symbol: string;
    /** A frame with one trade, and the page with the same trade. */
    readonly frame: string;
    readonly page: string;
    /** Frames without a trade that are not errors. */
    readonly otherFrames: readonly string[];
    /** Frames with one amendment each; omitted where the venue sends none. */
    readonly amendments?: readonly { readonly text: string; readonly amends: VenueAmendment['amends'] }[];
    /** Frames about the connection; omitted where none are documented. */
    readonly notices?: readonly { readonly text: string; readonly notice: VenueNotice['notice'] }[];
    /** Answers to requests that are errors with HTTP status 200; omitted where there are none. */
    readonly pageErrors?: readonly { readonly text: string; readonly pageError: PageError['pageError'] }[];
  };
}

/**
 * An exchange whose trades are requested again and again, because it has no stream here. One of ccxt's is made when it
 * is named, and is in no catalogue.
 */
export interface PolledVenue extends Omit<Venue, 'stream' | 'examples'> {
  readonly stream?: undefined;
  /** Its name in ccxt, which makes its requests and knows its addresses: `endpoints` are empty. */
  readonly ccxtExchange: string;
}

/** Any venue that trades are taken from live. */
export type LiveVenue = (Venue & { readonly ccxtExchange?: undefined }) | PolledVenue;

/** Names a venue's stream in each of its trades. */
export function liveSourceOf(venue: string): string {
  return `${LIVE_SOURCE_PREFIX}${venue}`;
}

export function isRefusedTrade(item: ParsedItem): item is RefusedTrade {
  return 'refusal' in item;
}

export function isAmendment(item: ParsedItem): item is VenueAmendment {
  return 'amends' in item;
}

/** Whether a frame or page could be read, and is neither a notice nor an error of the venue. */
export function isTrades(parsed: Parsed | VenueNotice | PageError): parsed is readonly ParsedItem[] {
  return Array.isArray(parsed);
}

/** Whether a frame or page could not be read as a whole. */
export function isUnreadable(parsed: Parsed | VenueNotice | PageError): parsed is Refusal {
  return 'reason' in parsed;
}

export function isNotice(parsed: Parsed | VenueNotice): parsed is VenueNotice {
  return 'notice' in parsed;
}

export function isPageError(parsed: Parsed | PageError): parsed is PageError {
  return 'pageError' in parsed;
}
