import { logDeadLetter, reportDeadLetter } from '../../platform/dead-letter-telemetry.ts';
import type { Log } from '../../platform/log.ts';
import type { Telemetry } from '../../platform/telemetry.ts';
import type { VenueNotice } from '../venue.ts';
import { beginInstrumentCounters, beginVenueCounters, ORIGINS } from './counters.adapter.ts';
import { LIVE_READER } from './dead-letters.ts';
import type { LiveEvent, LiveTelemetry, TradeOrigin } from './telemetry.ts';

const MEANINGS: Readonly<Record<VenueNotice['notice'], string>> = {
  SUBSCRIPTION_REFUSED: 'refuses a subscription, so that REST alone shows its trades',
  RECONNECT: 'asks for a new connection',
  MAINTENANCE: 'is under maintenance',
};
const DETAIL_LENGTH_MAX = 200;
const SECONDS_PER_US = 1e-6;
const US_PER_MS = 1_000;
const HTTP_ERROR_MIN = 400;

export interface LiveTelemetryOptions {
  readonly venue: string;
  /** Without a stream the venue counts as connected while its answers to requests succeed. */
  readonly transport: 'stream' | 'poll';
  readonly processTelemetry: Telemetry;
  /** Its name among the checks of /ready. */
  readonly healthPart: string;
  readonly log: Log;
}

type EventOf<Kind extends LiveEvent['kind']> = Extract<LiveEvent, { kind: Kind }>;

/** Turns live ingestion's events into log lines, metrics, and the health of the connection to the venue. */
export function createLiveTelemetry(options: LiveTelemetryOptions): LiveTelemetry {
  const reporter = new LiveReporter(options);
  return (event) => {
    reporter.take(event);
  };
}

class LiveReporter {
  readonly #venue: string;
  readonly #isPolling: boolean;
  readonly #healthPart: string;
  readonly #metrics: Telemetry['metrics'];
  readonly #health: Telemetry['health'];
  readonly #log: Log;
  readonly #connections = new Set<number>();
  readonly #lastEventTimeUs = new Map<string, number>();
  readonly #duplicates = new Map<string, Record<TradeOrigin, number>>();

  constructor({ venue, transport, processTelemetry, log, healthPart }: LiveTelemetryOptions) {
    this.#venue = venue;
    this.#healthPart = healthPart;
    this.#isPolling = transport === 'poll';
    this.#metrics = processTelemetry.metrics;
    this.#health = processTelemetry.health;
    this.#log = log;
    this.#health.set(this.#healthPart, { alive: true, ready: false, detail: 'not connected yet' });
    this.#metrics.set('tapeproof_live_connections', { venue }, 0);
    beginVenueCounters(this.#metrics, venue);
    this.#metrics.beforeScrape(() => {
      this.#show();
    });
  }

  take(event: LiveEvent): void {
    switch (event.kind) {
      case 'connected':
        this.#connected(event);
        break;
      case 'disconnected':
        this.#disconnected(event);
        break;
      case 'reconnect-scheduled':
        this.#reconnectScheduled(event);
        break;
      case 'notice':
        this.#notice(event);
        break;
      case 'resumed':
        this.#resumed(event);
        break;
      case 'trades-appended':
        this.#tradesAppended(event);
        break;
      case 'watermark-appended':
        this.#watermarkAppended(event);
        break;
      case 'append-failed':
        this.#appendFailed(event);
        break;
      case 'amendment':
        this.#amendment(event);
        break;
      case 'gap-opened':
        this.#gapOpened(event);
        break;
      case 'gap-filled':
        this.#gapFilled(event);
        break;
      case 'gap-declared':
        this.#gapDeclared(event);
        break;
      case 'late-trade':
        this.#lateTrade(event);
        break;
      case 'history-request':
        this.#historyRequest(event);
        break;
      case 'refused':
        this.#refused(event);
        break;
      case 'duplicate':
        this.#duplicate(event);
        break;
      case 'not-asked-for':
        this.#notAskedFor(event);
        break;
      case 'forgotten':
        this.#forgotten(event);
        break;
      case 'status':
        this.#status(event);
        break;
    }
  }

  #connected({ connection, handshakeMs }: EventOf<'connected'>): void {
    this.#connections.add(connection);
    this.#showConnections('connected');
    this.#log.event('live-connected', `Connected to ${this.#venue}`, {
      'tapeproof.venue': this.#venue,
      'tapeproof.connection': connection,
      'tapeproof.handshake_ms': handshakeMs,
    });
  }

  #disconnected({ connection, reason, detail }: EventOf<'disconnected'>): void {
    this.#connections.delete(connection);
    this.#showConnections(`${reason}: ${detail}`);
    const fields = {
      'event.reason': reason,
      'tapeproof.venue': this.#venue,
      'tapeproof.connection': connection,
    };
    if (reason === 'STOPPED') {
      this.#log.event('live-closed', `Closed the connection to ${this.#venue}: ${detail}`, fields);
      return;
    }
    this.#metrics.count('tapeproof_live_disconnects_total', { venue: this.#venue, reason });
    const message =
      reason === 'HANDSHAKE'
        ? `Could not connect to ${this.#venue}: ${detail}`
        : `Connection to ${this.#venue} ended: ${detail}`;
    this.#log.event('live-disconnected', message, fields);
  }

  #reconnectScheduled({ attempt, delayMs }: EventOf<'reconnect-scheduled'>): void {
    this.#metrics.count('tapeproof_live_reconnects_total', { venue: this.#venue });
    this.#log.event('live-reconnect-scheduled', `Reconnecting to ${this.#venue} in ${delayMs} ms`, {
      'tapeproof.venue': this.#venue,
      'tapeproof.attempt': attempt,
      'tapeproof.delay_ms': delayMs,
    });
  }

  #notice({ notice, detail }: EventOf<'notice'>): void {
    this.#metrics.count('tapeproof_live_notices_total', { venue: this.#venue, notice });
    this.#log.event('live-notice', `${this.#venue} ${MEANINGS[notice]}: ${detail.slice(0, DETAIL_LENGTH_MAX)}`, {
      'event.reason': notice,
      'tapeproof.venue': this.#venue,
    });
  }

  #resumed({ instrument, nextTradeId, lastTradeIdOnTape }: EventOf<'resumed'>): void {
    beginInstrumentCounters(this.#metrics, instrument);
    const where =
      nextTradeId === null
        ? 'is new to the tape: it begins with the newest trade'
        : `continues with trade ${nextTradeId}`;
    this.#log.event('live-resumed', `${instrument} ${where}`, {
      'tapeproof.instrument': instrument,
      'tapeproof.next_trade_id': nextTradeId,
      'tapeproof.last_trade_id': lastTradeIdOnTape,
    });
  }

  #tradesAppended({ instrument, count, origin, lastEventTimeUs: timeUs }: EventOf<'trades-appended'>): void {
    this.#metrics.count('tapeproof_live_trades_total', { instrument, origin }, count);
    // Where there is a stream, a requested trade was missed: its lag is that of the interruption.
    if (origin === 'stream' || this.#isPolling) {
      const lagSeconds = Math.max(0, Date.now() * US_PER_MS - timeUs) * SECONDS_PER_US;
      this.#metrics.observe('tapeproof_live_tape_lag_seconds', { venue: this.#venue }, lagSeconds);
    }
    this.#lastEventTimeUs.set(instrument, Math.max(this.#lastEventTimeUs.get(instrument) ?? 0, timeUs));
    this.#log.sampled('live-trades-appended')?.(`${count} trades of ${instrument} are on the tape`, {
      'tapeproof.instrument': instrument,
      'tapeproof.trades': count,
      'tapeproof.origin': origin,
    });
  }

  #watermarkAppended({ partition }: EventOf<'watermark-appended'>): void {
    this.#metrics.count('tapeproof_live_watermarks_total', { partition });
  }

  #appendFailed({ detail, pauseMs }: EventOf<'append-failed'>): void {
    this.#metrics.count('tapeproof_live_append_failures_total', { venue: this.#venue });
    this.#log.event('live-append-failed', `Kafka did not accept a batch, retrying in ${pauseMs} ms: ${detail}`, {
      'tapeproof.venue': this.#venue,
      'tapeproof.delay_ms': pauseMs,
    });
  }

  #amendment({ instrument, tradeId, outcome, detail }: EventOf<'amendment'>): void {
    this.#metrics.count('tapeproof_live_amendments_total', { venue: this.#venue, outcome });
    const isApplied = outcome !== 'unmatched';
    this.#log.event(
      isApplied ? 'live-trade-amended' : 'live-amendment-unmatched',
      `Trade ${tradeId} of ${instrument}, ${isApplied ? 'amended' : 'not amended'}: ${detail.slice(0, DETAIL_LENGTH_MAX)}`,
      { 'event.reason': outcome, 'tapeproof.instrument': instrument, 'tapeproof.trade_id': tradeId },
    );
  }

  #gapOpened({ instrument, firstTradeId, lastTradeId, missing }: EventOf<'gap-opened'>): void {
    this.#metrics.count('tapeproof_live_gaps_opened_total', { instrument });
    this.#log.event('live-gap-opened', `${missing} trades of ${instrument} are missing`, {
      'tapeproof.instrument': instrument,
      'tapeproof.first_trade_id': firstTradeId,
      'tapeproof.last_trade_id': lastTradeId,
      'tapeproof.missing': missing,
    });
  }

  #gapFilled({ instrument, missing, openMs }: EventOf<'gap-filled'>): void {
    this.#metrics.count('tapeproof_live_gaps_filled_total', { instrument });
    this.#log.event('live-gap-filled', `${missing} missing trades of ${instrument} arrived`, {
      'tapeproof.instrument': instrument,
      'tapeproof.missing': missing,
      'tapeproof.duration_ms': openMs,
    });
  }

  #gapDeclared({ instrument, firstTradeId, lastTradeId, missing, reason }: EventOf<'gap-declared'>): void {
    this.#metrics.count('tapeproof_live_gaps_declared_total', { instrument, reason });
    this.#metrics.count('tapeproof_live_trades_lost_total', { instrument }, missing);
    this.#log.event(
      'live-gap-declared',
      `${missing} trades of ${instrument} cannot be obtained: a gap is on the tape`,
      {
        'event.reason': reason,
        'tapeproof.instrument': instrument,
        'tapeproof.first_trade_id': firstTradeId,
        'tapeproof.last_trade_id': lastTradeId,
        'tapeproof.missing': missing,
      },
    );
  }

  #lateTrade({ instrument }: EventOf<'late-trade'>): void {
    this.#metrics.count('tapeproof_live_late_trades_total', { instrument });
    this.#log.sampled('live-late-trade')?.(`A trade of a declared gap of ${instrument} arrived after all`, {
      'tapeproof.instrument': instrument,
    });
  }

  #historyRequest({ outcome, status, retryAfterMs, detail }: EventOf<'history-request'>): void {
    this.#metrics.count('tapeproof_live_history_requests_total', { venue: this.#venue, outcome });
    if (this.#isPolling && outcome !== 'rate-limited') {
      this.#health.set(this.#healthPart, { alive: true, ready: outcome === 'ok', detail: detail ?? 'answers' });
    }
    if (outcome === 'rate-limited') {
      this.#log.event(
        'live-rate-limited',
        `${this.#venue} limits requests and demands a wait of ${retryAfterMs ?? 0} ms`,
        {
          'http.response.status_code': status,
          'tapeproof.venue': this.#venue,
          'tapeproof.delay_ms': retryAfterMs,
        },
      );
    } else if (outcome === 'failed') {
      this.#log.sampled('live-history-failed')?.(
        `${this.#venue} ${failureOf(status)}: ${detail ?? 'no reason given'}`,
        {
          'http.response.status_code': status,
          'tapeproof.venue': this.#venue,
        },
      );
    }
  }

  #refused({ instrument, reason, kept }: EventOf<'refused'>): void {
    const refused = { reader: LIVE_READER, reason };
    const sentence = (): string => `${this.#venue} sent unusable data${kept ? '' : ', which is not kept'}`;
    const fields = { 'tapeproof.instrument': instrument, 'tapeproof.kept': kept };
    if (kept) {
      reportDeadLetter({ metrics: this.#metrics, log: this.#log }, refused, sentence, fields);
      return;
    }
    this.#metrics.count('tapeproof_live_dead_letters_dropped_total', { venue: this.#venue, reason });
    logDeadLetter(this.#log, refused, sentence, fields);
  }

  #duplicate({ instrument, origin }: EventOf<'duplicate'>): void {
    let counts = this.#duplicates.get(instrument);
    if (counts === undefined) this.#duplicates.set(instrument, (counts = { stream: 0, history: 0 }));
    counts[origin] += 1;
  }

  #notAskedFor({ instrument }: EventOf<'not-asked-for'>): void {
    this.#metrics.count('tapeproof_live_unasked_trades_total', { venue: this.#venue });
    this.#log.sampled('live-trade-unasked')?.(`${this.#venue} sent a trade of ${instrument}, which was not requested`, {
      'tapeproof.instrument': instrument,
    });
  }

  #forgotten({ instrument }: EventOf<'forgotten'>): void {
    this.#metrics.count('tapeproof_live_forgotten_trades_total', { instrument });
    this.#log.sampled('live-trade-forgotten')?.(
      `Too many trades of ${instrument} wait: this one is requested again later`,
      {
        'tapeproof.instrument': instrument,
      },
    );
  }

  #status({ waitingTrades, missingTrades, instrumentsInSync, frames, clockOffsetUs }: EventOf<'status'>): void {
    this.#metrics.countUpTo('tapeproof_live_frames_total', { venue: this.#venue }, frames);
    if (clockOffsetUs !== undefined) {
      const seconds = clockOffsetUs * SECONDS_PER_US;
      this.#metrics.set('tapeproof_live_clock_offset_seconds', { venue: this.#venue }, seconds);
    }
    this.#metrics.set('tapeproof_live_waiting_trades', { venue: this.#venue }, waitingTrades);
    this.#metrics.set('tapeproof_live_missing_trades', { venue: this.#venue }, missingTrades);
    this.#metrics.set('tapeproof_live_instruments_in_sync', { venue: this.#venue }, instrumentsInSync);
  }

  #showConnections(detail: string): void {
    const { size } = this.#connections;
    this.#metrics.set('tapeproof_live_connections', { venue: this.#venue }, size);
    this.#health.set(this.#healthPart, { alive: true, ready: size > 0, detail });
  }

  #show(): void {
    for (const [instrument, timeUs] of this.#lastEventTimeUs) {
      const seconds = Math.max(0, Date.now() * US_PER_MS - timeUs) * SECONDS_PER_US;
      this.#metrics.set('tapeproof_live_last_trade_age_seconds', { instrument }, seconds);
    }
    for (const [instrument, counts] of this.#duplicates) {
      for (const origin of ORIGINS) {
        this.#metrics.countUpTo('tapeproof_live_duplicates_total', { instrument, origin }, counts[origin]);
      }
    }
  }
}

/** @param status HTTP; undefined where there was no answer. */
function failureOf(status: number | undefined): string {
  if (status === undefined) return 'did not answer a request for trades';
  if (status >= HTTP_ERROR_MIN) return `refused a request for trades with HTTP ${status}`;
  return `answered a request for trades with unreadable data (HTTP ${status})`;
}
