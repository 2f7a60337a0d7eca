/** Every duration of the live ingestion, milliseconds. */
export interface LiveTiming {
  /** A ping goes out this often, so that a connection that lives is never silent. */
  readonly pingIntervalMs: number;
  /** No frame of any kind for this long, or no handshake: the connection is given up. */
  readonly silenceMs: number;
  /** Bounds of the random delay before the next connection; the upper one doubles with each attempt. */
  readonly reconnectMinMs: number;
  readonly reconnectMaxMs: number;
  /** A connection that held this long makes the delay short again. */
  readonly stableMs: number;
  /** A connection of this age is replaced, before the venue cuts it. */
  readonly connectionLifetimeMs: number;
  /** While a new connection replaces an old one, the old one stays at most this long after the new one is up. */
  readonly overlapMs: number;
  /** An instrument silent for this long is asked for by REST: its clock goes on with the answer. */
  readonly probeAfterMs: number;
  /** What REST shows, the stream must deliver within this, or its connection is replaced. */
  readonly probeGraceMs: number;
  /** One REST request, its body included. */
  readonly requestTimeoutMs: number;
  /** Bounds of the random delay after a failed request, as for connections. */
  readonly retryMinMs: number;
  readonly retryMaxMs: number;
  /** Missing trades are asked for until none came for this long; then the gap is declared. */
  readonly gapDeadlineMs: number;
  /** While the venue forbids to ask, that deadline does not run; but not for longer than this after the last trade came. */
  readonly gapBlockedMaxMs: number;
  /** Missing trades are not asked for at once: what is only out of order comes by itself. */
  readonly gapGraceMs: number;
  /** REST is asked again this long after a page that held nothing of what is missing. */
  readonly gapRetryMs: number;
  /** How often REST is asked in poll mode, each instrument. */
  readonly pollIntervalMs: number;
  /** How often a watermark may be written. */
  readonly watermarkIntervalMs: number;
  /** What the venue's clock and its delivery may be behind ours. */
  readonly watermarkAllowanceMs: number;
  /** Trades are collected this long for one batch to Kafka. */
  readonly flushMs: number;
  /** After a batch that Kafka did not take. */
  readonly appendPauseMs: number;
  /** At the end: how long what was taken may still need to reach Kafka. */
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
  flushMs: 5,
  appendPauseMs: 3_000,
  drainMs: 7_000,
};
