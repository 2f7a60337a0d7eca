import type { Trade } from '../../contracts/generated/events.ts';
import { isRefusedTrade, type Period, type RefusedTrade } from '../venue.ts';
import { DenseReorderBuffer } from './dense-reorder-buffer.ts';
import { GapTracker, type GapTiming } from './gap.ts';
import { HoleFilling } from './hole-filling.ts';
import { Liveness } from './liveness.ts';
import { OpaqueReorderBuffer } from './opaque-reorder-buffer.ts';
import { wantedPage, type PageOptions, type PageRequest, type StreamState } from './wanted-page.ts';
import type { HeldByTape, Offered, Released, ReorderBuffer } from './reorder-buffer.ts';
import { refusedFor, RefusedTrades } from './refused-trades.ts';
import { REACH, SequenceCheck } from './sequence-check.ts';
import { TearDeadline } from './tear-deadline.ts';
import type { LiveTelemetry, TradeOrigin } from './telemetry.ts';
import type { LiveTiming } from './timing.ts';

const MICROSECONDS_PER_MILLISECOND = 1_000;

/**
 * The actions due for an instrument now. The answer stays the same until an action is reported done by the command
 * named.
 */
export interface NextActions {
  /** Append to the tape: {@link InstrumentStream.appended}. */
  readonly append: Released | undefined;
  /** Request by REST: {@link InstrumentStream.asked}, then {@link InstrumentStream.answered}. */
  readonly ask: PageRequest | undefined;
  /** Open another connection, because this one withholds trades: {@link InstrumentStream.takeWithheld}. */
  readonly replaceConnection: boolean;
}

/** When a request was sent and answered; the wall clock's milliseconds are since 1970. */
export interface AnswerTimes {
  readonly askedAtMs: number;
  readonly askedAtWallMs: number;
  readonly nowMs: number;
}

export interface InstrumentStreamOptions extends PageOptions {
  /** `BTC-USDT@binance`. */
  readonly instrument: string;
  readonly symbol: string;
  readonly partition: number;
  /** Whether the venue serves the trades of a period; omitted where it does not. */
  readonly asksSince?: boolean;
  readonly resumeTradesMax: number;
  readonly timing: GapTiming &
    Pick<LiveTiming, 'pollIntervalMs' | 'probeAfterMs' | 'probeGraceMs' | 'subscriptionGraceMs'>;
  readonly telemetry: LiveTelemetry;
  /** Keeps refused trades and frames. */
  readonly onRefused: (refused: RefusedTrade, nowMs: number) => void;
}

/**
 * One instrument's trades from the venue to the tape: a reorder buffer puts them in order, a gap is requested or given
 * up, liveness states up to when everything is known. Commands report what happened; properties and `next` are
 * questions and change nothing. Pure: the time comes with each call, in milliseconds of a clock that never goes back.
 */
export class InstrumentStream {
  readonly options: InstrumentStreamOptions;
  private readonly buffer: ReorderBuffer;
  /** The same buffer where ids are opaque. */
  private readonly opaque: OpaqueReorderBuffer | undefined;
  private readonly gaps: GapTracker;
  private readonly liveness: Liveness;
  private readonly tearing: TearDeadline;
  private readonly sequenceCheck = new SequenceCheck();
  private readonly refused: RefusedTrades;
  private readonly filling: HoleFilling;
  /** What decides the next page. */
  private readonly paging: StreamState & { pollAgainAtMs: number; newestByRest: Trade | undefined };

  constructor(options: InstrumentStreamOptions) {
    this.options = options;
    const { instrument, tradeIds, waitingMax, timing, telemetry, resumeTradesMax } = options;
    this.opaque = tradeIds === 'OPAQUE' ? new OpaqueReorderBuffer(waitingMax) : undefined;
    this.buffer = this.opaque ?? new DenseReorderBuffer(waitingMax);
    this.refused = new RefusedTrades(options, this.buffer, this.sequenceCheck);
    this.tearing = new TearDeadline(timing);
    this.filling = new HoleFilling(resumeTradesMax, timing.gapRetryMs);
    this.gaps = new GapTracker({ instrument, missingMax: resumeTradesMax, timing, telemetry });
    this.liveness = new Liveness(timing);
    const { buffer, opaque, gaps, liveness, sequenceCheck, filling } = this;
    this.paging = {
      ...{ options, buffer, opaque, gaps, liveness, sequenceCheck, filling },
      ...{ pollAgainAtMs: 0, newestByRest: undefined },
    };
  }

  get waiting(): number {
    return this.buffer.waiting;
  }

  get isStarted(): boolean {
    return this.buffer.isStarted;
  }

  /** Whether everything that the venue is known to have published is here or on its way to Kafka. */
  get isInSync(): boolean {
    const isComplete = this.isStarted && this.buffer.missing === undefined;
    return isComplete && this.liveness.headIsKnown && !this.liveness.isInDoubt && !this.sequenceCheck.isInDoubt;
  }

  get missingTrades(): number {
    const { missing } = this.buffer;
    return missing === undefined ? 0 : missing.last - missing.first + 1;
  }

  /**
   * The time (milliseconds since 1970) up to which this instrument is complete once the released trades are on the
   * tape; undefined while it is not in sync.
   */
  get completeUntilMs(): number | undefined {
    return this.isInSync && this.waiting === 0 ? this.liveness.knownUntilMs : undefined;
  }

  /**
   * The venue's newest trade if its id is far below the tape's and yet it is later: another venue or environment than
   * the tape's answers, or its numbering restarted.
   */
  get foreignNewest(): Trade | undefined {
    // Those waiting may be far ahead of what REST showed, where there was no room for trades between them.
    const { nextToRelease, lastTime } = this.buffer;
    const { newestByRest: newest } = this.paging;
    if (newest === undefined || nextToRelease === undefined || lastTime === null) return undefined;
    const isFarBelow = Number(newest.tradeId) + REACH < nextToRelease;
    return isFarBelow && newest.eventTime > lastTime ? newest : undefined;
  }

  /** The actions due now; asking twice gives the same answer. */
  next(nowMs: number): NextActions {
    const overdue = this.liveness.overdue(nowMs);
    return {
      append: this.buffer.first,
      ask: wantedPage(this.paging, nowMs),
      replaceConnection: overdue?.some(({ tradeId }) => !this.buffer.hasHeard(tradeId)) === true,
    };
  }

  /** Continues after the end of the tape; see {@link ReorderBuffer.resume}. */
  resume(held: HeldByTape | undefined): void {
    this.gaps.forget();
    this.buffer.resume(held);
    // Where ids are opaque, only a page shows what is missing after the tape's end.
    if (this.opaque?.isTorn === true) this.liveness.headIsKnown = false;
    if (held?.lastId !== undefined) this.sequenceCheck.know(held.lastId);
  }

  /** Begins with the first trade that arrives, because REST shows none. */
  beginWithAny(): void {
    if (!this.isStarted) this.buffer.begin(undefined);
  }

  /** A connection delivers from now on. */
  connected(nowMs: number): void {
    this.liveness.connected(nowMs);
    this.mayHaveMissed(nowMs);
  }

  disconnected(nowMs: number): void {
    this.liveness.disconnected();
    this.mayHaveMissed(nowMs);
  }

  /** A trade may have passed unnoticed: where ids are opaque, a page of the newest decides. */
  mayHaveMissed(nowMs: number): void {
    if (this.opaque === undefined) return;
    this.tearing.torn(nowMs, this.opaque.isTorn);
    this.opaque.tear();
    this.liveness.headIsKnown = false;
  }

  /** A trade arrived from the connection. */
  received(item: Trade | RefusedTrade, nowMs: number): void {
    if (isRefusedTrade(item)) {
      if (this.refused.byStream(item, nowMs)) this.mayHaveMissed(nowMs);
      return;
    }
    const { liveness, sequenceCheck } = this;
    const isDense = this.options.tradeIds === 'DENSE';
    if (isDense && sequenceCheck.isFar(item.tradeId)) {
      sequenceCheck.doubt(item);
      return;
    }
    liveness.heard(nowMs);
    // With dense ids one trade shows which trades are missing before it.
    if (isDense && liveness.isConnected) liveness.headIsKnown = true;
    // Not its receipt: a late trade may be followed by more.
    liveness.proven(item.eventTime / MICROSECONDS_PER_MILLISECOND);
    if (this.offer(item, 'stream') !== 'FORGOTTEN') return;
    // Where ids are opaque, a trade without room is lost unless a page shows it.
    if (this.options.asksSince !== true) this.opaque?.giveUp('NO_ANSWER');
    this.mayHaveMissed(nowMs);
  }

  /** `next.ask` was sent. */
  asked(request: PageRequest, nowMs: number): void {
    if (request.urgent && this.gaps.open?.isToBeAsked(nowMs) === true) this.gaps.report();
  }

  /** The venue forbids requests for now: that time counts against no gap, within a bound. */
  cannotAsk(nowMs: number): void {
    this.gaps.cannotAsk(nowMs);
    this.tearing.cannotAsk(nowMs);
  }

  /** A page arrived for a request. @param pageToken by which the venue goes on after a page of a period */
  answered(
    request: PageRequest,
    page: readonly (Trade | RefusedTrade)[],
    times: AnswerTimes,
    pageToken?: string,
  ): void {
    const { askedAtMs, askedAtWallMs, nowMs } = times;
    if (request.kind === 'since') {
      this.filled(request.period, page, pageToken, nowMs);
      return;
    }
    const { transport } = this.options;
    if (request.kind === 'newest') this.newestShown(page, nowMs);
    if (!this.isStarted) this.beginWithNewest(page);
    else if (this.isProbe(request)) this.probed(page, nowMs);
    else this.take(page, this.isWholePage(askedAtMs), nowMs);
    const isFull = request.kind === 'from' && page.length >= this.options.pageTradesMax;
    this.paging.pollAgainAtMs = isFull ? nowMs : nowMs + this.options.timing.pollIntervalMs;
    // Until the hole before it is filled, a page proves nothing.
    if (this.opaque?.holeAfterUs !== undefined) return;
    // A full page may be followed by more.
    const isPolled = transport === 'poll' && !isFull;
    if (isPolled || (request.kind === 'newest' && this.showsHead(askedAtMs))) {
      this.liveness.headIsKnown = true;
      this.liveness.proven(askedAtWallMs);
    }
    if (request.kind === 'from') this.gaps.open?.judge(request.place.firstTradeId, page, nowMs);
  }

  /** The venue refuses to show the trades of a period. */
  cannotFill(): void {
    this.opaque?.giveUp('NOT_SERVED');
  }

  /** Takes from REST's answer the trades that the connection withheld too long. */
  takeWithheld(nowMs: number): void {
    const overdue = this.liveness.overdue(nowMs);
    if (overdue === undefined) return;
    this.liveness.settled();
    const withheld = overdue.filter(({ tradeId }) => !this.buffer.hasHeard(tradeId));
    for (const trade of withheld) this.offer(trade, 'history');
  }

  /** Time passes: opens, follows, gives up and closes gaps. Call it before and after taking `next.append`. */
  advance(nowMs: number): void {
    const { buffer, gaps } = this;
    buffer.passRefused();
    if (this.opaque?.isTorn === true && this.tearing.isOver(nowMs)) this.opaque.giveUp('NO_ANSWER');
    // Trades missing after that are known once it is released.
    if (buffer.isReady) return;
    gaps.follow(buffer.missing, nowMs);
    const reason = gaps.hopeless(nowMs);
    if (reason === undefined || buffer.giveUp(reason) === undefined) return;
    gaps.report();
    gaps.forget();
  }

  /** A trade's new id after a correction: if REST shows a trade with it, that is no further trade. */
  renamed(tradeId: string): void {
    this.buffer.account(tradeId);
  }

  /** `next.append` was taken. */
  appended(): void {
    this.buffer.drop();
  }

  /** Whether a page requested then shows everything that was published until a connection delivers. */
  private isWholePage(askedAtMs: number): boolean {
    const isLater = this.options.transport === 'poll' || this.liveness.wasConnectedAt(askedAtMs);
    return isLater && this.tearing.isCoveredBy(askedAtMs);
  }

  /** Where ids are opaque, the venue must surely have had our subscription. */
  private showsHead(askedAtMs: number): boolean {
    if (this.opaque === undefined) return this.liveness.wasConnectedAt(askedAtMs);
    const { subscriptionGraceMs } = this.options.timing;
    return this.tearing.isCoveredBy(askedAtMs) && this.liveness.hasBeenConnectedFor(subscriptionGraceMs, askedAtMs);
  }

  private offer(trade: Trade, origin: TradeOrigin): Offered {
    const { telemetry, instrument } = this.options;
    this.sequenceCheck.know(trade.tradeId);
    const offered = this.buffer.offer(trade, origin);
    if (offered === 'DUPLICATE') telemetry({ kind: 'duplicate', instrument, origin });
    else if (offered === 'FORGOTTEN') telemetry({ kind: 'forgotten', instrument });
    else if (offered === 'LATE') telemetry({ kind: 'late-trade', instrument });
    else this.refused.arrived(trade.tradeId);
    return offered;
  }

  private newestShown(page: readonly (Trade | RefusedTrade)[], nowMs: number): void {
    const newest = page.at(-1);
    if (newest === undefined || newest.tradeId === undefined) return;
    if (!isRefusedTrade(newest)) this.paging.newestByRest = newest;
    this.sequenceCheck.know(newest.tradeId);
    const impossible = this.sequenceCheck.settle(nowMs, this.options.timing.probeAfterMs);
    if (impossible !== undefined) this.options.onRefused(refusedFor(impossible, newest.tradeId), nowMs);
  }

  private take(page: readonly (Trade | RefusedTrade)[], isWhole: boolean, nowMs: number): void {
    this.opaque?.mend(page, isWhole, this.options.asksSince);
    if (this.opaque?.holeAfterUs !== undefined) this.filling.begin();
    this.tearing.progressed(nowMs);
    for (const item of page) {
      if (isRefusedTrade(item)) this.refused.byHistory(item, nowMs);
      else if (this.opaque === undefined) this.offer(item, 'history');
    }
  }

  /** A page of what is missing before the trades that wait. */
  private filled(
    period: Period,
    page: readonly (Trade | RefusedTrade)[],
    pageToken: string | undefined,
    nowMs: number,
  ) {
    const { opaque } = this;
    // Meanwhile it may have been given up.
    if (opaque?.holeAfterUs === undefined) return;
    const filled = opaque.fill(page, period.pageToken !== undefined);
    if (filled !== 'NOTHING') this.tearing.progressed(nowMs);
    for (const item of page) if (isRefusedTrade(item)) this.refused.byHistory(item, nowMs);
    const hopeless = this.filling.answered(filled, page.length, pageToken, nowMs);
    if (hopeless !== undefined) opaque.giveUp(hopeless);
  }

  private beginWithNewest(page: readonly (Trade | RefusedTrade)[]): void {
    const newest = page.at(-1);
    if (newest !== undefined && newest.tradeId === undefined) return;
    // Trades before the beginning are known and not wanted.
    for (const { tradeId } of page.slice(0, -1)) if (tradeId !== undefined) this.buffer.account(tradeId);
    this.buffer.begin(newest?.tradeId);
    if (newest?.tradeId === undefined) return;
    if (isRefusedTrade(newest)) this.buffer.account(newest.tradeId);
    else this.offer(newest, 'history');
  }

  /** Whether to request a page to check if the connection withholds trades. */
  private isProbe(request: PageRequest): boolean {
    return request.kind === 'newest' && !request.urgent && this.options.transport === 'stream';
  }

  private probed(page: readonly (Trade | RefusedTrade)[], nowMs: number): void {
    this.liveness.heard(nowMs);
    const trades: Trade[] = [];
    for (const item of page) {
      if (isRefusedTrade(item)) this.refused.byHistory(item, nowMs);
      else if (!this.buffer.hasHeard(item.tradeId)) trades.push(item);
    }
    this.liveness.shown(trades, nowMs);
  }
}
