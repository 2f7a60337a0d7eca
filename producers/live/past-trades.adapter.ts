import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { Trade } from '../../contracts/generated/events.ts';
import { TapeproofError } from '../../platform/errors.ts';
import type { Environment } from '../../platform/security/settings.ts';
import { quoted } from '../source.ts';
import { isAmendment, isPageError, isRefusedTrade, isUnreadable, type ParsedItem, type Period } from '../venue.ts';
import { writtenVenue } from '../venues/ccxt/venue.ts';
import { backoffMs } from './backoff.ts';
import { credentialsOf } from './ingest-venues.adapter.ts';
import { planOf, type LivePlan } from './live-options.ts';
import { openPages } from './page-source.adapter.ts';
import { PAST_TRADES_HEADER, rowOfPastTrade } from './past-trades.ts';
import { RequestBudget } from './request-budget.ts';
import { RETRY_AFTER_DEFAULT_MS, type FetchPage } from './rest-client.adapter.ts';
import { LIVE_TIMING, type LiveTiming } from './timing.ts';

/** A page that cannot be had is requested this often. */
const ATTEMPTS_MAX = 6;
/** A longer wait that the venue demands ends the run. */
const WAIT_MS_MAX = 5 * 60_000;
const MS_PER_MINUTE = 60_000;
const US_PER_MS = 1_000;
/** Statuses by which a venue refuses a request for good. */
const REFUSALS: readonly number[] = [400, 404, 422];
const REFUSED_ACCOUNTS: readonly number[] = [401, 403];

export interface PastTradesOptions {
  readonly venue: string;
  /** `AAPL` or `AAPL@alpaca`. */
  readonly instruments: readonly string[];
  /** `[fromUs, toUs)`, microseconds since 1970. */
  readonly fromUs: number;
  readonly toUs: number;
  /** The new file: `canonical-csv`. */
  readonly path: string;
  /** Replaces the venue's own address. */
  readonly restUrl?: string | undefined;
  /** Holds the credentials of a venue that requires an account. */
  readonly environment: Environment;
  readonly signal: AbortSignal;
  readonly timing?: Partial<Pick<LiveTiming, 'retryMinMs' | 'retryMaxMs'>>;
  /** Called after each page. */
  readonly onPage?: ((report: PastTradesReport) => void) | undefined;
}

export interface PastInstrument {
  readonly instrument: string;
  trades: number;
  /** Trades that cannot be read: their own text is a row of the file, and becomes a dead letter. */
  refused: number;
  /** Trades that the venue marks as taken back since: they are suspicious in the file. */
  takenBack: number;
}

export interface PastTradesReport {
  /** False where the signal came before the end: there is no file. */
  readonly complete: boolean;
  readonly path: string;
  readonly pages: number;
  readonly instruments: readonly PastInstrument[];
}

/**
 * Writes the trades that a venue had in a period into a new file, which `ingest file` appends. The file appears under its
 * name when it has all of them, so that a part is never taken for the whole.
 *
 * @throws TapeproofError USAGE for the options, for a venue that does not serve past trades page by page, and for what it
 *   refuses; CONFIGURATION for its account; UNREACHABLE where it does not answer; NOT_USABLE where its pages do not end
 */
export async function writePastTrades(options: PastTradesOptions): Promise<PastTradesReport> {
  return await new PastTrades(options).run();
}

interface Page {
  readonly items: readonly ParsedItem[];
  readonly pageToken: string | undefined;
}

class PastTrades {
  private readonly options: PastTradesOptions;
  private readonly plan: LivePlan;
  private readonly budget: RequestBudget;
  private readonly instruments: PastInstrument[] = [];
  private pages = 0;

  constructor(options: PastTradesOptions) {
    this.options = options;
    const { venue, instruments, restUrl } = options;
    const endpoints = restUrl === undefined ? undefined : { restUrl };
    this.plan = planOf({ venue: writtenVenue(venue), instruments, transport: 'poll', endpoints });
    const { history, limits, name } = this.plan.venue;
    if (history.since === undefined || history.pageTokenOf === undefined) {
      const words = `The venue ${name} does not serve past trades page by page`;
      throw new TapeproofError('USAGE', `${words}: take a file of it, or a venue such as alpaca.`);
    }
    this.budget = new RequestBudget(limits.requestWeight);
  }

  async run(): Promise<PastTradesReport> {
    const { venue, environment, path, signal } = this.options;
    const fetchPage = await openPages(this.plan, credentialsOf(venue, environment));
    const part = `${path}.part`;
    const file = await created(part, path);
    try {
      await file.write(`${PAST_TRADES_HEADER}\n`);
      for (const [instrument, symbol] of this.plan.symbols) await this.write(file, fetchPage, instrument, symbol);
      await file.sync();
      if (!signal.aborted) await rename(part, path);
    } finally {
      await file.close();
      await rm(part, { force: true });
    }
    return this.report(!signal.aborted);
  }

  private report(complete: boolean): PastTradesReport {
    const { path } = this.options;
    return { complete, path, pages: this.pages, instruments: this.instruments.map((each) => ({ ...each })) };
  }

  private async write(file: FileHandle, fetchPage: FetchPage, instrument: string, symbol: string): Promise<void> {
    const { fromUs, toUs, signal, onPage } = this.options;
    const counts: PastInstrument = { instrument, trades: 0, refused: 0, takenBack: 0 };
    this.instruments.push(counts);
    const tokens = new Set<string>();
    let pageToken: string | undefined;
    do {
      const page = await this.page(fetchPage, symbol, { sinceUs: fromUs, untilUs: toUs, pageToken });
      if (page === undefined) return;
      const rows = page.items.flatMap((item) => this.rowsOf(item, counts));
      if (rows.length > 0) await file.write(`${rows.join('\n')}\n`);
      this.pages += 1;
      onPage?.(this.report(false));
      ({ pageToken } = page);
      if (pageToken !== undefined && tokens.has(pageToken)) {
        throw new TapeproofError('NOT_USABLE', `${this.venueName} repeats a page of ${instrument}: try again later.`);
      }
      if (pageToken !== undefined) tokens.add(pageToken);
    } while (pageToken !== undefined && !signal.aborted);
  }

  private rowsOf(item: ParsedItem, counts: PastInstrument): readonly string[] {
    const { fromUs, toUs } = this.options;
    if (isAmendment(item)) {
      if (item.window.toUs > fromUs) counts.takenBack += 1;
      return [];
    }
    if (isRefusedTrade(item)) {
      counts.refused += 1;
      return [item.text.replaceAll(/[\r\n]+/g, ' ')];
    }
    if (!isWithin(item, fromUs, toUs)) return [];
    counts.trades += 1;
    return [rowOfPastTrade(item)];
  }

  /** A page and the token of the next one; undefined where the signal came. */
  private async page(fetchPage: FetchPage, symbol: string, period: Period): Promise<Page | undefined> {
    const { signal, timing } = this.options;
    const { retryMinMs, retryMaxMs } = { ...LIVE_TIMING, ...timing };
    let failure = '';
    for (let attempt = 1; attempt <= ATTEMPTS_MAX && !signal.aborted; attempt += 1) {
      const page = await this.attempt(fetchPage, symbol, period);
      if (typeof page !== 'string') return page;
      failure = page;
      await this.pause(backoffMs(attempt, retryMinMs, retryMaxMs, Math.random()));
    }
    if (signal.aborted) return undefined;
    const words = `${this.venueName} gives no page of ${symbol} after ${ATTEMPTS_MAX} attempts (${quoted(failure)})`;
    throw new TapeproofError('UNREACHABLE', `${words}: try again later; nothing is kept.`);
  }

  /** One request, when the venue allows it. @returns the page, or why there is none */
  private async attempt(fetchPage: FetchPage, symbol: string, period: Period): Promise<Page | string> {
    const { signal } = this.options;
    const { history } = this.plan.venue;
    const request = history.since?.(symbol, period, history.pageTradesMax);
    if (request === undefined) return 'it has no such request';
    await this.pause(this.budget.waitMs(request.weight, performance.now()));
    this.budget.spend(request.weight, performance.now());
    const answer = await fetchPage(request, signal);
    if (answer.outcome === 'failed') {
      this.assertServed(answer.status, answer.detail, symbol);
      return answer.detail;
    }
    if (answer.outcome === 'rate-limited') return this.waitsFor(answer.retryAfterMs);
    const items = history.parsePage(answer.text, symbol, Date.now() * US_PER_MS, true);
    if (isUnreadable(items)) return items.detail;
    if (!isPageError(items)) return { items, pageToken: history.pageTokenOf?.(answer.text) };
    return items.pageError === 'RATE_LIMITED' ? this.waitsFor(RETRY_AFTER_DEFAULT_MS) : items.detail;
  }

  private waitsFor(durationMs: number): string {
    if (durationMs > WAIT_MS_MAX) {
      const minutes = Math.ceil(durationMs / MS_PER_MINUTE);
      const words = `${this.venueName} demands a wait of ${minutes} minutes`;
      throw new TapeproofError('UNREACHABLE', `${words}: try again after that; nothing is kept.`);
    }
    this.budget.blockFor(durationMs, performance.now());
    return 'it demands fewer requests';
  }

  private assertServed(status: number | undefined, detail: string, symbol: string): void {
    const { account } = this.plan.venue;
    if (account !== undefined && REFUSED_ACCOUNTS.includes(status ?? 0)) {
      const variables = `the account of ${account.keyVariable} and ${account.secretVariable}`;
      const words = `${this.venueName} refuses ${variables}, or this request to it: ${quoted(detail)}`;
      throw new TapeproofError('CONFIGURATION', `${words}. Check both, and what the account includes.`);
    }
    if (!REFUSALS.includes(status ?? 0)) return;
    throw new TapeproofError('USAGE', `${this.venueName} refuses this period of ${symbol}: ${quoted(detail)}.`);
  }

  private get venueName(): string {
    return `The venue ${this.plan.venue.name}`;
  }

  private async pause(durationMs: number): Promise<void> {
    const { signal } = this.options;
    if (durationMs > 0) await wait(durationMs, undefined, { signal }).catch(() => undefined);
  }
}

function isWithin({ eventTime }: Trade, fromUs: number, toUs: number): boolean {
  return eventTime >= fromUs && eventTime < toUs;
}

async function created(part: string, path: string): Promise<FileHandle> {
  try {
    return await open(part, 'wx');
  } catch (error) {
    const { message } = error as Error;
    const words = `The trades cannot be written beside ${path} (${message})`;
    throw new TapeproofError('USAGE', `${words}: remove what is left of another run, or name another file.`, {
      cause: error,
    });
  }
}
