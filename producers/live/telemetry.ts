import type { DeadLetterReason, TradeGapReason } from '../../contracts/generated/events.ts';

/** How a trade came in. */
export type TradeOrigin = 'stream' | 'history';

/**
 * Why a connection ended. SILENT: no frame of any kind; DEAF: it answers pings but withholds trades that REST shows;
 * LIFETIME: replaced in time before the venue cuts it; HANDSHAKE: it never came up; STOPPED: this process ends.
 */
export type DisconnectReason = 'CLOSED' | 'ERROR' | 'SILENT' | 'DEAF' | 'LIFETIME' | 'HANDSHAKE' | 'STOPPED';

/**
 * Everything that one live ingest reports, in plain values. Times of the market are microseconds, durations milliseconds.
 * Log lines, metrics and health are made of it in `telemetry.adapter.ts` and nowhere else.
 */
export type LiveEvent = ConnectionEvent | AppendEvent | GapEvent | BackfillEvent | TradeEvent | StatusEvent;

/** Of the connection to the venue. `connection`: its number in this process, from 1; a new one may be up before the old one ends. */
export type ConnectionEvent =
  | { readonly kind: 'connected'; readonly connection: number; readonly handshakeMs: number }
  | {
      readonly kind: 'disconnected';
      readonly connection: number;
      readonly reason: DisconnectReason;
      /** For people: close code and reason, or the error's message; untrusted text. */
      readonly detail: string;
    }
  /** `attempt`: attempts since the last stable connection, from 1. */
  | { readonly kind: 'reconnect-scheduled'; readonly attempt: number; readonly delayMs: number };

/** Of the way to the tape. */
export type AppendEvent =
  /** Where an instrument goes on: the first trade id wanted, and the last one on the tape; null where it is not known. */
  | {
      readonly kind: 'resumed';
      readonly instrument: string;
      readonly nextTradeId: string | null;
      readonly lastTradeIdOnTape: string | null;
    }
  /** Trades that Kafka acknowledged: those of one instrument and origin in one batch. */
  | {
      readonly kind: 'trades-appended';
      readonly instrument: string;
      readonly count: number;
      readonly origin: TradeOrigin;
      /** Event time of the last of them, microseconds. */
      readonly lastEventTimeUs: number;
    }
  | {
      readonly kind: 'watermark-appended';
      readonly partition: number;
      readonly instruments: readonly string[];
      readonly eventTimeUs: number;
    }
  /** Kafka did not take a batch: what the tape holds is read again after the pause. */
  | { readonly kind: 'append-failed'; readonly detail: string; readonly pauseMs: number };

interface MissingTrades {
  readonly instrument: string;
  readonly firstTradeId: string;
  readonly lastTradeId: string;
  /** How many ids. */
  readonly missing: number;
}

/** Of missing trades. */
export type GapEvent =
  /** Ids are missing and asked for; newer trades wait. */
  | (MissingTrades & { readonly kind: 'gap-opened' })
  /** All of a gap came; `missing` is what it was. */
  | { readonly kind: 'gap-filled'; readonly instrument: string; readonly missing: number; readonly openMs: number }
  /** Given up: a TradeGap of it is on the tape, acknowledged by Kafka. */
  | (MissingTrades & { readonly kind: 'gap-declared'; readonly reason: TradeGapReason })
  /** A trade of a declared gap came after all and goes to the tape, late. */
  | { readonly kind: 'late-trade'; readonly instrument: string };

/** Of one request to the venue's REST interface. */
export interface BackfillEvent {
  readonly kind: 'history-request';
  readonly outcome: 'ok' | 'rate-limited' | 'failed';
  /** HTTP status; undefined where there was no answer. */
  readonly status: number | undefined;
  /** How long the venue said to wait, of `rate-limited`. */
  readonly retryAfterMs: number | undefined;
  /** For people, of `failed`; untrusted text. */
  readonly detail: string | undefined;
}

/** Of a trade that does not go on. */
export type TradeEvent =
  /**
   * A trade or a frame was refused. `kept`: its dead letter is acknowledged by Kafka; false where it was too often to be
   * kept, or the process ended before.
   */
  | {
      readonly kind: 'refused';
      readonly instrument: string | undefined;
      readonly reason: DeadLetterReason;
      readonly kept: boolean;
    }
  /** A trade came that was there already. */
  | { readonly kind: 'duplicate'; readonly instrument: string; readonly origin: TradeOrigin }
  /** A trade came of an instrument that was not asked for. */
  | { readonly kind: 'not-asked-for'; readonly instrument: string }
  /** The reorder buffer was full: the trade is asked for again later. */
  | { readonly kind: 'forgotten'; readonly instrument: string };

/** About once a second: trades received that are not on their way to Kafka, ids known to be missing, and instruments in sync. */
export interface StatusEvent {
  readonly kind: 'status';
  readonly waitingTrades: number;
  readonly missingTrades: number;
  readonly instrumentsInSync: number;
}

/** Takes each event as it happens. It must not throw and must not wait. */
export type LiveTelemetry = (event: LiveEvent) => void;

/** For whoever wants to hear nothing. */
export const NO_TELEMETRY: LiveTelemetry = () => undefined;
