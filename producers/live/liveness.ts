import type { Trade } from '../../contracts/generated/events.ts';
import type { LiveTiming } from './timing.ts';

/**
 * Up to when one instrument is known to be complete, and whether its connection still delivers what the venue
 * publishes. Only a trade or an answer of REST proves it: a connection may be alive and withhold trades. Pure: `nowMs`
 * is by a monotonic clock, market times are milliseconds since 1970.
 */
export class Liveness {
  private readonly timing: Pick<LiveTiming, 'probeAfterMs' | 'probeGraceMs'>;
  private connectedSinceMs: number | undefined;
  private heardAtMs = 0;
  private knownUntil: number | undefined;
  private withheld: { readonly trades: readonly Trade[]; readonly dueMs: number } | undefined;
  /** Whether everything up to now is known to be present or known to be missing. */
  headIsKnown = false;

  constructor(timing: Pick<LiveTiming, 'probeAfterMs' | 'probeGraceMs'>) {
    this.timing = timing;
  }

  get isConnected(): boolean {
    return this.connectedSinceMs !== undefined;
  }

  /** Whether a connection was up when a request was sent. */
  wasConnectedAt(askedAtMs: number): boolean {
    return (this.connectedSinceMs ?? Infinity) <= askedAtMs;
  }

  /** Whether a connection has been up for so long. */
  hasBeenConnectedFor(durationMs: number, nowMs: number): boolean {
    return this.wasConnectedAt(nowMs - durationMs);
  }

  /** The time up to which everything is known, milliseconds since 1970; undefined while nothing is proven. */
  get knownUntilMs(): number | undefined {
    return this.knownUntil;
  }

  /** Whether REST showed trades that the stream has yet to deliver. */
  get isInDoubt(): boolean {
    return this.withheld !== undefined;
  }

  /** Whether nothing has arrived for so long that REST must be asked. */
  isSilent(nowMs: number): boolean {
    return nowMs - this.heardAtMs >= this.timing.probeAfterMs;
  }

  /** Trades that REST showed and the stream has not delivered in time; undefined while that time runs. */
  overdue(nowMs: number): readonly Trade[] | undefined {
    return this.withheld !== undefined && nowMs >= this.withheld.dueMs ? this.withheld.trades : undefined;
  }

  connected(nowMs: number): void {
    this.disconnected();
    this.connectedSinceMs = nowMs;
    this.heardAtMs = nowMs;
  }

  /** Trades published meanwhile are not known to be present until a trade or REST shows the newest. */
  disconnected(): void {
    this.connectedSinceMs = undefined;
    this.headIsKnown = false;
    this.withheld = undefined;
  }

  /** The stream delivered, or a probe was answered. */
  heard(nowMs: number): void {
    this.heardAtMs = nowMs;
  }

  /** Everything is known up to this time, milliseconds since 1970. */
  proven(untilMs: number): void {
    this.knownUntil = Math.max(this.knownUntil ?? 0, untilMs);
  }

  /** REST showed trades that the stream has not delivered: they are due within a grace period. */
  shown(trades: readonly Trade[], nowMs: number): void {
    if (trades.length > 0) this.withheld = { trades, dueMs: nowMs + this.timing.probeGraceMs };
  }

  /** The grace period is over: everything overdue is settled. */
  settled(): void {
    this.withheld = undefined;
  }
}
