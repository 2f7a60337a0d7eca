import type { Trade } from '../../contracts/generated/events.ts';
import type { LiveTiming } from './timing.ts';

/**
 * Up to when one instrument is known to be complete, and whether its connection still brings what the venue publishes. A
 * trade or an answer of REST is the only proof: a connection may live and withhold trades. Pure: `nowMs` is of a clock
 * that never goes back, times of the market are milliseconds since 1970.
 */
export class Liveness {
  private readonly timing: Pick<LiveTiming, 'probeAfterMs' | 'probeGraceMs'>;
  private connectedSinceMs: number | undefined;
  private heardAtMs = 0;
  private knownUntil: number | undefined;
  private withheld: { readonly trades: readonly Trade[]; readonly dueMs: number } | undefined;
  /** Whether everything up to now is known to be here or known to be missing. */
  headIsKnown = false;

  constructor(timing: Pick<LiveTiming, 'probeAfterMs' | 'probeGraceMs'>) {
    this.timing = timing;
  }

  get isConnected(): boolean {
    return this.connectedSinceMs !== undefined;
  }

  /** Whether a connection was up when something was asked. */
  wasConnectedAt(askedAtMs: number): boolean {
    return (this.connectedSinceMs ?? Infinity) <= askedAtMs;
  }

  /** Up to when all is known, milliseconds since 1970; undefined where nothing was proven yet. */
  get knownUntilMs(): number | undefined {
    return this.knownUntil;
  }

  /** Whether REST showed trades that the stream has yet to deliver. */
  get isInDoubt(): boolean {
    return this.withheld !== undefined;
  }

  /** Whether nothing has come for so long that REST is to be asked. */
  isSilent(nowMs: number): boolean {
    return nowMs - this.heardAtMs >= this.timing.probeAfterMs;
  }

  /** Trades that REST showed and the stream has not delivered in its time; undefined while that time runs. */
  overdue(nowMs: number): readonly Trade[] | undefined {
    return this.withheld !== undefined && nowMs >= this.withheld.dueMs ? this.withheld.trades : undefined;
  }

  connected(nowMs: number): void {
    this.disconnected();
    this.connectedSinceMs = nowMs;
    this.heardAtMs = nowMs;
  }

  /** What came meanwhile is not known to be here until a trade or REST shows the head. */
  disconnected(): void {
    this.connectedSinceMs = undefined;
    this.headIsKnown = false;
    this.withheld = undefined;
  }

  /** The stream or an answer to a probe came. */
  heard(nowMs: number): void {
    this.heardAtMs = nowMs;
  }

  /** All is known up to this time, milliseconds since 1970. */
  proven(untilMs: number): void {
    this.knownUntil = Math.max(this.knownUntil ?? 0, untilMs);
  }

  /** REST showed trades that the stream has not delivered: they are due within a grace. */
  shown(trades: readonly Trade[], nowMs: number): void {
    if (trades.length > 0) this.withheld = { trades, dueMs: nowMs + this.timing.probeGraceMs };
  }

  /** The grace is over: whatever was overdue is settled. */
  settled(): void {
    this.withheld = undefined;
  }
}
