/** For promtool: what makes each alert fire, and what must not. */

export interface AlertCase {
  /** Series, each with its values, one a minute, in promtool's notation: `0x5 1x20` is six zeros and 21 ones. */
  readonly series: Readonly<Record<string, string>>;
  /** The labels of each alert that fires after {@link MINUTES}; none: it must stay silent. */
  readonly fires: readonly Readonly<Record<string, string>>[];
}

/** Longer than any window and any `for` but that of the hour. */
export const MINUTES = 30;

const INSTANCE = 'instance="a:1"';
const AT = { instance: 'a:1' };

/** A gauge that must not be at `bad`, and where it would be healthy. */
function ofGauge(
  series: string,
  bad: number,
  good: number,
  labels: Readonly<Record<string, string>>,
): readonly AlertCase[] {
  return [
    { series: { [series]: `${bad}x40` }, fires: [labels] },
    { series: { [series]: `${good}x40` }, fires: [] },
    // It was bad, for a moment, long ago.
    { series: { [series]: `${bad}x1 ${good}x40` }, fires: [] },
  ];
}

/** A counter of what must not happen: once within the window, the first of its series or not; and never, or long ago. */
function ofCounter(series: string, labels: Readonly<Record<string, string>>): readonly AlertCase[] {
  const at = (instance: string) => series.replace(AT.instance, instance);
  const fires = { [at('first:1')]: '0x25 1x20', [at('appears:1')]: '_x25 1x20', [at('again:1')]: '7x25 8x20' };
  // One process started again: it counts from 0.
  const silent = { [at('none:1')]: '0x40', [at('old:1')]: '7x40', [at('restarted:1')]: '7x25 0x20' };
  return [
    {
      series: { ...fires, ...silent },
      fires: ['first:1', 'appears:1', 'again:1'].map((instance) => ({ ...labels, instance })),
    },
    { series: silent, fires: [] },
  ];
}

/** Counts of trades up to each lag in seconds; none is later than the last. */
function tapeLag(upTo: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const [last = ''] = Object.values(upTo).slice(-1);
  const series = (bound: string) => `tapeproof_live_tape_lag_seconds_bucket{${INSTANCE}, venue="x", le="${bound}"}`;
  const buckets = Object.entries({ ...upTo, '+Inf': last }).map(([bound, values]) => [series(bound), values]);
  return Object.fromEntries(buckets) as Readonly<Record<string, string>>;
}

const PLACE = { topic: 'raw.trades', partition: '3' };
const OF_PLACE = 'topic="raw.trades", partition="3"';

/** By the name of the alert: alerts.unit.spec.ts demands one that fires and one that does not, for each. */
export const ALERT_CASES: Readonly<Record<string, readonly AlertCase[]>> = {
  TapeproofNoEngine: [
    {
      series: { [`tapeproof_build_info{${INSTANCE}, service="candles"}`]: '1x40' },
      fires: [{ service: 'engine' }],
    },
    // It ran, and ended.
    { series: { [`tapeproof_build_info{${INSTANCE}, service="engine"}`]: '1x15' }, fires: [{ service: 'engine' }] },
    { series: { [`tapeproof_build_info{${INSTANCE}, service="engine"}`]: '1x40' }, fires: [] },
  ],
  TapeproofDependencyDown: [
    ...ofGauge(`tapeproof_dependency_up{${INSTANCE}, dependency="kafka"}`, 0, 1, { ...AT, dependency: 'kafka' }),
    // One late answer.
    { series: { [`tapeproof_dependency_up{${INSTANCE}, dependency="kafka"}`]: '1x29 0x20' }, fires: [] },
  ],
  TapeproofNotReady: ofGauge(`tapeproof_check_ready{${INSTANCE}, check="progress"}`, 0, 1, {
    ...AT,
    check: 'progress',
  }),
  TapeproofRootDiffers: ofGauge(
    `tapeproof_projector_roots_differing{${INSTANCE}, projector="postgres-history", topic="probability.decisions"}`,
    1,
    0,
    { projector: 'postgres-history', topic: 'probability.decisions' },
  ),
  TapeproofDeadLetters: ofCounter(`tapeproof_dead_letters_total{${INSTANCE}, reader="engine", reason="MALFORMED"}`, {
    ...AT,
    reader: 'engine',
    reason: 'MALFORMED',
  }),
  TapeproofForeignRecords: ofCounter(
    `tapeproof_foreign_records_total{${INSTANCE}, reader="candles", topic="decision.outcomes"}`,
    { ...AT, reader: 'candles', topic: 'decision.outcomes' },
  ),
  TapeproofBehindTheMarket: [
    ...ofGauge(`tapeproof_consumer_lag_market_seconds{${INSTANCE}, group="g", ${OF_PLACE}}`, 61, 60, {
      group: 'g',
      ...PLACE,
    }),
    // Behind the clock by years, and not behind the market: a file of the past, read to its end.
    {
      series: {
        [`tapeproof_consumer_lag_market_seconds{${INSTANCE}, group="g", ${OF_PLACE}}`]: '0x40',
        [`tapeproof_consumer_lag_seconds{${INSTANCE}, group="g", ${OF_PLACE}}`]: '400000000x40',
      },
      fires: [],
    },
  ],
  TapeproofStalled: ofGauge(`tapeproof_consumer_stalled{${INSTANCE}, group="g", ${OF_PLACE}}`, 1, 0, {
    group: 'g',
    ...PLACE,
  }),
  TapeproofMostlyRefused: ofGauge(`tapeproof_consumer_refused_ratio{${INSTANCE}, ${OF_PLACE}}`, 0.51, 0.5, PLACE),
  TapeproofTradesSetAside: [
    {
      series: {
        [`tapeproof_engine_set_aside_total{${INSTANCE}, instrument="A@x", kind="late"}`]: '0+3x40',
        [`tapeproof_engine_set_aside_total{${INSTANCE}, instrument="B@x", kind="refused"}`]: '0+3x40',
        [`tapeproof_consumer_records_total{${INSTANCE}, group="g", ${OF_PLACE}}`]: '0+100x40',
      },
      fires: [AT],
    },
    {
      series: {
        [`tapeproof_engine_set_aside_total{${INSTANCE}, instrument="A@x", kind="late"}`]: '0+5x40',
        // A file that is read again, and the hours outside a session, are usual.
        [`tapeproof_engine_set_aside_total{${INSTANCE}, instrument="A@x", kind="duplicates"}`]: '0+90x40',
        [`tapeproof_engine_set_aside_total{${INSTANCE}, instrument="A@x", kind="outside"}`]: '0+90x40',
        [`tapeproof_consumer_records_total{${INSTANCE}, group="g", ${OF_PLACE}}`]: '0+100x40',
      },
      fires: [],
    },
    // Nothing is read: no share.
    {
      series: {
        [`tapeproof_engine_set_aside_total{${INSTANCE}, instrument="A@x", kind="late"}`]: '5x40',
        [`tapeproof_consumer_records_total{${INSTANCE}, group="g", ${OF_PLACE}}`]: '5x40',
      },
      fires: [],
    },
  ],
  TapeproofAnchorRejected: ofCounter(
    `tapeproof_engine_anchors_rejected_total{${INSTANCE}, partition="3", reason="derived-otherwise"}`,
    { ...AT, partition: '3', reason: 'derived-otherwise' },
  ),
  TapeproofForeignEvents: [
    ...ofCounter(`tapeproof_engine_foreign_events_total{${INSTANCE}, ${OF_PLACE}, fate="conflict"}`, {
      ...AT,
      ...PLACE,
      fate: 'conflict',
    }),
    // The same bytes once more: harmless.
    {
      series: { [`tapeproof_engine_foreign_events_total{${INSTANCE}, ${OF_PLACE}, fate="repeated"}`]: '0x25 9x20' },
      fires: [],
    },
  ],
  TapeproofOtherEngineInForce: [
    {
      series: { [`tapeproof_engine_hand_over_awaited{${INSTANCE}, partition="3"}`]: '1x40' },
      fires: [{ partition: '3' }],
    },
    // A hand-over that is done.
    { series: { [`tapeproof_engine_hand_over_awaited{${INSTANCE}, partition="3"}`]: '1x3' }, fires: [] },
    // And one that has just begun.
    { series: { [`tapeproof_engine_hand_over_awaited{${INSTANCE}, partition="3"}`]: '_x27 1x20' }, fires: [] },
  ],
  TapeproofConflicts: ofCounter(`tapeproof_projector_conflicts_total{${INSTANCE}, projector="candles"}`, {
    ...AT,
    projector: 'candles',
  }),
  TapeproofOracleDivergence: ofCounter(`tapeproof_oracle_divergences_total{${INSTANCE}}`, AT),
  TapeproofStoreRefuses: ofGauge(`tapeproof_projector_sink_up{${INSTANCE}, projector="candles"}`, 0, 1, {
    ...AT,
    projector: 'candles',
  }),
  TapeproofStoreEvicts: ofGauge(`tapeproof_projector_sink_evicts{${INSTANCE}, projector="redis-latest"}`, 1, 0, {
    ...AT,
    projector: 'redis-latest',
  }),
  TapeproofReconnecting: [
    {
      series: { [`tapeproof_live_reconnects_total{${INSTANCE}, venue="x"}`]: '0+1x40' },
      fires: [{ ...AT, venue: 'x' }],
    },
    { series: { [`tapeproof_live_reconnects_total{${INSTANCE}, venue="x"}`]: '0x25 1x2 2x20' }, fires: [] },
  ],
  TapeproofClockOff: [
    ...ofGauge(`tapeproof_live_clock_offset_seconds{${INSTANCE}, venue="x"}`, 5.1, 5, { ...AT, venue: 'x' }),
    // The venue's clock is ahead.
    ...ofGauge(`tapeproof_live_clock_offset_seconds{${INSTANCE}, venue="x"}`, -5.1, -5, { ...AT, venue: 'x' }),
  ],
  TapeproofTapeLate: [
    { series: tapeLag({ '1': '0x40', '10': '0+4x40', '60': '0+10x40' }), fires: [{ ...AT, venue: 'x' }] },
    { series: tapeLag({ '1': '0+1x40', '10': '0+6x40', '60': '0+10x40' }), fires: [] },
    // No trade at all.
    { series: tapeLag({ '1': '7x40', '10': '7x40', '60': '9x40' }), fires: [] },
  ],
  TapeproofFeedSilent: ofGauge(`tapeproof_live_last_trade_age_seconds{${INSTANCE}, instrument="A@x"}`, 901, 900, {
    ...AT,
    instrument: 'A@x',
  }),
  TapeproofVenueLost: ofGauge(`tapeproof_live_instruments_in_sync{${INSTANCE}, venue="x"}`, 0, 1, {
    ...AT,
    venue: 'x',
  }),
  TapeproofTradesMissing: ofCounter(
    `tapeproof_live_gaps_declared_total{${INSTANCE}, instrument="A@x", reason="NOT_AVAILABLE"}`,
    { ...AT, instrument: 'A@x', reason: 'NOT_AVAILABLE' },
  ),
  TapeproofPageFails: [
    {
      series: {
        [`tapeproof_dashboard_requests_total{${INSTANCE}, route="/api/v1/instruments", status="503"}`]: '0+6x40',
        [`tapeproof_dashboard_requests_total{${INSTANCE}, route="/api/v1/instruments", status="200"}`]: '0+94x40',
      },
      fires: [AT],
    },
    {
      series: {
        [`tapeproof_dashboard_requests_total{${INSTANCE}, route="/api/v1/instruments", status="503"}`]: '0+5x40',
        // The client's own fault.
        [`tapeproof_dashboard_requests_total{${INSTANCE}, route="/api/v1/instruments", status="404"}`]: '0+50x40',
        [`tapeproof_dashboard_requests_total{${INSTANCE}, route="/api/v1/instruments", status="200"}`]: '0+45x40',
      },
      fires: [],
    },
  ],
  TapeproofCheckpointsLate: ofGauge(`tapeproof_checkpoint_unsigned_seconds{${INSTANCE}, ${OF_PLACE}}`, 301, 300, {
    ...AT,
    ...PLACE,
  }),
  TapeproofLogDiffers: ofGauge(`tapeproof_checkpoint_log_differs{${INSTANCE}, ${OF_PLACE}}`, 1, 0, { ...AT, ...PLACE }),
  TapeproofNotCosigned: [
    {
      series: {
        [`tapeproof_checkpoint_witness_failures_total{${INSTANCE}, witness="w", reason="silent"}`]: '0+1x40',
        [`tapeproof_checkpoint_cosignatures_total{${INSTANCE}, witness="w"}`]: '9x40',
        [`tapeproof_checkpoint_cosignatures_total{${INSTANCE}, witness="other"}`]: '0+1x40',
      },
      fires: [{ ...AT, witness: 'w' }],
    },
    // It never cosigned anything.
    {
      series: { [`tapeproof_checkpoint_witness_failures_total{${INSTANCE}, witness="w", reason="silent"}`]: '0+1x40' },
      fires: [{ ...AT, witness: 'w' }],
    },
    // It missed some rounds.
    {
      series: {
        [`tapeproof_checkpoint_witness_failures_total{${INSTANCE}, witness="w", reason="silent"}`]: '0+1x40',
        [`tapeproof_checkpoint_cosignatures_total{${INSTANCE}, witness="w"}`]: '0x20 1x20',
      },
      fires: [],
    },
  ],
  TapeproofWitnessRefuses: [
    ...ofCounter(`tapeproof_checkpoint_witness_failures_total{${INSTANCE}, witness="w", reason="refused"}`, {
      ...AT,
      witness: 'w',
      reason: 'refused',
    }),
    {
      series: { [`tapeproof_checkpoint_witness_failures_total{${INSTANCE}, witness="w", reason="silent"}`]: '0+1x40' },
      fires: [],
    },
  ],
  TapeproofTimestampRefused: [
    {
      series: { [`tapeproof_checkpoint_timestamp_failures_total{${INSTANCE}, reason="refused"}`]: '0x15 1x30' },
      fires: [{ ...AT, reason: 'refused' }],
    },
    {
      series: { [`tapeproof_checkpoint_timestamp_failures_total{${INSTANCE}, reason="refused"}`]: '_x15 1x30' },
      fires: [{ ...AT, reason: 'refused' }],
    },
    {
      series: { [`tapeproof_checkpoint_timestamp_failures_total{${INSTANCE}, reason="silent"}`]: '0x15 1x30' },
      fires: [],
    },
  ],
  TapeproofProcessGone: [
    ...ofGauge(`up{job="tapeproof", ${INSTANCE}}`, 0, 1, { job: 'tapeproof', ...AT }),
    { series: { [`up{job="another", ${INSTANCE}}`]: '0x40' }, fires: [] },
  ],
  TapeproofRestarting: [
    {
      series: { [`process_start_time_seconds{job="tapeproof", ${INSTANCE}}`]: '1x20 2x2 3x2 4x2 5x20' },
      fires: [{ job: 'tapeproof', ...AT }],
    },
    // A release, and one more start.
    { series: { [`process_start_time_seconds{job="tapeproof", ${INSTANCE}}`]: '1x20 2x2 3x20' }, fires: [] },
  ],
  TapeproofEventLoopBlocked: ofGauge(`nodejs_eventloop_lag_p99_seconds{job="tapeproof", ${INSTANCE}}`, 1.5, 0.9, {
    job: 'tapeproof',
    ...AT,
  }),
};
