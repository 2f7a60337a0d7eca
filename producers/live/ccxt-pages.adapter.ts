import { nearestOf } from '../../contracts/nearest-name.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { parseJsonWithExactNumbers } from '../json.ts';
import { quoted } from '../source.ts';
import type { HistoryRequest } from '../venue.ts';
import { retryAfterMs, saysToWait } from './backoff.ts';
import { RETRY_AFTER_DEFAULT_MS, textOf, type FetchPage, type RestAnswer } from './rest-client.adapter.ts';

/** The release that the tests were made with. */
const CCXT_VERSION = '4.5.84';
const INSTALL = `run "npm install --no-save --ignore-scripts ccxt@${CCXT_VERSION}"`;
/** Lists of all markets, which ccxt requests first, have some ten megabytes. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
const DETAIL_LENGTH_MAX = 200;
const BAD_REQUEST = 400;
const ADDRESS = /\b(?:https?|wss?):\/\/\S+/g;
/** Errors by which ccxt says that this request can never succeed. */
const PERMANENT = ['BadRequest', 'AuthenticationError', 'NotSupported', 'ArgumentsRequired'] as const;
const WAITS = ['RateLimitExceeded', 'DDoSProtection'] as const;

/** The part of one of ccxt's exchanges that is used here: the package is not installed where the types are checked. */
interface CcxtExchange {
  readonly has: Readonly<Record<string, unknown>>;
  readonly urls: { api: unknown };
  fetchImplementation: unknown;
  parseJson: (text: string) => unknown;
  loadMarkets(): Promise<unknown>;
  featureValue(symbol: string, method: string, parameter: string): unknown;
  fetchTrades(symbol: string, since: number | undefined, limit: number | undefined): Promise<readonly object[]>;
}

type ExchangeClass = new (configuration: object) => CcxtExchange;
type ErrorClass = new (...words: never[]) => Error;

/** The package's default export: names of exchanges, and classes of exchanges and errors by name. */
export interface Ccxt extends Readonly<Record<string, unknown>> {
  readonly exchanges: readonly string[];
}

export interface CcxtPagesOptions {
  /** As ccxt names it. */
  readonly exchange: string;
  /** Replaces scheme and host of all its addresses; empty for its own. */
  readonly restUrl: string;
  /** Of one answer, its body included. */
  readonly timeoutMs: number;
  /** Loads the package; for tests. */
  readonly load?: () => Promise<Ccxt>;
}

/**
 * Pages of an exchange by ccxt's `fetchTrades`, in ccxt's own rhythm: as text, ccxt's numbers only beside the
 * exchange's own digits.
 *
 * @throws TapeproofError UNREACHABLE where the package is not installed; USAGE where it does not have the exchange, or
 *   has no public trades of it
 */
export async function openCcxtPages({
  exchange: name,
  restUrl,
  timeoutMs,
  load = loadCcxt,
}: CcxtPagesOptions): Promise<FetchPage> {
  const ccxt = await loaded(name, load);
  const client = new CcxtClient(ccxt, exchangeOf(ccxt, name), timeoutMs);
  client.redirect(restUrl);
  return (request, signal) => client.page(request, signal);
}

async function loadCcxt(): Promise<Ccxt> {
  // Not a literal: the package is optional, also where types are checked.
  const name: string = 'ccxt';
  return ((await import(name)) as { readonly default: Ccxt }).default;
}

async function loaded(name: string, load: () => Promise<Ccxt>): Promise<Ccxt> {
  try {
    return await load();
  } catch (error) {
    const isAbsent = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
    const state = isAbsent ? 'which is not installed' : 'which cannot be loaded';
    throw new TapeproofError('UNREACHABLE', `The venue ccxt:${name} needs the package ccxt, ${state}: ${INSTALL}.`, {
      cause: error,
    });
  }
}

function exchangeOf(ccxt: Ccxt, name: string): CcxtExchange {
  const Exchange = ccxt.exchanges.includes(name) ? ccxt[name] : undefined;
  if (typeof Exchange !== 'function') {
    const nearest = nearestOf(name, ccxt.exchanges);
    const mend = nearest === undefined ? 'see its list of exchanges' : `did you mean ccxt:${nearest}?`;
    throw new TapeproofError(
      'USAGE',
      `ccxt has no exchange ${quoted(name)}: ${mend}${nearest === undefined ? '.' : ''}`,
    );
  }
  const exchange = new (Exchange as ExchangeClass)({ enableRateLimit: true });
  if (exchange.has['fetchTrades'] === true) return exchange;
  throw new TapeproofError('USAGE', `ccxt has no public trades of ${name}: choose another venue.`);
}

/** One exchange of ccxt, whose answers are bounded and whose fractions stay text. */
class CcxtClient {
  private readonly ccxt: Ccxt;
  private readonly exchange: CcxtExchange;
  private readonly timeoutMs: number;
  private signal = new AbortController().signal;
  /** Of the last answer by HTTP; 0 before one. */
  private status = 0;
  private retryAfter: string | null = null;
  /** Answers that were not JSON: some of its exchanges take one for an empty page. */
  private unreadable = 0;

  constructor(ccxt: Ccxt, exchange: CcxtExchange, timeoutMs: number) {
    this.ccxt = ccxt;
    this.exchange = exchange;
    this.timeoutMs = timeoutMs;
    exchange.fetchImplementation = this.fetch;
    // ccxt's own parser turns fractions into doubles, and its trades would have only those.
    exchange.parseJson = (text) => this.parsed(text);
  }

  redirect(restUrl: string): void {
    if (restUrl !== '') this.exchange.urls.api = redirected(this.exchange.urls.api, restUrl);
  }

  /** @param request `/fetchTrades?symbol=…&limit=…`, with `since=…` in milliseconds for the trades from then on */
  async page({ path }: HistoryRequest, signal: AbortSignal): Promise<RestAnswer> {
    const { searchParams } = new URL(path, 'http://ccxt');
    this.signal = signal;
    this.status = 0;
    this.retryAfter = null;
    const unreadableBefore = this.unreadable;
    try {
      const since = searchParams.get('since');
      const trades = await untilAborted(
        this.trades(
          searchParams.get('symbol') ?? '',
          since === null ? undefined : Number(since),
          Number(searchParams.get('limit')),
        ),
        signal,
      );
      if (this.unreadable > unreadableBefore) throw new SyntaxError('the answer is not valid JSON');
      return { outcome: 'ok', status: this.status, text: JSON.stringify({ trades }), usedWeight: undefined };
    } catch (error) {
      return this.failureOf(error);
    }
  }

  private async trades(symbol: string, since: number | undefined, most: number): Promise<readonly object[]> {
    await this.exchange.loadMarkets();
    // An exchange may refuse more than its limit; one whose limit ccxt does not know is asked for its usual page.
    const limit = this.exchange.featureValue(symbol, 'fetchTrades', 'limit');
    return await this.exchange.fetchTrades(
      symbol,
      since,
      typeof limit === 'number' ? Math.min(limit, most) : undefined,
    );
  }

  private parsed(text: string): unknown {
    const value = parseJsonWithExactNumbers(text);
    if (value === undefined) this.unreadable += 1;
    return value;
  }

  private failureOf(error: unknown): RestAnswer {
    const { status } = this;
    if (this.isOneOf(error, WAITS) || saysToWait(status, {})) {
      const waitMs = retryAfterMs(this.retryAfter, Date.now()) ?? RETRY_AFTER_DEFAULT_MS;
      return { outcome: 'rate-limited', status, retryAfterMs: waitMs };
    }
    const isPermanent = this.isOneOf(error, PERMANENT);
    const words = error instanceof Error ? error.message : String(error);
    const detail = words.replace(ADDRESS, 'its address').slice(0, DETAIL_LENGTH_MAX);
    return { outcome: 'failed', status: isPermanent ? BAD_REQUEST : status || undefined, detail };
  }

  private isOneOf(error: unknown, names: readonly string[]): boolean {
    return names.some((name) => {
      const Class = this.ccxt[name];
      return typeof Class === 'function' && error instanceof (Class as ErrorClass);
    });
  }

  /** ccxt bounds neither the size of an answer nor the time of its body. */
  private readonly fetch = async (url: string, { method, headers, body }: RequestInit): Promise<object> => {
    const response = await fetch(url, {
      method: method ?? 'GET',
      headers: headers ?? {},
      body: body ?? null,
      redirect: 'error',
      credentials: 'omit',
      cache: 'no-store',
      signal: AbortSignal.any([this.signal, AbortSignal.timeout(this.timeoutMs)]),
    });
    this.status = response.status;
    this.retryAfter = response.headers.get('retry-after');
    const text = await textOf(response, ANSWER_BYTES_MAX);
    return {
      status: response.status,
      statusText: response.statusText,
      headers: response.headers,
      text: () => Promise.resolve(text),
    };
  };
}

/** The same addresses at another host. */
function redirected(api: unknown, restUrl: string): unknown {
  if (typeof api === 'string') return api.replace(/^https?:\/\/[^/]+/, restUrl);
  if (typeof api !== 'object' || api === null) return api;
  return Object.fromEntries(Object.entries(api).map(([name, each]) => [name, redirected(each, restUrl)]));
}

/** ccxt's waits and its list of markets cannot be interrupted, but are not waited for. */
async function untilAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => {
    reject(new Error('the process is stopping'));
  };
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  work.catch(() => undefined);
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
