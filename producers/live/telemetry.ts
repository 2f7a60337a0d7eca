import type { DeadLetterReason, TradeGapReason } from '../../contracts/generated/events.ts';
import type { VenueNotice } from '../venue.ts';

/** How a trade was received. */
export type TradeOrigin = 'stream' | 'history';

/**
 * Why a connection ended. SILENT: no frame of any kind; DEAF: it answers pings but withholds trades that REST shows;
 * LIFETIME: replaced in time before the venue cuts it; REQUESTED: the
 * venue asked for a new one; HANDSHAKE: it never came up; STOPPED: this process is stopping.
 */
export type DisconnectReason =
  'CLOSED' | 'ERROR' | 'SILENT' | 'DEAF' | 'LIFETIME' | 'HANDSHAKE' | 'REQUESTED' | 'STOPPED';

/**
 * Everything that one live ingest reports, in plain values. Times of the market are microseconds, durations milliseconds.
 * `telemetry.adapter.ts` alone derives log lines, metrics and health from it.
 */
export type LiveEvent =
  ConnectionEvent | AppendEvent | AmendmentEvent | GapEvent | BackfillEvent | TradeEvent | StatusEvent;

/**
 * Events of the connection to the venue. `connection`: its number in this process, from 1; a new one may be up before
 * the old one ends.
 */
export type ConnectionEvent =
  | { readonly kind: 'connected'; readonly connection: number; readonly handshakeMs: number }
  | {
      readonly kind: 'disconnected';
      readonly connection: number;
      readonly reason: DisconnectReason;
      /** For people: close code and reason, or the error's message; untrusted text. */
      readonly detail: string;
    }
  /** The venue sent a word about the connection or itself. `detail`: untrusted text. */
  | { readonly kind: 'notice'; readonly notice: VenueNotice['notice']; readonly detail: string }
  /** `attempt`: attempts since the last stable connection, from 1. */
  | { readonly kind: 'reconnect-scheduled'; readonly attempt: number; readonly delayMs: number };

/** Events of the way to the tape. */
export type AppendEvent =
  /** Where an instrument continues: the first trade id wanted, and the last one on the tape; null where unknown. */
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
  /** Kafka did not accept a batch: the end of the tape is read again after the pause. */
  | { readonly kind: 'append-failed'; readonly detail: string; readonly pauseMs: number };

/**
 * What became of a venue's amendment. `cancelled`, `corrected`: Kafka acknowledged its record; `already`: the tape had
 * it; `unmatched`: the tape holds no such trade, and nothing was amended.
 */
export interface AmendmentEvent {
  readonly kind: 'amendment';
  readonly instrument: string;
  readonly tradeId: string;
  readonly outcome: 'cancelled' | 'corrected' | 'already' | 'unmatched';
  /** For people: the reason on the tape, or why it was not applied. */
  readonly detail: string;
}

interface MissingTrades {
  readonly instrument: string;
  readonly firstTradeId: string;
  readonly lastTradeId: string;
  /** The number of ids. */
  readonly missing: number;
}

/** Events of missing trades. */
export type GapEvent =
  /** Ids are missing and requested; newer trades wait. */
  | (MissingTrades & { readonly kind: 'gap-opened' })
  /** All trades of a gap arrived; `missing` is their number. */
  | { readonly kind: 'gap-filled'; readonly instrument: string; readonly missing: number; readonly openMs: number }
  /** Given up: a TradeGap of it is on the tape, acknowledged by Kafka. */
  | (MissingTrades & { readonly kind: 'gap-declared'; readonly reason: TradeGapReason })
  /** A trade of a declared gap arrived after all and goes to the tape, late. */
  | { readonly kind: 'late-trade'; readonly instrument: string };

/** Events of one request to the venue's REST interface. */
export interface BackfillEvent {
  readonly kind: 'history-request';
  readonly outcome: 'ok' | 'rate-limited' | 'failed';
  /** HTTP status; undefined where there was no answer. */
  readonly status: number | undefined;
  /** The wait that the venue demanded, for `rate-limited`. */
  readonly retryAfterMs: number | undefined;
  /** For people, for `failed`; untrusted text. */
  readonly detail: string | undefined;
}

/** Events of a trade that does not reach the tape. */
export type TradeEvent =
  /**
   * A trade or a frame was refused. `kept`: its dead letter is acknowledged by Kafka; false where there were too many
   * to keep, or the process ended first.
   */
  | {
      readonly kind: 'refused';
      readonly instrument: string | undefined;
      readonly reason: DeadLetterReason;
      readonly kept: boolean;
    }
  /** A trade arrived that was already present. */
  | { readonly kind: 'duplicate'; readonly instrument: string; readonly origin: TradeOrigin }
  /** A trade arrived of an instrument that was not requested. */
  | { readonly kind: 'not-asked-for'; readonly instrument: string }
  /** The reorder buffer was full: the trade is requested again later. */
  | { readonly kind: 'forgotten'; readonly instrument: string };

/**
 * About once a second: trades received but not yet on their way to Kafka, ids known to be missing, and instruments in
 * sync.
 */
export interface StatusEvent {
  readonly kind: 'status';
  readonly waitingTrades: number;
  readonly missingTrades: number;
  readonly instrumentsInSync: number;
  /** Frames received since the start. */
  readonly frames: number;
  /**
   * The least time from a trade's stamp to its receipt, of late: how far our clock is ahead of the venue's, its fastest
   * delivery included; undefined where no trade came by the stream of late.
   */
  readonly clockOffsetUs: number | undefined;
}

/** Receives each event as it happens. It must neither throw nor wait. */
export type LiveTelemetry = (event: LiveEvent) => void;

/** Ignores all events. */
export const NO_TELEMETRY: LiveTelemetry = () => undefined;
