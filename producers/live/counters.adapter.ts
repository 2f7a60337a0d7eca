import type { TradeGapReason } from '../../contracts/generated/events.ts';
import { beginDeadLetters } from '../../platform/dead-letter-telemetry.ts';
import { DEAD_LETTER_REASONS } from '../../platform/metrics/dead-letter-reasons.ts';
import type { Telemetry } from '../../platform/telemetry.ts';
import type { VenueNotice } from '../venue.ts';
import { LIVE_READER } from './dead-letters.ts';
import type { AmendmentEvent, DisconnectReason, TradeOrigin } from './telemetry.ts';

/** How a trade is received. */
export const ORIGINS = ['stream', 'history'] as const satisfies readonly TradeOrigin[];
const AMENDMENTS = [
  'cancelled',
  'corrected',
  'already',
  'unmatched',
] as const satisfies readonly AmendmentEvent['outcome'][];
const OUTCOMES = ['ok', 'rate-limited', 'failed'] as const;
const GAP_REASONS = ['NOT_SERVED', 'NO_ANSWER', 'BEYOND_LIMIT'] as const satisfies readonly TradeGapReason[];
const DISCONNECT_REASONS = [
  'CLOSED',
  'ERROR',
  'SILENT',
  'DEAF',
  'LIFETIME',
  'HANDSHAKE',
  'REQUESTED',
] as const satisfies readonly DisconnectReason[];
const NOTICES = [
  'SUBSCRIPTION_REFUSED',
  'RECONNECT',
  'MAINTENANCE',
] as const satisfies readonly VenueNotice['notice'][];

/** Counters of a venue, from 0 on, so that the first rise shows. */
export function beginVenueCounters(metrics: Telemetry['metrics'], venue: string): void {
  metrics.count('tapeproof_live_reconnects_total', { venue }, 0);
  metrics.count('tapeproof_live_append_failures_total', { venue }, 0);
  metrics.count('tapeproof_live_frames_total', { venue }, 0);
  for (const notice of NOTICES) metrics.count('tapeproof_live_notices_total', { venue, notice }, 0);
  metrics.count('tapeproof_live_unasked_trades_total', { venue }, 0);
  for (const outcome of AMENDMENTS) metrics.count('tapeproof_live_amendments_total', { venue, outcome }, 0);
  for (const reason of DISCONNECT_REASONS) metrics.count('tapeproof_live_disconnects_total', { venue, reason }, 0);
  for (const outcome of OUTCOMES) metrics.count('tapeproof_live_history_requests_total', { venue, outcome }, 0);
  beginDeadLetters(metrics, LIVE_READER);
  for (const reason of DEAD_LETTER_REASONS) {
    metrics.count('tapeproof_live_dead_letters_dropped_total', { venue, reason }, 0);
  }
}

/** Counters of an instrument, from 0 on. */
export function beginInstrumentCounters(metrics: Telemetry['metrics'], instrument: string): void {
  for (const origin of ORIGINS) {
    metrics.count('tapeproof_live_trades_total', { instrument, origin }, 0);
    metrics.count('tapeproof_live_duplicates_total', { instrument, origin }, 0);
  }
  metrics.count('tapeproof_live_gaps_opened_total', { instrument }, 0);
  metrics.count('tapeproof_live_gaps_filled_total', { instrument }, 0);
  for (const reason of GAP_REASONS) metrics.count('tapeproof_live_gaps_declared_total', { instrument, reason }, 0);
  metrics.count('tapeproof_live_trades_lost_total', { instrument }, 0);
  metrics.count('tapeproof_live_late_trades_total', { instrument }, 0);
  metrics.count('tapeproof_live_forgotten_trades_total', { instrument }, 0);
}
