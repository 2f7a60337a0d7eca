/** Every duration of the live ingestion, milliseconds. */
export interface LiveTiming {
  /** A ping is sent this often, so that a live connection is never silent. */
  readonly pingIntervalMs: number;
  /** No frame of any kind for this long, or no handshake: the connection is given up. */
  readonly silenceMs: number;
  /** Bounds of the random delay before the next connection; the upper one doubles with each attempt. */
  readonly reconnectMinMs: number;
  readonly reconnectMaxMs: number;
  /** A connection that lasted this long resets the delay. */
  readonly stableMs: number;
  /** A connection of this age is replaced, before the venue cuts it. */
  readonly connectionLifetimeMs: number;
  /** While a new connection replaces an old one, the old one stays at most this long after the new one is up. */
  readonly overlapMs: number;
  /** An instrument silent for this long is requested by REST: the answer advances its clock. */
  readonly probeAfterMs: number;
  /** The stream must deliver trades shown by REST within this time, or its connection is replaced. */
  readonly probeGraceMs: number;
  /**
   * After connecting, a venue whose ids have no order is requested once more: by then it surely has our subscription.
   */
  readonly subscriptionGraceMs: number;
  /** One REST request, its body included. */
  readonly requestTimeoutMs: number;
  /** Bounds of the random delay after a failed request, as for connections. */
  readonly retryMinMs: number;
  readonly retryMaxMs: number;
  /** Missing trades are requested until none arrived for this long; then the gap is declared. */
  readonly gapDeadlineMs: number;
  /**
   * While the venue forbids requests, that deadline does not run; but for no longer than this after the last trade
   * arrived.
   */
  readonly gapBlockedMaxMs: number;
  /** Missing trades are not requested at once: trades merely out of order arrive unrequested. */
  readonly gapGraceMs: number;
  /** REST is asked again this long after a page without any of the missing trades. */
  readonly gapRetryMs: number;
  /** How often REST is asked in poll mode, for each instrument. */
  readonly pollIntervalMs: number;
  /** How often a watermark may be written. */
  readonly watermarkIntervalMs: number;
  /** How far the venue's clock and delivery may be behind ours. */
  readonly watermarkAllowanceMs: number;
  /** An amendment waits this long for its trade to reach the tape. */
  readonly amendmentWaitMs: number;
  /** Trades are collected this long for one batch to Kafka. */
  readonly flushMs: number;
  /** The pause after a batch that Kafka did not accept. */
  readonly appendPauseMs: number;
  /** At the end: how long records taken may still need to reach Kafka. */
  readonly drainMs: number;
}

export const LIVE_TIMING: LiveTiming = {
  pingIntervalMs: 2_000,
  silenceMs: 8_000,
  reconnectMinMs: 500,
  reconnectMaxMs: 30_000,
  stableMs: 60_000,
  connectionLifetimeMs: 23 * 3_600_000,
  overlapMs: 10_000,
  probeAfterMs: 3_000,
  probeGraceMs: 2_000,
  subscriptionGraceMs: 2_000,
  requestTimeoutMs: 10_000,
  retryMinMs: 250,
  retryMaxMs: 15_000,
  gapDeadlineMs: 90_000,
  gapBlockedMaxMs: 600_000,
  gapGraceMs: 150,
  gapRetryMs: 500,
  pollIntervalMs: 2_000,
  watermarkIntervalMs: 1_000,
  watermarkAllowanceMs: 2_000,
  amendmentWaitMs: 60_000,
  flushMs: 5,
  appendPauseMs: 3_000,
  drainMs: 7_000,
};
