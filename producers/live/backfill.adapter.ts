import type { Trade } from '../../contracts/generated/events.ts';
import { TapeproofError } from '../../platform/errors.ts';
import {
  isAmendment,
  isPageError,
  isUnreadable,
  type HistoryRequest,
  type LiveVenue,
  type RefusedTrade,
  type VenueAmendment,
} from '../venue.ts';
import { backoffMs } from './backoff.ts';
import { RETRY_AFTER_DEFAULT_MS, type FetchPage, type RestAnswer } from './rest-client.adapter.ts';
import type { InstrumentStream } from './instrument-stream.ts';
import type { LiveTelemetry } from './telemetry.ts';
import { RequestBudget } from './request-budget.ts';
import type { LiveTiming } from './timing.ts';
import { Wake } from './wake.adapter.ts';
import type { PageRequest } from './wanted-page.ts';

/** How often the streams are checked for requests. */
const IDLE_MS = 50;
const WAIT_MS_MAX = 1_000;
const BAD_REQUEST = 400;
const NOT_FOUND = 404;
/** Statuses by which a venue refuses an account. */
const REFUSED_ACCOUNTS: readonly number[] = [401, 403];

export interface BackfillOptions {
  readonly venue: LiveVenue;
  readonly restUrl: string;
  readonly fetchPage: FetchPage;
  readonly streams: readonly InstrumentStream[];
  readonly timing: LiveTiming;
  readonly telemetry: LiveTelemetry;
  /** Aborts the request under way. */
  readonly signal: AbortSignal;
  /** Receives the marks of a page on past trades, after its trades. */
  readonly onAmendment: (amendment: VenueAmendment, nowMs: number) => void;
  /** Called with the trades of a page when it arrived for a stream. */
  readonly onAnswer: (trades: readonly (Trade | RefusedTrade)[]) => void;
}

/** A page that an instrument wants, and the instrument's position in the rotation. */
interface Work {
  readonly index: number;
  readonly stream: InstrumentStream;
  readonly ask: PageRequest;
}

/** One budget per address, or per exchange of a library, shared by everything in this process. */
const budgets = new Map<string, RequestBudget>();

/**
 * Requests the streams' missing trades from the venue's REST interface, one request at a time, in turn, within its
 * limits.
 */
export class Backfill {
  private readonly options: BackfillOptions;
  private readonly budget: RequestBudget;
  private readonly wake = new Wake();
  private turn = 0;
  private failures = 0;
  private retryAtMs = 0;

  constructor(options: BackfillOptions) {
    this.options = options;
    const { restUrl, venue, signal } = options;
    const place = venue.ccxtExchange === undefined ? restUrl : venue.name;
    let budget = budgets.get(place);
    if (budget === undefined) budgets.set(place, (budget = new RequestBudget(venue.limits.requestWeight)));
    this.budget = budget;
    signal.addEventListener('abort', () => {
      this.wake.poke();
    });
  }

  /** Runs until the signal. @throws TapeproofError USAGE where the venue does not know an instrument. */
  async run(): Promise<void> {
    const { signal } = this.options;
    while (!signal.aborted) {
      const work = this.nextWork(performance.now());
      if (work === undefined) {
        await this.wake.wait(IDLE_MS);
        continue;
      }
      this.turn = work.index + 1;
      const request = this.requestFor(work);
      const nowMs = performance.now();
      const waitMs = Math.max(this.budget.waitMs(request.weight, nowMs), this.retryAtMs - nowMs);
      // By the time it is due, another page may be wanted.
      if (waitMs > WAIT_MS_MAX) for (const each of this.options.streams) each.cannotAsk(nowMs);
      if (waitMs > 0) await this.wake.wait(Math.min(waitMs, WAIT_MS_MAX));
      else await this.fulfil(work, request);
    }
  }

  /** The next stream in turn with an urgent request, else the next with any. */
  private nextWork(nowMs: number): Work | undefined {
    const { streams } = this.options;
    let found: Work | undefined;
    for (let step = 0; step < streams.length; step += 1) {
      const index = (this.turn + step) % streams.length;
      const stream = streams[index];
      const ask = stream?.next(nowMs).ask;
      if (stream === undefined || ask === undefined || (found !== undefined && !ask.urgent)) continue;
      found = { index, stream, ask };
      if (ask.urgent) break;
    }
    return found;
  }

  private requestFor({ stream, ask }: Work): HistoryRequest {
    const { history } = this.options.venue;
    const { symbol } = stream.options;
    const { pageTradesMax } = history;
    if (ask.kind === 'newest') return history.newest(symbol, ask.limit);
    const asked =
      ask.kind === 'from'
        ? history.from(symbol, ask.place, pageTradesMax)
        : history.since?.(symbol, ask.period, pageTradesMax);
    return asked ?? history.newest(symbol, pageTradesMax);
  }

  private async fulfil({ stream, ask }: Work, request: HistoryRequest): Promise<void> {
    const { venue, fetchPage, telemetry, signal, onAnswer, onAmendment } = this.options;
    const askedAtMs = performance.now();
    const askedAtWallMs = Date.now();
    this.budget.spend(request.weight, askedAtMs);
    stream.asked(ask, askedAtMs);
    const answer = await fetchPage(request, signal);
    if (signal.aborted) return;
    const nowMs = performance.now();
    const read = this.read(answer, stream, ask);
    telemetry({
      kind: 'history-request',
      outcome: read.outcome,
      status: read.status,
      retryAfterMs: read.outcome === 'rate-limited' ? read.retryAfterMs : undefined,
      detail: read.outcome === 'failed' ? read.detail : undefined,
    });
    if (read.outcome === 'ok') {
      this.failures = 0;
      this.heed(answer, nowMs);
      const trades = read.page.flatMap((item) => (isAmendment(item) ? [] : [item]));
      const pageToken =
        ask.kind === 'since' && answer.outcome === 'ok' ? venue.history.pageTokenOf?.(answer.text) : undefined;
      stream.answered(ask, trades, { askedAtMs, askedAtWallMs, nowMs }, pageToken);
      for (const amendment of read.page.filter(isAmendment)) onAmendment(amendment, nowMs);
      refuseForeign(stream, venue.name);
      onAnswer(trades);
    } else this.failed(read, stream, ask, nowMs);
  }

  private read(answer: RestAnswer, { options }: InstrumentStream, { kind }: PageRequest) {
    if (answer.outcome !== 'ok') return answer;
    const { status } = answer;
    const { history } = this.options.venue;
    const page = history.parsePage(answer.text, options.symbol, Date.now() * 1_000, kind === 'since');
    if (isUnreadable(page)) return { outcome: 'failed', status, detail: page.detail } as const;
    if (!isPageError(page)) return { outcome: 'ok', status, page } as const;
    const { pageError, detail } = page;
    if (pageError === 'RATE_LIMITED') {
      return { outcome: 'rate-limited', status, retryAfterMs: RETRY_AFTER_DEFAULT_MS } as const;
    }
    return { outcome: 'failed', status: pageError === 'UNKNOWN_SYMBOL' ? NOT_FOUND : status, detail } as const;
  }

  private heed(answer: RestAnswer, nowMs: number): void {
    if (answer.outcome !== 'ok' || answer.usedWeight === undefined) return;
    const { windowMs } = this.options.venue.limits.requestWeight;
    this.budget.used(answer.usedWeight, windowMs - (Date.now() % windowMs), nowMs);
  }

  private failed(
    answer: Exclude<RestAnswer, { outcome: 'ok' }>,
    stream: InstrumentStream,
    ask: PageRequest,
    nowMs: number,
  ): void {
    if (answer.outcome === 'rate-limited') {
      this.budget.blockFor(answer.retryAfterMs, nowMs);
      return;
    }
    const isRefused = answer.status === BAD_REQUEST || answer.status === NOT_FOUND;
    if (isRefused && ask.kind === 'since') stream.cannotFill();
    if (!stream.isStarted && isRefused) {
      const { instrument, symbol } = stream.options;
      throw new TapeproofError(
        'USAGE',
        `The venue ${this.options.venue.name} refuses ${instrument} (its ${symbol}): ${JSON.stringify(answer.detail)}.`,
      );
    }
    const { account, name } = this.options.venue;
    if (!stream.isStarted && account !== undefined && REFUSED_ACCOUNTS.includes(answer.status ?? 0)) {
      const variables = `${account.keyVariable} and ${account.secretVariable}`;
      throw new TapeproofError('CONFIGURATION', `The venue ${name} refuses the account of ${variables}: check both.`);
    }
    this.failures += 1;
    const { retryMinMs, retryMaxMs } = this.options.timing;
    this.retryAtMs = nowMs + backoffMs(this.failures, retryMinMs, retryMaxMs, Math.random());
  }
}

function refuseForeign({ foreignNewest, options }: InstrumentStream, venue: string): void {
  if (foreignNewest === undefined) return;
  throw new TapeproofError(
    'CONFLICT',
    `The newest trade of ${options.instrument} at ${venue} has the id ${foreignNewest.tradeId}, far below those on the tape, yet is later: another environment answers, or its numbering restarted; ingest it into a separate tape.`,
  );
}
