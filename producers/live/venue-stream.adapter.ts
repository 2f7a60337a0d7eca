import type { VenueLimits } from '../venue.ts';
import { backoffMs, retryAfterMs, saysToWait } from './backoff.ts';
import { Connection, type ConnectionEnd, type Login } from './connection.adapter.ts';
import { ConnectionBudget } from './connection-budget.ts';
import type { DisconnectReason, LiveTelemetry } from './telemetry.ts';
import type { LiveTiming } from './timing.ts';

/** A longer delay is waited in parts: a timer takes at most 2^31 ms, and the venue may extend the wait meanwhile. */
const WAIT_MS_MAX = 60_000;

export interface VenueStreamOptions {
  readonly url: string;
  readonly subscriptions: readonly string[];
  readonly keepAlive: string | undefined;
  readonly login?: Login | undefined;
  readonly limits: VenueLimits;
  readonly timing: LiveTiming;
  readonly telemetry: LiveTelemetry;
  readonly onFrame: (text: string, receivedAt: number) => void;
  /** The stream delivers from now on. */
  readonly onUp: () => void;
  /** The stream no longer delivers. */
  readonly onDown: () => void;
}

/** One of our connections, with its number and when it came up. */
interface Numbered {
  readonly number: number;
  readonly connection: Connection;
  openedAtMs: number | undefined;
  lifetime: NodeJS.Timeout | undefined;
}

/**
 * Keeps one connection up: a new one after a jittered delay where one ended, and beside the old one where that is
 * being replaced. The old one stays until the new one delivers; the reorder buffers drop what both deliver.
 */
export class VenueStream {
  private readonly options: VenueStreamOptions;
  private readonly budget: ConnectionBudget;
  private current: Numbered | undefined;
  /** Opening, or up but not delivering yet. */
  private next: Numbered | undefined;
  /** Replaced: frames sent to it before may still arrive. */
  private leaving: Numbered | undefined;
  private replaceReason: DisconnectReason | undefined;
  private attempts = 0;
  private count = 0;
  private retry: NodeJS.Timeout | undefined;
  private overlap: NodeJS.Timeout | undefined;
  private isStopped = false;

  constructor(options: VenueStreamOptions) {
    this.options = options;
    this.budget = new ConnectionBudget(options.limits.connections);
  }

  get isUp(): boolean {
    return this.current?.connection.isOpen === true;
  }

  start(): void {
    this.open();
  }

  stop(): void {
    this.isStopped = true;
    clearTimeout(this.retry);
    clearTimeout(this.overlap);
    for (const numbered of [this.current, this.next, this.leaving]) {
      numbered?.connection.end('STOPPED', 'this process is stopping');
    }
  }

  /** Reads nothing from the venue while held. */
  hold(isHeld: boolean): void {
    for (const numbered of [this.current, this.next, this.leaving]) numbered?.connection.hold(isHeld);
  }

  /** Opens another connection, and ends this one when the other delivers. */
  replace(reason: DisconnectReason): void {
    if (this.isStopped || this.next !== undefined || this.replaceReason !== undefined || this.current === undefined)
      return;
    this.replaceReason = reason;
    if (this.upMs(this.current) >= this.options.timing.stableMs) this.attempts = 0;
    this.scheduleOpen();
  }

  private scheduleOpen(): void {
    if (this.isStopped || this.retry !== undefined) return;
    const { reconnectMinMs, reconnectMaxMs } = this.options.timing;
    const nowMs = performance.now();
    const isPlanned = this.attempts === 0;
    const backoff = isPlanned ? 0 : backoffMs(this.attempts, reconnectMinMs, reconnectMaxMs, Math.random());
    const delayMs = Math.max(backoff, this.budget.waitMs(nowMs));
    if (!isPlanned) {
      const { attempts: attempt } = this;
      this.options.telemetry({ kind: 'reconnect-scheduled', attempt, delayMs: Math.round(delayMs) });
    }
    this.openAt(nowMs + delayMs, nowMs);
  }

  private openAt(dueMs: number, nowMs: number): void {
    this.retry = setTimeout(
      () => {
        this.retry = undefined;
        const laterMs = performance.now();
        const waitMs = Math.max(dueMs - laterMs, this.budget.waitMs(laterMs));
        // A timer may fire early by a fraction of a millisecond.
        if (waitMs >= 1) this.openAt(laterMs + waitMs, laterMs);
        else this.open();
      },
      Math.min(dueMs - nowMs, WAIT_MS_MAX),
    );
  }

  private open(): void {
    if (this.isStopped || this.next !== undefined) return;
    const { url, subscriptions, keepAlive, login, limits, timing } = this.options;
    const startedAtMs = performance.now();
    this.budget.spend(startedAtMs);
    this.count += 1;
    const number = this.count;
    const connection = new Connection({
      url,
      subscriptions,
      keepAlive,
      login,
      clientMessagesPerSecond: limits.clientMessagesPerSecond,
      timing,
      onOpen: () => {
        this.opened(numbered, startedAtMs);
      },
      onFrame: (text, receivedAt) => {
        if (numbered === this.next) this.takeOver();
        this.options.onFrame(text, receivedAt);
      },
      onEnd: (end) => {
        this.ended(numbered, end);
      },
    });
    const numbered: Numbered = { number, connection, openedAtMs: undefined, lifetime: undefined };
    this.next = numbered;
  }

  private opened(numbered: Numbered, startedAtMs: number): void {
    const { timing, limits, telemetry } = this.options;
    numbered.openedAtMs = performance.now();
    telemetry({
      kind: 'connected',
      connection: numbered.number,
      handshakeMs: Math.round(numbered.openedAtMs - startedAtMs),
    });
    numbered.lifetime = setTimeout(
      () => {
        if (numbered === this.current) this.replace('LIFETIME');
      },
      Math.min(timing.connectionLifetimeMs, limits.connectionLifetimeMs),
    );
    if (this.current === undefined) this.takeOver();
    else
      this.overlap = setTimeout(() => {
        this.takeOver();
      }, timing.overlapMs);
  }

  /** The new connection becomes the current one. */
  private takeOver(): void {
    const { next, current } = this;
    if (next === undefined || !next.connection.isOpen) return;
    clearTimeout(this.overlap);
    const reason = this.replaceReason ?? 'LIFETIME';
    this.replaceReason = undefined;
    this.current = next;
    this.next = undefined;
    this.leave(current, reason);
    this.options.onUp();
  }

  private leave(numbered: Numbered | undefined, reason: DisconnectReason): void {
    if (numbered === undefined) return;
    this.leaving?.connection.end(reason, 'replaced by a new connection');
    this.leaving = numbered;
    numbered.connection.endWhenDrained(reason, 'replaced by a new connection', this.options.timing.overlapMs);
  }

  private ended(numbered: Numbered, end: ConnectionEnd): void {
    const { timing, telemetry } = this.options;
    const nowMs = performance.now();
    clearTimeout(numbered.lifetime);
    telemetry({ kind: 'disconnected', connection: numbered.number, reason: end.reason, detail: end.detail });
    this.obey(end, nowMs);
    if (numbered === this.next) {
      this.next = undefined;
      clearTimeout(this.overlap);
    } else if (numbered === this.current) {
      this.current = undefined;
      this.replaceReason = undefined;
      this.options.onDown();
      // One that was opened beside it is ready to take over.
      if (this.next?.connection.isOpen === true) {
        this.takeOver();
        return;
      }
    } else {
      if (numbered === this.leaving) this.leaving = undefined;
      return;
    }
    this.attempts = this.upMs(numbered) >= timing.stableMs ? 1 : this.attempts + 1;
    if (this.next === undefined) this.scheduleOpen();
  }

  private upMs({ openedAtMs }: Numbered): number {
    return openedAtMs === undefined ? 0 : performance.now() - openedAtMs;
  }

  private obey({ refusal }: ConnectionEnd, nowMs: number): void {
    if (refusal === undefined || !saysToWait(refusal.status, this.options.limits)) return;
    const durationMs = retryAfterMs(refusal.retryAfter, Date.now()) ?? this.options.timing.reconnectMaxMs;
    this.budget.blockFor(durationMs, nowMs);
  }
}
