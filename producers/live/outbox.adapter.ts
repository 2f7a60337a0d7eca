import { setTimeout as sleep } from 'node:timers/promises';
import { isPassing, TapeproofError } from '../../platform/errors.ts';
import type { RecordProducer } from '../../platform/kafka/producer.ts';
import { Appender } from '../appender.adapter.ts';
import { liveSourceOf } from '../venue.ts';
import type { ClockTicks } from './clock-ticks.ts';
import type { Inbox } from './inbox.adapter.ts';
import type { Lane } from './lane.ts';
import { recordOfGap, recordOfTick, recordOfTrade, tradeGapOf, type LiveRecord } from './live-records.ts';
import type { LiveObserver } from './observer.ts';
import type { Released } from './sequencer.ts';
import type { Tally } from './tally.ts';
import type { TapePosition } from './tape-position.adapter.ts';
import type { LiveTiming } from './timing.ts';
import { Wake } from './wake.adapter.ts';

/** How often lanes are looked after when nothing comes. */
const IDLE_MS = 100;
const MICROSECONDS_PER_MILLISECOND = 1_000;

export interface OutboxOptions {
  readonly venue: string;
  readonly lanes: readonly Lane[];
  readonly producer: RecordProducer;
  readonly ticks: ClockTicks;
  readonly tally: Tally;
  readonly timing: LiveTiming;
  readonly observer: LiveObserver;
  readonly signal: AbortSignal;
  readonly deadLetters: Pick<Inbox, 'nextDeadLetter' | 'acknowledged' | 'putBack'>;
  /** What the tape holds, read anew. */
  readonly readPosition: () => Promise<TapePosition>;
}

/** Thrown where the time to finish is over. */
class TimeIsOver extends Error {}

/**
 * The one ordered way to Kafka: takes from the lanes what may go on, a batch at a time, the next one filled while one is
 * on its way and no more. While Kafka is slow the lanes wait.
 */
export class Outbox {
  private readonly options: OutboxOptions;
  private readonly wake = new Wake();
  private readonly timeIsOver: Promise<never>;
  private appender: Appender<LiveRecord>;
  private turn = 0;

  constructor(options: OutboxOptions) {
    this.options = options;
    this.appender = this.newAppender();
    const { signal, timing } = options;
    this.timeIsOver = new Promise((_, reject) => {
      signal.addEventListener('abort', () => {
        this.wake.poke();
        setTimeout(() => {
          reject(new TimeIsOver());
        }, timing.drainMs).unref();
      });
    });
    this.timeIsOver.catch(() => undefined);
  }

  /** Something may go on. */
  poke(): void {
    this.wake.poke();
  }

  /**
   * Runs until the signal, then sends the rest.
   *
   * @returns whether all that was released reached Kafka
   */
  async run(): Promise<boolean> {
    const { signal, timing } = this.options;
    try {
      while (!signal.aborted) {
        await this.wake.wait(IDLE_MS);
        await sleep(timing.flushMs);
        const isFull = this.fill();
        this.addTicks();
        await this.sent(() => this.appender.flush());
        if (isFull) this.wake.poke();
      }
      return await this.drain();
    } catch (error) {
      if (error instanceof TimeIsOver) return false;
      throw error;
    }
  }

  private async drain(): Promise<boolean> {
    let isComplete = true;
    try {
      let isFull = true;
      while (isFull) {
        isFull = this.fill();
        await Promise.race([this.appender.flush(), this.timeIsOver]);
      }
      await Promise.race([this.appender.drain(), this.timeIsOver]);
    } catch (error) {
      if (!(error instanceof TapeproofError) && !(error instanceof TimeIsOver)) throw error;
      isComplete = false;
    }
    return isComplete;
  }

  private newAppender(): Appender<LiveRecord> {
    const { producer, tally, deadLetters } = this.options;
    return new Appender(producer, (records) => {
      tally.acknowledged(records);
      deadLetters.acknowledged(records);
    });
  }

  /** Sends, and where Kafka does not take it, goes on behind what the tape then holds. */
  private async sent(send: () => Promise<void>): Promise<void> {
    try {
      await Promise.race([send(), this.timeIsOver]);
    } catch (error) {
      await this.recover(error);
    }
  }

  private async recover(cause: unknown): Promise<void> {
    const { timing, observer, signal, readPosition, lanes, deadLetters } = this.options;
    let error = cause;
    while (!signal.aborted) {
      if (!(error instanceof TapeproofError) || !isPassing(error.code)) throw error;
      observer.appendFailed({ detail: error.message, pauseMs: timing.appendPauseMs });
      await sleep(timing.appendPauseMs, undefined, { signal }).catch(() => undefined);
      try {
        const { held } = await Promise.race([readPosition(), this.timeIsOver]);
        for (const lane of lanes) lane.resume(held.get(lane.options.instrument));
        // Lanes ask for their trades again; dead letters nobody has but us.
        deadLetters.putBack();
        this.appender = this.newAppender();
        return;
      } catch (failure) {
        error = failure;
      }
    }
    throw new TimeIsOver();
  }

  /** Takes what may go on, lane by lane, and says whether the batch is full. */
  private fill(): boolean {
    const { lanes, deadLetters } = this.options;
    const nowMs = performance.now();
    while (true) {
      const deadLetter = deadLetters.nextDeadLetter();
      if (deadLetter === undefined) break;
      if (this.appender.add(deadLetter)) return true;
    }
    for (let step = 0; step < lanes.length; step += 1) {
      const lane = lanes[(this.turn + step) % lanes.length];
      if (lane !== undefined && this.takeFrom(lane, nowMs)) {
        // Each in its turn, also when every batch is full.
        this.turn = (this.turn + step + 1) % lanes.length;
        return true;
      }
    }
    return false;
  }

  private takeFrom(lane: Lane, nowMs: number): boolean {
    lane.review(nowMs);
    while (true) {
      const released = lane.next();
      if (released === undefined) break;
      if (this.appender.add(this.recordOf(lane, released))) return true;
    }
    lane.review(nowMs);
    return false;
  }

  private recordOf({ options }: Lane, released: Released): LiveRecord {
    const { instrument, partition } = options;
    if (released.kind === 'trade') return recordOfTrade(released.trade, released.origin, partition);
    const { venue } = this.options;
    const place = { venue, instrument, source: liveSourceOf(venue) };
    return recordOfGap(tradeGapOf(released.gap, place, Date.now() * MICROSECONDS_PER_MILLISECOND), partition);
  }

  /** Behind all that was taken: a tick never speaks for a trade that comes after it, and a lane with trades left has none. */
  private addTicks(): void {
    const { lanes, ticks } = this.options;
    const nowMs = performance.now();
    for (const partition of new Set(lanes.map(({ options }) => options.partition))) {
      if (!ticks.isDue(partition, nowMs)) continue;
      const here = lanes.filter(({ options }) => options.partition === partition);
      const inSync = here.map((lane) => ({
        instrument: lane.options.instrument,
        completeUntilMs: lane.completeUntilMs,
      }));
      const tick = ticks.tick(partition, inSync, nowMs, Date.now());
      if (tick !== undefined) this.appender.add(recordOfTick(tick, partition));
    }
  }
}
