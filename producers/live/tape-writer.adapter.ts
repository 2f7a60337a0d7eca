import { setTimeout as sleep } from 'node:timers/promises';
import { isPassing, TapeproofError } from '../../platform/errors.ts';
import type { RecordProducer } from '../../platform/kafka/producer.ts';
import { Appender } from '../appender.adapter.ts';
import { liveSourceOf } from '../venue.ts';
import type { Watermarks } from './watermarks.ts';
import type { InstrumentStream } from './instrument-stream.ts';
import { recordOfGap, recordOfWatermark, recordOfTrade, tradeGapOf, type LiveRecord } from './live-records.ts';
import type { RecordSource } from './record-queue.ts';
import type { LiveTelemetry } from './telemetry.ts';
import type { Released } from './reorder-buffer.ts';
import type { AppendCounts } from './append-counts.ts';
import type { TapePosition } from './tape-position.adapter.ts';
import type { LiveTiming } from './timing.ts';
import { Wake } from './wake.adapter.ts';

/** How often streams are checked when nothing arrives. */
const IDLE_MS = 100;
const MICROSECONDS_PER_MILLISECOND = 1_000;

export interface TapeWriterOptions {
  readonly venue: string;
  readonly streams: readonly InstrumentStream[];
  readonly producer: RecordProducer;
  readonly watermarks: Watermarks;
  readonly counts: AppendCounts;
  readonly timing: LiveTiming;
  readonly telemetry: LiveTelemetry;
  readonly signal: AbortSignal;
  /** Records that are not of a stream: dead letters, amendments. */
  readonly queues: readonly RecordSource[];
  /** The end of the tape, read again. */
  readonly readPosition: () => Promise<TapePosition>;
}

/** Thrown when the time to finish is over. */
class TimeIsOver extends Error {}

/**
 * The one ordered way to Kafka: takes releasable records from the streams, a batch at a time; one batch is filled
 * while one is in flight, never more. While Kafka is slow the streams wait.
 */
export class TapeWriter {
  private readonly options: TapeWriterOptions;
  private readonly wake = new Wake();
  private readonly timeIsOver: Promise<never>;
  private appender: Appender<LiveRecord>;
  private turn = 0;

  constructor(options: TapeWriterOptions) {
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

  /** A record may be released. */
  poke(): void {
    this.wake.poke();
  }

  /**
   * Runs until the signal, then sends the rest.
   *
   * @returns whether all released records reached Kafka
   */
  async run(): Promise<boolean> {
    const { signal, timing } = this.options;
    try {
      while (!signal.aborted) {
        await this.wake.wait(IDLE_MS);
        await sleep(timing.flushMs);
        const isFull = this.fill();
        this.addWatermarks();
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
    const { producer, counts, queues } = this.options;
    return new Appender(producer, (records) => {
      counts.acknowledged(records);
      for (const queue of queues) queue.acknowledged(records);
    });
  }

  /** Sends, and where Kafka does not accept the batch, continues after the tape's actual end. */
  private async sent(send: () => Promise<void>): Promise<void> {
    try {
      await Promise.race([send(), this.timeIsOver]);
    } catch (error) {
      await this.recover(error);
    }
  }

  private async recover(cause: unknown): Promise<void> {
    const { timing, telemetry, signal, readPosition, streams, queues } = this.options;
    let error = cause;
    while (!signal.aborted) {
      if (!(error instanceof TapeproofError) || !isPassing(error.code)) throw error;
      telemetry({ kind: 'append-failed', detail: error.message, pauseMs: timing.appendPauseMs });
      await sleep(timing.appendPauseMs, undefined, { signal }).catch(() => undefined);
      try {
        const { held } = await Promise.race([readPosition(), this.timeIsOver]);
        for (const stream of streams) stream.resume(held.get(stream.options.instrument));
        // Streams request their trades again; what is in the queues exists only here.
        for (const queue of queues) queue.putBack();
        this.appender = this.newAppender();
        return;
      } catch (failure) {
        error = failure;
      }
    }
    throw new TimeIsOver();
  }

  /** Takes releasable records, stream by stream; true where the batch is full. */
  private fill(): boolean {
    const { streams, queues } = this.options;
    const nowMs = performance.now();
    for (const queue of queues) {
      while (queue.first !== undefined) {
        const isFull = this.appender.add(queue.first);
        queue.sent();
        if (isFull) return true;
      }
    }
    for (let step = 0; step < streams.length; step += 1) {
      const stream = streams[(this.turn + step) % streams.length];
      if (stream !== undefined && this.takeFrom(stream, nowMs)) {
        // Each gets its turn, even when every batch is full.
        this.turn = (this.turn + step + 1) % streams.length;
        return true;
      }
    }
    return false;
  }

  private takeFrom(stream: InstrumentStream, nowMs: number): boolean {
    stream.advance(nowMs);
    while (true) {
      const { append } = stream.next(nowMs);
      if (append === undefined) break;
      const isFull = this.appender.add(this.recordOf(stream, append));
      stream.appended();
      if (isFull) return true;
    }
    stream.advance(nowMs);
    return false;
  }

  private recordOf({ options }: InstrumentStream, released: Released): LiveRecord {
    const { instrument, partition } = options;
    if (released.kind === 'trade') return recordOfTrade(released.trade, released.origin, partition);
    const { venue } = this.options;
    const place = { venue, instrument, source: liveSourceOf(venue) };
    return recordOfGap(tradeGapOf(released.gap, place, Date.now() * MICROSECONDS_PER_MILLISECOND), partition);
  }

  /**
   * After all records taken: a watermark never covers a trade that follows it, and a stream with trades left gets no watermark.
   */
  private addWatermarks(): void {
    const { streams, watermarks } = this.options;
    const nowMs = performance.now();
    for (const partition of new Set(streams.map(({ options }) => options.partition))) {
      if (!watermarks.isDue(partition, nowMs)) continue;
      const here = streams.filter(({ options }) => options.partition === partition);
      const inSync = here.map((stream) => ({
        instrument: stream.options.instrument,
        completeUntilMs: stream.completeUntilMs,
      }));
      const watermark = watermarks.next(partition, inSync, nowMs, Date.now());
      if (watermark === undefined) continue;
      this.appender.add(recordOfWatermark(watermark, partition));
      watermarks.written(partition, watermark, nowMs);
    }
  }
}
