import type { DeadLetterReason } from '../../contracts/generated/events.ts';
import type { RefusedTrade } from '../venue.ts';
import { DEAD_LETTERS_PER_SECOND_MAX, deadLetterOf, RateBound } from './dead-letters.ts';
import { liveRecordOfDeadLetter, type LiveRecord } from './live-records.ts';
import { RecordQueue, type RecordSource } from './record-queue.ts';
import type { LiveTelemetry } from './telemetry.ts';

/** Dead letters that wait for Kafka, those in flight included; more are counted and not kept. */
const DEAD_LETTERS_WAITING_MAX = 200;

/** Refused trades and frames on their way to the dead letters: kept until Kafka has them, within a bound. */
export class DeadLetterQueue implements RecordSource {
  private readonly venue: string;
  private readonly partitions: number;
  private readonly telemetry: LiveTelemetry;
  private readonly bound = new RateBound(DEAD_LETTERS_PER_SECOND_MAX);
  private readonly records = new RecordQueue();
  deadLettersNotKept = 0;

  /** @param partitions number of partitions of the dead letters */
  constructor(venue: string, partitions: number, telemetry: LiveTelemetry) {
    this.venue = venue;
    this.partitions = partitions;
    this.telemetry = telemetry;
  }

  get first(): LiveRecord | undefined {
    return this.records.first;
  }

  /**
   * @param nowMs of a clock that never goes back
   * @param receivedAtUs by the clock on the wall, since 1970
   */
  add({ refusal, instrument, text }: RefusedTrade, nowMs: number, receivedAtUs: number): void {
    const hasRoom = this.records.size < DEAD_LETTERS_WAITING_MAX;
    const isKept = this.bound.allows(nowMs) && hasRoom;
    this.bound.spend(nowMs);
    if (!isKept) {
      this.notKept(instrument, refusal.reason);
      return;
    }
    const deadLetter = deadLetterOf(this.venue, text, refusal, receivedAtUs);
    this.records.add(liveRecordOfDeadLetter(deadLetter, instrument, this.partitions));
  }

  sent(): void {
    this.records.sent();
  }

  acknowledged(records: readonly LiveRecord[]): void {
    this.records.acknowledged(records);
  }

  /** One that arrived after all has the same identity. */
  putBack(): void {
    this.records.putBack();
  }

  /** At the end: unacknowledged ones are not kept. */
  giveUp(): void {
    for (const { event } of this.records.takeAll()) {
      if (event.kind === 'dead-letter') this.notKept(event.instrument, event.reason);
    }
  }

  private notKept(instrument: string | undefined, reason: DeadLetterReason): void {
    this.deadLettersNotKept += 1;
    this.telemetry({ kind: 'refused', instrument, reason, kept: false });
  }
}
