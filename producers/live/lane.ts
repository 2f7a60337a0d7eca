import type { Trade } from '../../contracts/generated/events.ts';
import { isRefusedTrade, type HistoryPlace, type RefusedTrade } from '../venue.ts';
import { DenseSequencer } from './dense-sequencer.ts';
import { FarIds, REACH } from './far-ids.ts';
import type { LiveObserver, TradeOrigin } from './observer.ts';
import { OpaqueSequencer } from './opaque-sequencer.ts';
import { PendingGap, type GapTiming } from './pending-gap.ts';
import type { HeldByTape, Missing, Released, Sequencer } from './sequencer.ts';
import type { LiveTiming } from './timing.ts';

const MICROSECONDS_PER_MILLISECOND = 1_000;
/** Refused ids remembered, so that REST's refusal of the same trade is no second dead letter. */
const REFUSED_IDS_MAX = 1_000;

/** What is to be asked by REST. `urgent`: trades wait for it. */
export type Need =
  | { readonly kind: 'newest'; readonly limit: number; readonly urgent: boolean }
  | { readonly kind: 'from'; readonly place: HistoryPlace; readonly urgent: boolean };

/** When a request was sent and answered; the wall clock's milliseconds are since 1970. */
export interface AnswerTimes {
  readonly askedAtMs: number;
  readonly askedAtWallMs: number;
  readonly nowMs: number;
}

export interface LaneOptions {
  /** `BTC-USDT@binance`. */
  readonly instrument: string;
  readonly symbol: string;
  readonly partition: number;
  readonly transport: 'stream' | 'poll';
  readonly tradeIds: 'DENSE' | 'OPAQUE';
  readonly pageTradesMax: number;
  /** Whether the venue can be asked from an id on. */
  readonly asksFrom: boolean;
  readonly waitingMax: number;
  readonly resumeTradesMax: number;
  readonly timing: GapTiming & Pick<LiveTiming, 'pollIntervalMs' | 'probeAfterMs' | 'probeGraceMs'>;
  readonly observer: LiveObserver;
  /** Keeps what was refused. */
  readonly onRefused: (refused: RefusedTrade, nowMs: number) => void;
}

/**
 * One instrument: what it waits for, what it asks for, and whether it is in sync. Pure: the time comes with each call,
 * in milliseconds of a clock that never goes back.
 */
export class Lane {
  readonly options: LaneOptions;
  private readonly sequencer: Sequencer;
  private gap: PendingGap | undefined;
  private gapIsAnnounced = false;
  /** Whether everything up to now is known to be here or known to be missing. */
  private headIsKnown = false;
  /** Milliseconds since 1970: up to when that was so. */
  private headAtMs: number | undefined;
  private connectedSinceMs: number | undefined;
  private heardAtMs = 0;
  /** Trades that REST showed and the stream has not delivered yet. */
  private shown: { readonly trades: readonly Trade[]; readonly dueMs: number } | undefined;
  private pollAgainAtMs = 0;
  private readonly refusedIds = new Set<string>();
  private readonly farIds: FarIds;
  private newestByRest: Trade | undefined;

  constructor(options: LaneOptions) {
    this.options = options;
    const { tradeIds, waitingMax } = options;
    this.farIds = new FarIds();
    this.sequencer = tradeIds === 'DENSE' ? new DenseSequencer(waitingMax) : new OpaqueSequencer(waitingMax);
  }

  get waiting(): number {
    return this.sequencer.waiting;
  }

  get isStarted(): boolean {
    return this.sequencer.isStarted;
  }

  /** Whether all that the venue has published is here or on its way to Kafka, as far as anybody can tell. */
  get isInSync(): boolean {
    const isComplete = this.isStarted && this.sequencer.missing() === undefined;
    return isComplete && this.headIsKnown && this.shown === undefined && !this.farIds.isInDoubt;
  }

  get missingTrades(): number {
    const missing = this.sequencer.missing();
    return missing === undefined ? 0 : missing.last - missing.first + 1;
  }

  /** Goes on behind what the tape holds; see {@link Sequencer.resume}. */
  resume(held: HeldByTape | undefined): void {
    this.gap = undefined;
    this.sequencer.resume(held);
    if (held?.lastId !== undefined) this.farIds.know(held.lastId);
  }

  /**
   * The venue's newest trade where it has a far lower id than the tape and is later all the same: another venue or
   * environment answers than the one that the tape is of, or it numbers anew.
   */
  get foreignNewest(): Trade | undefined {
    const { nextId, lastTime } = this.sequencer;
    const { newestByRest: newest } = this;
    if (this.options.tradeIds !== 'DENSE' || newest === undefined || nextId === undefined || lastTime === null)
      return undefined;
    const isFarBelow = Number(newest.tradeId) + REACH < nextId;
    return isFarBelow && newest.eventTime > lastTime ? newest : undefined;
  }

  /** The venue forbids to ask for now: that counts against no gap, within a bound. */
  cannotAsk(nowMs: number): void {
    this.gap?.cannotAsk(nowMs);
  }

  /** Begins with the first trade that comes, because REST does not tell one. */
  beginWithAny(): void {
    if (!this.isStarted) this.sequencer.begin(undefined);
  }

  /** A connection delivers from now on. */
  connected(nowMs: number): void {
    this.disconnected();
    this.connectedSinceMs = nowMs;
    this.heardAtMs = nowMs;
  }

  /** What came meanwhile is not known to be here until a trade or REST tells the head. */
  disconnected(): void {
    this.connectedSinceMs = undefined;
    this.headIsKnown = false;
    this.shown = undefined;
  }

  /** A trade from the stream. */
  fromStream(item: Trade | RefusedTrade, nowMs: number): void {
    if (isRefusedTrade(item)) {
      this.refusedByStream(item, nowMs);
      return;
    }
    if (this.options.tradeIds === 'DENSE' && this.farIds.isFar(item.tradeId)) {
      this.farIds.doubt(item);
      return;
    }
    this.heardAtMs = nowMs;
    // With dense ids one trade tells what is missing before it.
    if (this.options.tradeIds === 'DENSE' && this.connectedSinceMs !== undefined) this.headIsKnown = true;
    // Not its receipt: what comes late may have more behind it.
    this.knownUntil(item.eventTime / MICROSECONDS_PER_MILLISECOND);
    this.offer(item, 'stream');
  }

  /** What is to be asked now, if anything. */
  need(nowMs: number): Need | undefined {
    const { transport, pageTradesMax, tradeIds, timing, waitingMax } = this.options;
    // Where ids are dense one trade tells all; elsewhere a page is the only way to what was missed.
    const limit = tradeIds === 'DENSE' ? 1 : pageTradesMax;
    if (!this.isStarted) return { kind: 'newest', limit, urgent: true };
    if (this.farIds.mustAsk(nowMs)) return { kind: 'newest', limit, urgent: true };
    if (this.gap !== undefined) {
      const isDue = this.gap.isToBeAsked(nowMs) && !this.sequencer.isReady;
      return isDue ? this.needFor(this.gap) : undefined;
    }
    if (this.waiting >= waitingMax) return undefined;
    if (transport === 'poll') return nowMs >= this.pollAgainAtMs ? this.needForPoll() : undefined;
    if (this.connectedSinceMs === undefined || this.shown !== undefined) return undefined;
    if (!this.headIsKnown) return { kind: 'newest', limit, urgent: true };
    if (nowMs - this.heardAtMs < timing.probeAfterMs) return undefined;
    return { kind: 'newest', limit, urgent: false };
  }

  answered(need: Need, page: readonly (Trade | RefusedTrade)[], times: AnswerTimes): void {
    const { askedAtMs, askedAtWallMs, nowMs } = times;
    if (need.kind === 'newest') this.newestTold(page, nowMs);
    if (!this.isStarted) this.beginWithNewest(page);
    else if (this.isProbe(need)) this.probed(page, nowMs);
    else this.take(page, nowMs);
    const isPolled = this.options.transport === 'poll' && this.reachedHead(need, page, nowMs);
    const isAsked = need.kind === 'newest' && (this.connectedSinceMs ?? Infinity) <= askedAtMs;
    if (isPolled || isAsked) {
      this.headIsKnown = true;
      this.knownUntil(askedAtWallMs);
    }
    if (need.kind === 'from') this.gap?.judge(need.place.firstTradeId, page, nowMs);
  }

  /** Whether the stream kept from us what REST showed; its trades are taken from REST then. */
  foundDeaf(nowMs: number): boolean {
    if (this.shown === undefined || nowMs < this.shown.dueMs) return false;
    const { trades } = this.shown;
    this.shown = undefined;
    const kept = trades.filter(({ tradeId }) => !this.sequencer.hasHeard(tradeId));
    for (const trade of kept) this.offer(trade, 'history');
    return kept.length > 0;
  }

  /** Opens, follows, gives up and closes gaps; to be called whenever something came or went on, and from time to time. */
  review(nowMs: number): void {
    // What is missing behind that is known when it has gone on.
    if (this.sequencer.isReady) return;
    const missing = this.sequencer.missing();
    if (this.gap !== undefined && (missing === undefined || missing.first > this.gap.left.last)) {
      this.closeGap(this.gap, nowMs);
    }
    if (missing === undefined) return;
    const { resumeTradesMax, timing } = this.options;
    if (this.gap === undefined) this.openGap(new PendingGap(missing, timing, nowMs));
    else this.gap.follow(missing, nowMs);
    if (missing.last - missing.first + 1 > resumeTradesMax) this.giveUp('BEYOND_LIMIT', missing);
    else {
      const reason = this.gap?.hopeless(nowMs);
      if (reason !== undefined) this.giveUp(reason, missing);
    }
  }

  /** The next that may go on to the tape. */
  next(): Released | undefined {
    return this.sequencer.take();
  }

  /**
   * Up to when (milliseconds since 1970) this instrument is complete once what was released is on the tape; undefined
   * while it is not in sync. A trade or an answer of REST is the only proof: a connection may live and withhold trades.
   */
  get completeUntilMs(): number | undefined {
    return this.isInSync && this.waiting === 0 ? this.headAtMs : undefined;
  }

  private offer(trade: Trade, origin: TradeOrigin): void {
    const { observer, instrument } = this.options;
    this.farIds.know(trade.tradeId);
    const offered = this.sequencer.offer(trade, origin);
    if (offered === 'DUPLICATE') observer.duplicate({ instrument, origin });
    else if (offered === 'FORGOTTEN') observer.forgotten({ instrument });
    else if (offered === 'LATE') observer.lateTrade({ instrument });
    else if (this.refusedIds.size > 0) this.refusedIds.delete(trade.tradeId);
  }

  /** REST has the last word: a trade whose frame is refused is missing until REST serves it, or its page is refused too. */
  private refusedByStream(item: RefusedTrade, nowMs: number): void {
    const { tradeId } = item;
    if (tradeId !== undefined) {
      if (this.refusedIds.has(tradeId)) return;
      this.rememberRefused(tradeId);
      // What is wrong in a frame may be its id.
      if (!this.farIds.isFar(tradeId, this.options.pageTradesMax)) this.sequencer.hear(tradeId);
    }
    this.options.onRefused(item, nowMs);
  }

  private newestTold(page: readonly (Trade | RefusedTrade)[], nowMs: number): void {
    const newest = page.at(-1);
    if (newest === undefined || newest.tradeId === undefined) return;
    if (!isRefusedTrade(newest)) this.newestByRest = newest;
    this.farIds.know(newest.tradeId);
    const impossible = this.farIds.settle(nowMs, this.options.timing.probeAfterMs);
    if (impossible !== undefined) this.options.onRefused(refusedFor(impossible, newest.tradeId), nowMs);
  }

  private refusedByHistory(item: RefusedTrade, nowMs: number): void {
    const { tradeId } = item;
    const isNews = tradeId === undefined || this.sequencer.account(tradeId);
    const isToldAlready = tradeId !== undefined && this.refusedIds.delete(tradeId);
    if (isNews && !isToldAlready) this.options.onRefused(item, nowMs);
  }

  private rememberRefused(tradeId: string): void {
    if (this.refusedIds.size >= REFUSED_IDS_MAX) this.refusedIds.clear();
    this.refusedIds.add(tradeId);
  }

  private take(page: readonly (Trade | RefusedTrade)[], nowMs: number): void {
    for (const item of page) {
      if (isRefusedTrade(item)) this.refusedByHistory(item, nowMs);
      else this.offer(item, 'history');
    }
  }

  private beginWithNewest(page: readonly (Trade | RefusedTrade)[]): void {
    const newest = page.at(-1);
    if (newest !== undefined && newest.tradeId === undefined) return;
    // What came before the beginning is known and not wanted.
    for (const { tradeId } of page.slice(0, -1)) if (tradeId !== undefined) this.sequencer.account(tradeId);
    this.sequencer.begin(newest?.tradeId);
    if (newest?.tradeId === undefined) return;
    if (isRefusedTrade(newest)) this.sequencer.account(newest.tradeId);
    else this.offer(newest, 'history');
  }

  private isProbe(need: Need): boolean {
    return need.kind === 'newest' && !need.urgent && this.options.transport === 'stream';
  }

  private probed(page: readonly (Trade | RefusedTrade)[], nowMs: number): void {
    this.heardAtMs = nowMs;
    const trades: Trade[] = [];
    for (const item of page) {
      if (isRefusedTrade(item)) this.refusedByHistory(item, nowMs);
      else if (!this.sequencer.hasHeard(item.tradeId)) trades.push(item);
    }
    if (trades.length > 0) this.shown = { trades, dueMs: nowMs + this.options.timing.probeGraceMs };
  }

  private knownUntil(timeMs: number): void {
    this.headAtMs = Math.max(this.headAtMs ?? 0, timeMs);
  }

  /** Whether a poll came to the end of what there is; a full page did not. */
  private reachedHead(need: Need, page: readonly unknown[], nowMs: number): boolean {
    const { pageTradesMax, timing } = this.options;
    const isFull = need.kind === 'from' && page.length >= pageTradesMax;
    this.pollAgainAtMs = isFull ? nowMs : nowMs + timing.pollIntervalMs;
    return !isFull;
  }

  private needFor(gap: PendingGap): Need {
    this.announce(gap.left);
    const { asksFrom, pageTradesMax } = this.options;
    if (!asksFrom) return { kind: 'newest', limit: pageTradesMax, urgent: true };
    const place = { firstTradeId: gap.left.first, afterTimeUs: this.sequencer.lastTime };
    return { kind: 'from', place, urgent: true };
  }

  private needForPoll(): Need {
    const { asksFrom, pageTradesMax, tradeIds } = this.options;
    const firstTradeId = this.sequencer.nextId;
    // Once, to know that what answers is what the tape is of.
    if (tradeIds === 'DENSE' && this.newestByRest === undefined) return { kind: 'newest', limit: 1, urgent: false };
    if (!asksFrom || firstTradeId === undefined) return { kind: 'newest', limit: pageTradesMax, urgent: false };
    return { kind: 'from', place: { firstTradeId, afterTimeUs: this.sequencer.lastTime }, urgent: false };
  }

  private openGap(gap: PendingGap): void {
    this.gap = gap;
    this.gapIsAnnounced = false;
  }

  private closeGap(gap: PendingGap, nowMs: number): void {
    const { observer, instrument } = this.options;
    if (this.gapIsAnnounced) observer.gapFilled({ instrument, missing: gap.missing, openMs: nowMs - gap.openedAtMs });
    this.gap = undefined;
  }

  private giveUp(reason: 'BEYOND_LIMIT' | 'NOT_SERVED' | 'NO_ANSWER', missing: Missing): void {
    if (this.sequencer.giveUp(reason) === undefined) return;
    this.announce(missing);
    this.gap = undefined;
  }

  private announce({ first, last }: Missing): void {
    if (this.gapIsAnnounced) return;
    this.gapIsAnnounced = true;
    const { observer, instrument } = this.options;
    observer.gapOpened({
      instrument,
      firstTradeId: String(first),
      lastTradeId: String(last),
      missing: last - first + 1,
    });
  }
}

function refusedFor(trade: Trade, newestId: string): RefusedTrade {
  const { instrument, tradeId, price, size, eventTime } = trade;
  return {
    refusal: {
      reason: 'TRADE_ID_MALFORMED',
      detail: `the trade id ${tradeId} is far beyond ${newestId}, that of the venue's newest trade`,
    },
    instrument,
    tradeId,
    text: JSON.stringify({ instrument, tradeId, price: price.toString(), size: size.toString(), eventTime }),
  };
}
