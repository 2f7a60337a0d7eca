import { Decimal } from '../../contracts/decimal.ts';
import type { Trade } from '../../contracts/generated/events.ts';
import { ClockOffset } from '../../producers/live/clock-offset.ts';
import { routeFrame } from '../../producers/live/frame-router.ts';
import { InstrumentStream } from '../../producers/live/instrument-stream.ts';
import type { PageRequest } from '../../producers/live/wanted-page.ts';
import type { GivenUpGap } from '../../producers/live/reorder-buffer.ts';
import { NO_TELEMETRY } from '../../producers/live/telemetry.ts';
import { LIVE_TIMING } from '../../producers/live/timing.ts';
import { isAmendment, isTrades, type Venue, type VenueNotice } from '../../producers/venue.ts';
import { oneOf, whole, type Draw } from './draws.ts';
import type { FaultPlan } from './faults.ts';
import type { CapturedTrade, VenueCapture } from './venue-captures.ts';
import { pageOf, type VenueWords } from './venue-words.ts';

const STEP_MS = 20;
const ANSWER_MS = 60;
const RECONNECT_MS = 500;
const WAIT_AFTER_429_MS = 1_000;
const RETRY_MS = 250;
/** Of virtual time, after the last trade. */
const SETTLE_MS_MIN = 15_000;
const SETTLE_MS_MAX = 120_000;
const MICROSECONDS_PER_MILLISECOND = 1_000;

export interface SimulationOptions {
  readonly venue: Venue;
  readonly words: VenueWords;
  readonly capture: VenueCapture;
  readonly plan: FaultPlan;
  readonly draw: Draw;
  /** Added to our clock, milliseconds. */
  readonly clockSkewMs?: number;
  /** Frames about maintenance, sent now and then. */
  readonly notices?: readonly string[];
  /** While true, the venue neither accepts connections nor answers requests. */
  readonly isAway?: (step: number) => boolean;
}

/** One venue's stream, as it reaches a tape, and everything that happened on the way. */
export interface Simulated {
  /** By instrument. */
  readonly tape: ReadonlyMap<string, readonly (Trade | GivenUpGap)[]>;
  readonly refused: number;
  readonly connections: number;
  readonly requests: number;
  readonly notices: readonly VenueNotice[];
  readonly offsetUs: number | undefined;
}

/**
 * Plays a capture through a venue's contract and the code of live ingestion behind it, without sockets and in virtual
 * time: one frame each step, with a plan's faults of connections, frames and requests.
 */
export function simulate(options: SimulationOptions): Simulated {
  const simulation = new Simulation(options);
  return simulation.run();
}

interface Pending {
  readonly dueMs: number;
  readonly stream: InstrumentStream;
  readonly ask: PageRequest;
  readonly askedAtMs: number;
  readonly text: string;
}

class Simulation {
  private readonly options: SimulationOptions;
  private readonly streams = new Map<string, InstrumentStream>();
  private readonly tape = new Map<string, (Trade | GivenUpGap)[]>();
  private readonly shown: CapturedTrade[] = [];
  private readonly clockOffset = new ClockOffset();
  private readonly notices: VenueNotice[] = [];
  private nowMs = 1_000;
  private step = 0;
  private refused = 0;
  private connections = 0;
  private requests = 0;
  private state: 'down' | 'up' | 'half-open' | 'deaf' = 'down';
  private changeAtMs = 0;
  private frameOfConnection = 0;
  private held: { readonly afterFrame: number; readonly text: string }[] = [];
  private pending: Pending | undefined;
  private mayAskAtMs = 0;

  constructor(options: SimulationOptions) {
    this.options = options;
    const { venue, capture } = options;
    for (const symbol of new Set(capture.frames.flatMap(({ trades }) => trades.map((trade) => trade.symbol)))) {
      const instrument = venue.instrumentOf(symbol);
      if (instrument === undefined) throw new RangeError(`${venue.name} has no instrument for ${symbol}`);
      this.tape.set(instrument, []);
      this.streams.set(instrument, this.streamOf(instrument, symbol));
    }
  }

  run(): Simulated {
    const { frames, others } = this.options.capture;
    // Each market's first trade was there before anybody listened.
    const first = new Set<string>();
    const rest = frames.flatMap(({ trades, text }) => {
      const fresh = trades.filter(({ symbol }) => !first.has(symbol));
      if (fresh.length === 0) return [{ trades, text }];
      for (const { symbol } of trades) first.add(symbol);
      this.shown.push(...fresh.slice(0, 1));
      return trades.length === 1 ? [] : [{ trades: trades.slice(1), text: undefined }];
    });
    while ([...this.streams.values()].some(({ isStarted }) => !isStarted)) this.turn();
    for (const [index, { trades, text }] of rest.entries()) {
      this.shown.push(...trades);
      this.publish(trades, text ?? this.options.words.frame(trades));
      const other = others[index % Math.max(1, others.length)];
      if (other !== undefined) this.deliver(other);
      this.turn();
    }
    this.flush();
    // Long enough for a probe to show the last trades, which nothing else reveals.
    const [fromMs, untilMs] = [this.nowMs + SETTLE_MS_MIN, this.nowMs + SETTLE_MS_MAX];
    while (this.nowMs < fromMs || (this.nowMs < untilMs && !this.isSettled())) this.turn();
    const { tape, refused, connections, requests, notices, clockOffset } = this;
    return { tape, refused, connections, requests, notices, offsetUs: clockOffset.leastUs };
  }

  private streamOf(instrument: string, symbol: string): InstrumentStream {
    const { venue } = this.options;
    return new InstrumentStream({
      ...{ instrument, symbol, partition: 0, transport: 'stream', tradeIds: venue.tradeIds },
      pageTradesMax: venue.history.pageTradesMax,
      asksFrom: venue.facts.backfill === 'ALL',
      ...{ waitingMax: 2_000, resumeTradesMax: 500_000, timing: LIVE_TIMING, telemetry: NO_TELEMETRY },
      onRefused: () => {
        this.refused += 1;
      },
    });
  }

  private isSettled(): boolean {
    const streams = [...this.streams.values()];
    return this.state === 'up' && streams.every(({ isInSync, waiting }) => isInSync && waiting === 0);
  }

  private turn(): void {
    this.nowMs += STEP_MS;
    this.step += 1;
    this.connect();
    this.request();
    for (const [instrument, stream] of this.streams) {
      if (stream.next(this.nowMs).replaceConnection) this.end();
      stream.takeWithheld(this.nowMs);
      this.take(instrument, stream);
    }
    const notices = this.options.notices ?? [];
    if (notices.length > 0 && this.step % 40 === 0)
      this.deliver(oneOf(this.options.draw('notice', this.step), notices));
  }

  private connect(): void {
    const { plan, words, isAway } = this.options;
    if (this.state === 'half-open' && this.nowMs >= this.changeAtMs) this.end();
    if (this.state !== 'down' || this.nowMs < this.changeAtMs || isAway?.(this.step) === true) return;
    // As in reality: not before REST has shown where each instrument begins.
    if ([...this.streams.values()].some(({ isStarted }) => !isStarted)) return;
    this.connections += 1;
    if (plan.refusalOf(this.connections) !== undefined) {
      this.changeAtMs = this.nowMs + RECONNECT_MS;
      return;
    }
    this.state = 'up';
    this.frameOfConnection = 0;
    this.held = [];
    for (const stream of this.streams.values()) stream.connected(this.nowMs);
    for (const { options } of this.streams.values()) {
      const snapshot = words.snapshot?.(this.shown.filter(({ symbol }) => symbol === options.symbol));
      if (snapshot !== undefined) this.deliver(snapshot);
    }
  }

  private end(): void {
    this.state = 'down';
    this.held = [];
    this.changeAtMs = this.nowMs + RECONNECT_MS;
    for (const stream of this.streams.values()) stream.disconnected(this.nowMs);
  }

  private publish(trades: readonly CapturedTrade[], text: string): void {
    if (this.state !== 'up') return;
    const { plan, draw } = this.options;
    this.frameOfConnection += 1;
    const { dropped, delayFrames, repeatFrames, malformed } = plan.frame(this.connections, this.frameOfConnection);
    if (malformed !== undefined) this.deliver(spoiled(text, draw, this.step));
    if (!dropped && malformed?.place !== 'instead') this.send(text, delayFrames);
    if (repeatFrames !== undefined) this.send(text, delayFrames + repeatFrames);
    const due = this.held.filter(({ afterFrame }) => afterFrame <= this.frameOfConnection);
    this.held = this.held.filter(({ afterFrame }) => afterFrame > this.frameOfConnection);
    for (const each of due) this.deliver(each.text);
    const end = plan.endOf(this.connections);
    if (end === undefined || this.frameOfConnection < end.afterFrames) return;
    if (end.fault === 'half-open' || end.fault === 'deaf') {
      this.state = end.fault;
      this.changeAtMs = this.nowMs + LIVE_TIMING.silenceMs;
    } else this.end();
  }

  private send(text: string, delayFrames: number): void {
    if (delayFrames === 0) this.deliver(text);
    else this.held.push({ afterFrame: this.frameOfConnection + delayFrames, text });
  }

  private flush(): void {
    if (this.state === 'up') for (const { text } of this.held) this.deliver(text);
    this.held = [];
  }

  private deliver(text: string): void {
    if (this.state !== 'up') return;
    const routing = {
      ...{ venue: this.options.venue, streams: this.streams, telemetry: NO_TELEMETRY, clockOffset: this.clockOffset },
      onRefused: () => {
        this.refused += 1;
      },
      onAmendment: () => undefined,
      onNotice: (notice: VenueNotice) => {
        this.notices.push(notice);
      },
    };
    routeFrame(routing, text, this.wallUs(), this.nowMs);
  }

  /** Our clock, if it runs with the market of the capture. */
  private wallUs(): number {
    const marketUs = this.shown.at(-1)?.timeUs ?? 0;
    return marketUs + ((this.options.clockSkewMs ?? 0) + 5) * MICROSECONDS_PER_MILLISECOND;
  }

  private request(): void {
    const { pending } = this;
    if (pending !== undefined) {
      if (this.nowMs >= pending.dueMs) this.answer(pending);
      return;
    }
    if (this.options.isAway?.(this.step) === true) return;
    if (this.nowMs < this.mayAskAtMs) {
      for (const stream of this.streams.values()) stream.cannotAsk(this.nowMs);
      return;
    }
    const streams = [...this.streams.values()];
    for (let turn = 0; turn < streams.length; turn += 1) {
      const stream = streams[(this.requests + turn) % streams.length];
      const ask = stream?.next(this.nowMs).ask;
      if (stream === undefined || ask === undefined) continue;
      this.ask(stream, ask);
      return;
    }
  }

  private ask(stream: InstrumentStream, ask: PageRequest): void {
    const { venue, words, plan } = this.options;
    const { history } = venue;
    const { symbol } = stream.options;
    this.requests += 1;
    const from = ask.kind === 'from' ? history.from(symbol, ask.place, history.pageTradesMax) : undefined;
    const path = (from ?? history.newest(symbol, ask.kind === 'newest' ? ask.limit : history.pageTradesMax)).path;
    const wanted = words.request(new URL(path, 'http://exchange'));
    if (wanted === undefined) throw new RangeError(`the exchange has nothing at ${path}`);
    const askedAtMs = this.nowMs;
    stream.asked(ask, askedAtMs);
    const fault = plan.answerFaultOf(this.requests);
    if (fault === 'rate-limited' || fault === 'banned') {
      this.mayAskAtMs = this.nowMs + WAIT_AFTER_429_MS;
      return;
    }
    const ofSymbol = this.shown.filter((trade) => trade.symbol === symbol);
    const lag = fault === 'lagging-page' ? Math.min(ofSymbol.length - 1, whole(plan.shareOf(this.requests), 0, 3)) : 0;
    const page = pageOf(words, wanted, ofSymbol.slice(0, ofSymbol.length - lag));
    const holed = fault === 'page-with-holes' && page.length > 1 ? plan.withHole(this.requests, page) : page;
    const whole_ = words.page(wanted.symbol, holed);
    const text = fault === 'truncated-page' ? whole_.slice(0, whole_.length * plan.shareOf(this.requests)) : whole_;
    const isLost = fault === 'server-error' || fault === 'endless-answer';
    this.pending = { dueMs: this.nowMs + ANSWER_MS, stream, ask, askedAtMs, text: isLost ? '' : text };
  }

  private answer({ stream, ask, askedAtMs, text }: Pending): void {
    this.pending = undefined;
    const page = this.options.venue.history.parsePage(text, stream.options.symbol, this.wallUs());
    if (!isTrades(page)) {
      this.mayAskAtMs = this.nowMs + RETRY_MS;
      return;
    }
    const trades = page.flatMap((item) => (isAmendment(item) ? [] : [item]));
    stream.answered(ask, trades, { askedAtMs, askedAtWallMs: this.wallUs() / 1_000, nowMs: this.nowMs });
  }

  private take(instrument: string, stream: InstrumentStream): void {
    stream.advance(this.nowMs);
    for (let next = stream.next(this.nowMs).append; next !== undefined; next = stream.next(this.nowMs).append) {
      this.tape.get(instrument)?.push(next.kind === 'gap' ? next.gap : next.trade);
      stream.appended();
      stream.advance(this.nowMs);
    }
  }
}

/** Ways to spoil a frame so that no trade can be read from it. */
function spoiled(text: string, draw: Draw, step: number): string {
  const ways = ['', 'null', '[]', '['.repeat(5_000), text.slice(0, -5), text.replaceAll(/[\d.]{2,}/g, 'NaN')];
  return oneOf(draw('spoiled', step), ways);
}

/** A trade of the capture and its trade on the tape have the same line. */
export function lineOfCapture({ id, price, size, takerBuys, timeUs }: CapturedTrade): string {
  return `${id} ${Decimal.of(price).toString()} × ${Decimal.of(size).toString()} ${takerBuys ? 'BUY' : 'SELL'} at ${timeUs}`;
}

export function lineOfTrade({ tradeId, price, size, side, eventTime }: Trade): string {
  return `${tradeId} ${price.toString()} × ${size.toString()} ${side} at ${eventTime}`;
}
