import { TapeproofError } from '../../platform/errors.ts';
import { isUnreadable, type HistoryRequest, type Venue } from '../venue.ts';
import { backoffMs } from './backoff.ts';
import { ask, type HistoryAnswer } from './history-client.adapter.ts';
import type { Lane, Need } from './lane.ts';
import type { LiveObserver } from './observer.ts';
import { RequestBudget } from './request-budget.ts';
import type { LiveTiming } from './timing.ts';
import { Wake } from './wake.adapter.ts';

/** How often the lanes are looked at for what they need. */
const IDLE_MS = 50;
const WAIT_MS_MAX = 1_000;
const BAD_REQUEST = 400;
const NOT_FOUND = 404;

export interface HistoryOptions {
  readonly venue: Venue;
  readonly restUrl: string;
  readonly lanes: readonly Lane[];
  readonly timing: LiveTiming;
  readonly observer: LiveObserver;
  /** Ends the request that is under way. */
  readonly signal: AbortSignal;
  /** Something came for a lane. */
  readonly onAnswer: () => void;
}

/** One budget per address, for all that runs in this process. */
const budgets = new Map<string, RequestBudget>();

/** Asks the venue's REST interface for what the lanes need, one request at a time, in turn, within its limits. */
export class History {
  private readonly options: HistoryOptions;
  private readonly budget: RequestBudget;
  private readonly wake = new Wake();
  private turn = 0;
  private failures = 0;
  private retryAtMs = 0;

  constructor(options: HistoryOptions) {
    this.options = options;
    const { restUrl, venue, signal } = options;
    let budget = budgets.get(restUrl);
    if (budget === undefined) budgets.set(restUrl, (budget = new RequestBudget(venue.limits.requestWeight)));
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
      const { lane, need, request } = work;
      const nowMs = performance.now();
      const waitMs = Math.max(this.budget.waitMs(request.weight, nowMs), this.retryAtMs - nowMs);
      // What is needed may be another thing when its time has come.
      if (waitMs > WAIT_MS_MAX) for (const each of this.options.lanes) each.cannotAsk(nowMs);
      if (waitMs > 0) await this.wake.wait(Math.min(waitMs, WAIT_MS_MAX));
      else await this.fulfil(lane, need, request);
    }
  }

  /** The next lane in turn with something urgent, else the next that needs anything. */
  private nextWork(nowMs: number): { lane: Lane; need: Need; request: HistoryRequest } | undefined {
    const { lanes } = this.options;
    let found: { index: number; lane: Lane; need: Need } | undefined;
    for (let step = 0; step < lanes.length; step += 1) {
      const index = (this.turn + step) % lanes.length;
      const lane = lanes[index];
      const need = lane?.need(nowMs);
      if (lane === undefined || need === undefined || (found !== undefined && !need.urgent)) continue;
      found = { index, lane, need };
      if (need.urgent) break;
    }
    if (found === undefined) return undefined;
    this.turn = found.index + 1;
    const { lane, need } = found;
    return { lane, need, request: this.requestFor(lane, need) };
  }

  private requestFor(lane: Lane, need: Need): HistoryRequest {
    const { history } = this.options.venue;
    const { symbol } = lane.options;
    const from = need.kind === 'from' ? history.from(symbol, need.place, history.pageTradesMax) : undefined;
    return from ?? history.newest(symbol, need.kind === 'newest' ? need.limit : history.pageTradesMax);
  }

  private async fulfil(lane: Lane, need: Need, request: HistoryRequest): Promise<void> {
    const { restUrl, venue, timing, observer, signal, onAnswer } = this.options;
    const askedAtMs = performance.now();
    const askedAtWallMs = Date.now();
    this.budget.spend(request.weight, askedAtMs);
    const answer = await ask(
      `${restUrl}${request.path}`,
      venue.history.usedWeightHeader,
      timing.requestTimeoutMs,
      signal,
    );
    if (signal.aborted) return;
    const nowMs = performance.now();
    const read = this.read(answer, lane);
    observer.historyRequest({
      outcome: read.outcome,
      status: read.status,
      retryAfterMs: read.outcome === 'rate-limited' ? read.retryAfterMs : undefined,
      detail: read.outcome === 'failed' ? read.detail : undefined,
    });
    if (read.outcome === 'ok') {
      this.failures = 0;
      this.heed(answer, nowMs);
      lane.answered(need, read.page, { askedAtMs, askedAtWallMs, nowMs });
      refuseForeign(lane, venue.name);
      onAnswer();
    } else this.failed(read, lane, nowMs);
  }

  private read(answer: HistoryAnswer, lane: Lane) {
    if (answer.outcome !== 'ok') return answer;
    const page = this.options.venue.history.parsePage(answer.text, lane.options.symbol, Date.now() * 1_000);
    if (!isUnreadable(page)) return { outcome: 'ok', status: answer.status, page } as const;
    return { outcome: 'failed', status: answer.status, detail: page.detail } as const;
  }

  private heed(answer: HistoryAnswer, nowMs: number): void {
    if (answer.outcome !== 'ok' || answer.usedWeight === undefined) return;
    const { windowMs } = this.options.venue.limits.requestWeight;
    this.budget.used(answer.usedWeight, windowMs - (Date.now() % windowMs), nowMs);
  }

  private failed(answer: Exclude<HistoryAnswer, { outcome: 'ok' }>, lane: Lane, nowMs: number): void {
    if (answer.outcome === 'rate-limited') {
      this.budget.blockFor(answer.retryAfterMs, nowMs);
      return;
    }
    if (!lane.isStarted && (answer.status === BAD_REQUEST || answer.status === NOT_FOUND)) {
      const { instrument, symbol } = lane.options;
      throw new TapeproofError(
        'USAGE',
        `The venue ${this.options.venue.name} refuses ${instrument} (its ${symbol}): ${JSON.stringify(answer.detail)}.`,
      );
    }
    this.failures += 1;
    const { retryMinMs, retryMaxMs } = this.options.timing;
    this.retryAtMs = nowMs + backoffMs(this.failures, retryMinMs, retryMaxMs, Math.random());
  }
}

function refuseForeign({ foreignNewest, options }: Lane, venue: string): void {
  if (foreignNewest === undefined) return;
  throw new TapeproofError(
    'CONFLICT',
    `The newest trade of ${options.instrument} at ${venue} has the id ${foreignNewest.tradeId}, far below those on the tape, and is later all the same: what answers is another environment, or it numbers anew; take it to a tape of its own.`,
  );
}
