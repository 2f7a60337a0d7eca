import type { DeadLetterReason, TradeGapReason } from '../../contracts/generated/events.ts';

/** How a trade came in. */
export type TradeOrigin = 'stream' | 'history';

/**
 * Why a connection ended. SILENT: no frame of any kind; DEAF: it answers pings but withholds trades that REST shows;
 * LIFETIME: replaced in time before the venue cuts it; HANDSHAKE: it never came up; STOPPED: this process ends.
 */
export type DisconnectReason = 'CLOSED' | 'ERROR' | 'SILENT' | 'DEAF' | 'LIFETIME' | 'HANDSHAKE' | 'STOPPED';

/**
 * The port for logs and metrics of one live ingest: told of everything that happens, with plain values, in the order in
 * which it happens. It must not throw and must not wait. Times of the market are microseconds, durations milliseconds.
 */
export interface LiveObserver {
  /** @param connection number of the connection in this process, from 1; a new one may be up before the old one ends. */
  connected(event: { readonly connection: number; readonly handshakeMs: number }): void;
  disconnected(event: {
    readonly connection: number;
    readonly reason: DisconnectReason;
    /** For people: close code and reason, or the error's message; untrusted text. */
    readonly detail: string;
  }): void;
  /** @param attempt attempts since the last stable connection, from 1. */
  reconnectScheduled(event: { readonly attempt: number; readonly delayMs: number }): void;

  /** Where an instrument goes on: the first trade id wanted, and the last one on the tape; null where it is not known. */
  resumed(event: {
    readonly instrument: string;
    readonly nextTradeId: string | null;
    readonly lastTradeIdOnTape: string | null;
  }): void;
  /** Trades that Kafka acknowledged: those of one instrument and origin in one batch. */
  tradesAppended(event: {
    readonly instrument: string;
    readonly count: number;
    readonly origin: TradeOrigin;
    /** Event time of the last of them, microseconds. */
    readonly lastEventTimeUs: number;
  }): void;
  tickAppended(event: {
    readonly partition: number;
    readonly instruments: readonly string[];
    readonly eventTimeUs: number;
  }): void;
  /** Kafka did not take a batch: what the tape holds is read again after the pause. */
  appendFailed(event: { readonly detail: string; readonly pauseMs: number }): void;

  /** Ids are missing and asked for; newer trades wait. */
  gapOpened(event: GapEvent): void;
  /** All of a gap came; `missing` is what it was. */
  gapFilled(event: { readonly instrument: string; readonly missing: number; readonly openMs: number }): void;
  /** Given up: a TradeGap of it is on the tape, acknowledged by Kafka. */
  gapDeclared(event: GapEvent & { readonly reason: TradeGapReason }): void;
  /** A trade of a declared gap came after all and goes to the tape, late. */
  lateTrade(event: { readonly instrument: string }): void;
  historyRequest(event: {
    readonly outcome: 'ok' | 'rate-limited' | 'failed';
    /** HTTP status; undefined where there was no answer. */
    readonly status: number | undefined;
    /** How long the venue said to wait, of `rate-limited`. */
    readonly retryAfterMs: number | undefined;
    /** For people, of `failed`; untrusted text. */
    readonly detail: string | undefined;
  }): void;

  /**
   * A trade or a frame was refused. `kept`: its dead letter is acknowledged by Kafka; false where it was too often to be
   * kept, or the process ended before.
   */
  refused(event: {
    readonly instrument: string | undefined;
    readonly reason: DeadLetterReason;
    readonly kept: boolean;
  }): void;
  /** A trade came that was there already. */
  duplicate(event: { readonly instrument: string; readonly origin: TradeOrigin }): void;
  /** A trade came of an instrument that was not asked for. */
  notAskedFor(event: { readonly instrument: string }): void;
  /** The waiting room was full: the trade is asked for again later. */
  forgotten(event: { readonly instrument: string }): void;
  /** About once a second: trades received that are not on their way to Kafka, ids known to be missing, and instruments in sync. */
  waiting(event: { readonly trades: number; readonly missing: number; readonly inSync: number }): void;
}

interface GapEvent {
  readonly instrument: string;
  readonly firstTradeId: string;
  readonly lastTradeId: string;
  /** How many ids. */
  readonly missing: number;
}

const nothing = (): void => undefined;

/** For whoever wants to hear nothing; spread it and replace what is of interest. */
export const SILENT_OBSERVER: LiveObserver = {
  connected: nothing,
  disconnected: nothing,
  reconnectScheduled: nothing,
  resumed: nothing,
  tradesAppended: nothing,
  tickAppended: nothing,
  appendFailed: nothing,
  gapOpened: nothing,
  gapFilled: nothing,
  gapDeclared: nothing,
  lateTrade: nothing,
  historyRequest: nothing,
  refused: nothing,
  duplicate: nothing,
  notAskedFor: nothing,
  forgotten: nothing,
  waiting: nothing,
};
