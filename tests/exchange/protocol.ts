import type { IncomingHttpHeaders } from 'node:http';
import type { ExchangeTrade } from './market.ts';

/** A message of the stream that is not a valid trade. */
export interface SpoiledFrame {
  readonly data: string | Buffer;
  readonly binary: boolean;
}

/**
 * The trades of a market that a request asks for: the newest ones, or those from an id on; oldest first in both cases.
 */
export interface PageRequest {
  readonly kind: 'page';
  readonly symbol: string;
  readonly fromId: number | undefined;
  readonly limit: number;
}

/** An answer without trades: a time, or an error in the venue's own form. */
export interface PlainAnswer {
  readonly kind: 'plain';
  readonly status: number;
  readonly body: string;
}

/** The effect of a client's message on its stream. */
export interface Control {
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  readonly reply: string | undefined;
}

/** The limits of an exchange for one client. */
export interface ExchangeLimits {
  readonly connections: { readonly max: number; readonly windowMs: number };
  /** Pings, pongs and messages of a client on one connection. */
  readonly incomingMessages: { readonly max: number; readonly windowMs: number };
  /** Weight of requests in each window; windows begin at multiples of their length. */
  readonly requestWeight: { readonly max: number; readonly windowMs: number };
}

/** A venue's protocol. Another venue's server is another value of this type; faults, pace and records are shared. */
export interface ExchangeProtocol {
  readonly limits: ExchangeLimits;
  /** The server's own pings. */
  readonly pingIntervalMs: number;
  /** Symbols that the address of a new connection asks for; undefined where nothing is at this address. */
  subscriptionOf(url: URL): readonly string[] | undefined;
  /** The meaning of a client's text on the stream. */
  controlOf(text: string): Control;
  /** The message of a trade on the stream. */
  frameOf(symbol: string, trade: ExchangeTrade): string;
  /** Ways to spoil the message of a trade; their number is constant. */
  readonly spoiledFrames: readonly ((symbol: string, trade: ExchangeTrade) => SpoiledFrame)[];
  /** Weight of a request at this address. */
  weightOf(url: URL): number;
  requestOf(url: URL, symbols: ReadonlySet<string>, nowMs: number): PageRequest | PlainAnswer;
  /** The body of a page. */
  pageOf(trades: readonly ExchangeTrade[]): string;
  /** Headers of every answer. */
  headersOf(usedWeight: number): IncomingHttpHeaders;
  /** Bodies of refusals, in the venue's form. */
  refusalOf(status: number): string;
}
