import type { DashboardDefinition } from './dashboard.ts';
import { gauge, quantiles, rate, rise } from './promql.ts';

/** From the venues to the tape. */
export const LIVE_INGEST: DashboardDefinition = {
  uid: 'tapeproof-live-ingest',
  title: 'live ingest',
  description: 'Whether the venues’ trades arrive, all of them, and what is missing.',
  rows: [
    {
      title: 'Do trades arrive?',
      panels: [
        {
          title: 'Instruments in sync',
          description: 'Without an open gap, on a connection that is proven alive.',
          unit: 'short',
          kind: 'state',
          queries: [gauge('tapeproof_live_instruments_in_sync', ['venue', 'instance'])],
        },
        {
          title: 'Connections',
          description: 'That are up; none where trades are requested by REST alone.',
          unit: 'short',
          queries: [gauge('tapeproof_live_connections', ['venue', 'instance'])],
        },
        {
          title: 'Age of the last trade',
          description: 'Since its event time: a quiet market, or a dead feed.',
          unit: 's',
          queries: [gauge('tapeproof_live_last_trade_age_seconds', ['instrument'], 'min')],
        },
        {
          title: 'Trades appended',
          description: 'From the stream or from history, per second.',
          unit: 'cps',
          queries: [rate('tapeproof_live_trades_total', ['instrument', 'origin'])],
        },
        {
          title: 'Trades already on the tape',
          description: 'Received again, per second: usual after a reconnect, and with a second process.',
          unit: 'cps',
          queries: [rate('tapeproof_live_duplicates_total', ['instrument', 'origin'])],
        },
        {
          title: 'Messages',
          description: 'Received by WebSocket, per second.',
          unit: 'cps',
          queries: [rate('tapeproof_live_frames_total', ['venue'])],
        },
        {
          title: 'From the venue to the tape',
          description: "From a trade's stamp to Kafka's acknowledgement.",
          unit: 's',
          queries: quantiles('tapeproof_live_tape_lag_seconds', ['venue']),
        },
        {
          title: 'Clock offset',
          description: "How far this clock is ahead of the venue's, the fastest delivery included.",
          unit: 's',
          queries: [gauge('tapeproof_live_clock_offset_seconds', ['venue', 'instance'])],
        },
        {
          title: 'Words of the venue',
          description: 'Subscriptions refused, reconnects announced, maintenance.',
          unit: 'short',
          queries: [rise('tapeproof_live_notices_total', ['venue', 'notice'])],
        },
        {
          title: 'Watermarks',
          description: 'Appended, per second: at most one for each partition.',
          unit: 'cps',
          queries: [rate('tapeproof_live_watermarks_total', ['partition'])],
        },
      ],
    },
    {
      title: 'What is missing?',
      panels: [
        {
          title: 'Gaps',
          description: 'Found, by instrument.',
          unit: 'short',
          queries: [rise('tapeproof_live_gaps_opened_total', ['instrument'])],
        },
        {
          title: 'Gaps filled',
          description: 'All of their trades arrived.',
          unit: 'short',
          queries: [rise('tapeproof_live_gaps_filled_total', ['instrument'])],
        },
        {
          title: 'Gaps given up',
          description: 'Recorded on the tape, with the reason.',
          unit: 'short',
          queries: [rise('tapeproof_live_gaps_declared_total', ['instrument', 'reason'])],
        },
        {
          title: 'Trades lost',
          description: 'Missing in the gaps recorded on the tape.',
          unit: 'short',
          queries: [rise('tapeproof_live_trades_lost_total', ['instrument'])],
        },
        {
          title: 'Trades requested',
          description: 'Known to be missing, and asked for.',
          unit: 'short',
          queries: [gauge('tapeproof_live_missing_trades', ['venue'])],
        },
        {
          title: 'Trades of a declared gap',
          description: 'That arrived after all: they are on the tape, late.',
          unit: 'short',
          queries: [rise('tapeproof_live_late_trades_total', ['instrument'])],
        },
      ],
    },
    {
      title: 'The venue, and our limits',
      panels: [
        {
          title: 'Disconnects',
          description: 'By reason; HANDSHAKE never came up.',
          unit: 'short',
          queries: [rise('tapeproof_live_disconnects_total', ['venue', 'reason'])],
        },
        {
          title: 'Reconnects',
          description: 'Attempts.',
          unit: 'short',
          queries: [rise('tapeproof_live_reconnects_total', ['venue'])],
        },
        {
          title: 'Requests for history',
          description: 'Ok, rate-limited or failed.',
          unit: 'short',
          queries: [rise('tapeproof_live_history_requests_total', ['venue', 'outcome'])],
        },
        {
          title: 'Trades waiting',
          description: 'Received, and not yet on their way to Kafka.',
          unit: 'short',
          queries: [gauge('tapeproof_live_waiting_trades', ['venue'])],
        },
        {
          title: 'Batches not accepted',
          description: 'By Kafka; the end of the tape is read again.',
          unit: 'short',
          queries: [rise('tapeproof_live_append_failures_total', ['venue'])],
        },
        {
          title: 'Trades set down',
          description: 'While too many waited; they are requested again.',
          unit: 'short',
          queries: [rise('tapeproof_live_forgotten_trades_total', ['instrument'])],
        },
        {
          title: 'Trades nobody asked for',
          description: 'Of instruments that were not requested.',
          unit: 'short',
          queries: [rise('tapeproof_live_unasked_trades_total', ['venue'])],
        },
        {
          title: 'Trades amended',
          description: 'Cancels and corrections of the venue; unmatched ones are dead letters.',
          unit: 'short',
          queries: [rise('tapeproof_live_amendments_total', ['venue', 'outcome'])],
        },
        {
          title: 'Refusals not kept',
          description: 'Refused trades and frames above the bound of dead letters per second.',
          unit: 'short',
          queries: [rise('tapeproof_live_dead_letters_dropped_total', ['venue', 'reason'])],
        },
      ],
    },
  ],
};
