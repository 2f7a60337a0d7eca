import { counter, gauge, histogram, LAG, increased, LIVE, type MetricDefinition } from './definition.ts';

/** Live ingestion's part of the catalogue. */
export const LIVE_METRICS = {
  tapeproof_live_connections: gauge(LIVE, ['venue'], 'Connections to the venue that are up.'),
  tapeproof_live_reconnects_total: counter(LIVE, ['venue'], 'Attempts to connect again.', {
    name: 'TapeproofReconnecting',
    expression: 'increase(tapeproof_live_reconnects_total[15m]) > 10',
    forS: 0,
    meaning:
      'A venue was connected to again more than ten times in a quarter of an hour: each time trades are requested.',
    action: 'Read `live-disconnected` in the log for the reason, and compare with other venues and the network.',
  }),
  tapeproof_live_disconnects_total: counter(
    LIVE,
    ['venue', 'reason'],
    'Connections that ended, and attempts that failed (HANDSHAKE); not those that the process closes as it stops.',
  ),
  tapeproof_live_notices_total: counter(
    LIVE,
    ['venue', 'notice'],
    'Words of the venue about the connection: SUBSCRIPTION_REFUSED, RECONNECT or MAINTENANCE.',
  ),
  tapeproof_live_frames_total: counter(LIVE, ['venue'], 'Messages received from the venue by WebSocket.'),
  tapeproof_live_clock_offset_seconds: gauge(
    LIVE,
    ['venue'],
    "The least time from a trade's stamp to its receipt in the last one to two minutes: how far this clock is ahead of the venue's, the fastest delivery included, and the wait for the next page where trades are polled.",
    {
      name: 'TapeproofClockOff',
      expression: 'abs(max by (instance, venue) (tapeproof_live_clock_offset_seconds)) > 5',
      forS: 300,
      meaning:
        "This clock and the venue's differ by more than five seconds, or all trades are late: at ten seconds ahead of ours, trades are refused.",
      action: 'Compare the offsets of several venues: if all differ, set the clock of this machine by NTP.',
    },
  ),
  tapeproof_live_tape_lag_seconds: histogram(
    LIVE,
    ['venue'],
    LAG,
    "Time from a trade's stamp to Kafka's acknowledgement, the last of each batch; not of trades that the WebSocket missed.",
    {
      name: 'TapeproofTapeLate',
      expression:
        'histogram_quantile(0.5, sum by (instance, venue, le) (rate(tapeproof_live_tape_lag_seconds_bucket[5m]))) > 10',
      forS: 300,
      meaning: 'Half of the trades of a venue reach the tape more than ten seconds late: decisions come later still.',
      action:
        'Look at tapeproof_live_waiting_trades: if trades wait, Kafka or this process is too slow; else the venue or its clock is late.',
    },
  ),
  tapeproof_live_trades_total: counter(
    LIVE,
    ['instrument', 'origin'],
    'Trades that Kafka acknowledged; origin is stream or history.',
  ),
  tapeproof_live_duplicates_total: counter(
    LIVE,
    ['instrument', 'origin'],
    'Trades received that were already on the tape.',
  ),
  tapeproof_live_last_trade_age_seconds: gauge(
    LIVE,
    ['instrument'],
    'Time since the event time of the last trade appended.',
    {
      name: 'TapeproofFeedSilent',
      expression: 'max by (instance, instrument) (tapeproof_live_last_trade_age_seconds) > 900',
      forS: 60,
      meaning: 'No trade of an instrument came for a quarter of an hour: a quiet market, or a feed that died.',
      action:
        'Compare with the venue itself; tapeproof_live_instruments_in_sync says whether its connection is proven.',
    },
  ),
  tapeproof_live_watermarks_total: counter(LIVE, ['partition'], 'Watermarks appended.'),
  tapeproof_live_waiting_trades: gauge(LIVE, ['venue'], 'Trades received that are not yet on their way to Kafka.'),
  tapeproof_live_missing_trades: gauge(LIVE, ['venue'], 'Trades known to be missing and requested.'),
  tapeproof_live_instruments_in_sync: gauge(
    LIVE,
    ['venue'],
    'Instruments without an open gap on a proven connection.',
    {
      name: 'TapeproofVenueLost',
      expression: 'max by (instance, venue) (tapeproof_live_instruments_in_sync) == 0',
      forS: 60,
      severity: 'critical',
      meaning: 'No instrument of a venue is known to be complete: no watermark is written, and prices become stale.',
      action: 'Look for `live-disconnected` and `live-rate-limited` in the log: they state what the venue said.',
    },
  ),
  tapeproof_live_gaps_opened_total: counter(LIVE, ['instrument'], 'Gaps found.'),
  tapeproof_live_gaps_filled_total: counter(LIVE, ['instrument'], 'Gaps whose trades all arrived.'),
  tapeproof_live_gaps_declared_total: counter(
    LIVE,
    ['instrument', 'reason'],
    'Gaps given up and recorded on the tape.',
    {
      name: 'TapeproofTradesMissing',
      expression: increased('tapeproof_live_gaps_declared_total', '15m'),
      forS: 0,
      meaning: 'Trades could not be obtained: a TradeGap is on the tape, and decisions after it rest on what is known.',
      action: 'Read `live-gap-declared` in the log for the ids and the reason; audits of later decisions name the gap.',
    },
  ),
  tapeproof_live_trades_lost_total: counter(LIVE, ['instrument'], 'Trades missing in the gaps recorded on the tape.'),
  tapeproof_live_amendments_total: counter(
    LIVE,
    ['venue', 'outcome'],
    'Cancels and corrections of the venue: on the tape (cancelled, corrected), there before (already), or without their trade (unmatched).',
  ),
  tapeproof_live_history_requests_total: counter(
    LIVE,
    ['venue', 'outcome'],
    'Requests for past trades: ok, rate-limited or failed.',
  ),
  tapeproof_live_dead_letters_dropped_total: counter(
    LIVE,
    ['venue', 'reason'],
    'Refused trades and frames that are not kept in dead.letters: above the bound per second, or the process ended first.',
  ),
  tapeproof_live_late_trades_total: counter(LIVE, ['instrument'], 'Trades of a declared gap that arrived after all.'),
  tapeproof_live_forgotten_trades_total: counter(
    LIVE,
    ['instrument'],
    'Trades received while too many waited: requested again later.',
  ),
  tapeproof_live_unasked_trades_total: counter(LIVE, ['venue'], 'Trades of instruments that were not requested.'),
  tapeproof_live_append_failures_total: counter(LIVE, ['venue'], 'Batches that Kafka did not accept.'),
} as const satisfies Readonly<Record<`tapeproof_live_${string}`, MetricDefinition>>;
