import type { Trade } from '../../contracts/generated/events.ts';
import type { BackfillStart, Period } from '../venue.ts';
import type { GapTracker } from './gap.ts';
import type { HoleFilling } from './hole-filling.ts';
import type { Liveness } from './liveness.ts';
import type { OpaqueReorderBuffer } from './opaque-reorder-buffer.ts';
import type { ReorderBuffer } from './reorder-buffer.ts';
import type { SequenceCheck } from './sequence-check.ts';
import type { LiveTiming } from './timing.ts';

/** A page to request by REST. `urgent`: trades wait for it. */
export type PageRequest =
  | { readonly kind: 'newest'; readonly limit: number; readonly urgent: boolean }
  | { readonly kind: 'from'; readonly place: BackfillStart; readonly urgent: boolean }
  | { readonly kind: 'since'; readonly period: Period; readonly urgent: true };

/** What a venue's pages are like, and what this process makes of them. */
export interface PageOptions {
  readonly transport: 'stream' | 'poll';
  readonly tradeIds: 'DENSE' | 'OPAQUE';
  readonly pageTradesMax: number;
  /** Whether the venue serves trades from an id on. */
  readonly asksFrom: boolean;
  readonly waitingMax: number;
  readonly timing: Pick<LiveTiming, 'subscriptionGraceMs'>;
}

/** What decides which page an instrument needs. */
export interface StreamState {
  readonly options: PageOptions;
  readonly buffer: ReorderBuffer;
  /** The same buffer where ids are opaque. */
  readonly opaque: OpaqueReorderBuffer | undefined;
  readonly gaps: GapTracker;
  readonly liveness: Liveness;
  readonly sequenceCheck: SequenceCheck;
  readonly filling: HoleFilling;
  readonly pollAgainAtMs: number;
  /** The venue's newest trade; undefined before a page showed it. */
  readonly newestByRest: Trade | undefined;
}

/** The page that an instrument needs now, the most urgent one; it changes nothing. */
export function wantedPage(state: StreamState, nowMs: number): PageRequest | undefined {
  const { buffer, opaque, gaps, liveness, sequenceCheck, filling, pollAgainAtMs } = state;
  const { transport, pageTradesMax, tradeIds, waitingMax } = state.options;
  // Where ids are dense one trade shows everything missing; elsewhere only a page can show what was missed.
  const limit = tradeIds === 'DENSE' ? 1 : pageTradesMax;
  if (!buffer.isStarted || sequenceCheck.mustAsk(nowMs)) return { kind: 'newest', limit, urgent: true };
  const gap = gaps.open;
  if (gap !== undefined) {
    const isDue = gap.isToBeAsked(nowMs) && !buffer.isReady;
    return isDue ? pageOfGap(state, gap.left.first) : undefined;
  }
  const holeAfterUs = opaque?.holeAfterUs;
  if (holeAfterUs !== undefined) {
    const period = buffer.isReady ? undefined : filling.wanted(holeAfterUs, nowMs);
    return period === undefined ? undefined : { kind: 'since', period, urgent: true };
  }
  if (buffer.waiting >= waitingMax && opaque?.isTorn !== true) return undefined;
  if (transport === 'poll') return nowMs >= pollAgainAtMs ? pageOfPoll(state) : undefined;
  if (opaque !== undefined && !liveness.isConnected) {
    // Pages of the newest trades may not reach back once the connection is up again.
    return nowMs >= pollAgainAtMs ? { kind: 'newest', limit, urgent: true } : undefined;
  }
  if (!liveness.isConnected || liveness.isInDoubt) return undefined;
  if (!liveness.headIsKnown) return pageAfterTear(state, limit, nowMs);
  return liveness.isSilent(nowMs) ? { kind: 'newest', limit, urgent: false } : undefined;
}

/** At once, and where ids are opaque, again when the venue surely has our subscription. */
function pageAfterTear({ opaque, liveness, options }: StreamState, limit: number, nowMs: number) {
  const isDue = opaque?.isTorn !== false || liveness.hasBeenConnectedFor(options.timing.subscriptionGraceMs, nowMs);
  return isDue ? ({ kind: 'newest', limit, urgent: true } as const) : undefined;
}

function pageOfGap({ options, buffer }: StreamState, firstTradeId: number): PageRequest {
  const { asksFrom, pageTradesMax } = options;
  if (!asksFrom) return { kind: 'newest', limit: pageTradesMax, urgent: true };
  return { kind: 'from', place: { firstTradeId, afterTimeUs: buffer.lastTime }, urgent: true };
}

function pageOfPoll({ options, buffer, newestByRest }: StreamState): PageRequest {
  const { asksFrom, pageTradesMax, tradeIds } = options;
  const firstTradeId = buffer.nextId;
  // Once, to verify that the venue answering is the tape's.
  if (tradeIds === 'DENSE' && newestByRest === undefined) return { kind: 'newest', limit: 1, urgent: false };
  if (!asksFrom || firstTradeId === undefined) return { kind: 'newest', limit: pageTradesMax, urgent: false };
  return { kind: 'from', place: { firstTradeId, afterTimeUs: buffer.lastTime }, urgent: false };
}
