import type { LogCheckpoint } from '../../contracts/generated/events.ts';
import { TapeproofError } from '../../platform/errors.ts';
import type { RecordProducer } from '../../platform/kafka/producer.ts';
import type { Log } from '../../platform/log.ts';
import type { Telemetry } from '../../platform/telemetry.ts';
import { nameOf, stampedBy, type Timestamp, type TimestampAuthority } from '../timestamps/authority.adapter.ts';
import { parseNote } from '../tlog/signed-note.ts';
import { recordOfCheckpoint } from './checkpoint-log.adapter.ts';
import type { LogStatus } from './publisher.adapter.ts';

/** Requests to an authority at once. */
const REQUESTS_AT_ONCE = 4;

export interface TimestampingSettings {
  readonly authority: TimestampAuthority;
  /** From one round with time stamps to the next; one that failed waits as long. */
  readonly everyMs: number;
  readonly producer: RecordProducer;
  readonly telemetry: Telemetry;
  readonly log: Log;
  readonly nowMs: () => number;
  /** For one request; by default the authority's. */
  readonly deadlineMs?: number;
}

/** Has the newest heads stamped with the time, after they were recorded, and records them again with their time stamps. */
export class Timestamping {
  readonly #settings: TimestampingSettings;
  /** The last head of each log that was stamped: its note. */
  readonly #stamped = new Map<string, string>();
  #dueAtMs = -Infinity;

  constructor(settings: TimestampingSettings) {
    this.#settings = settings;
  }

  /**
   * Where time stamps are due: one for each log's head that has none. Silence ends the round: it costs one deadline, not
   * one for each log.
   *
   * @param statuses - what a round of signing left.
   * @returns the same with the time stamps.
   */
  async round(statuses: readonly LogStatus[], signal: AbortSignal): Promise<readonly LogStatus[]> {
    const { nowMs, everyMs } = this.#settings;
    const beganAtMs = nowMs();
    const results = [...statuses];
    const left = [...statuses.entries()].filter(([, status]) => this.#isUnstamped(status));
    if (beganAtMs < this.#dueAtMs || left.length === 0) return results;
    this.#dueAtMs = beganAtMs + everyMs;
    let silence: LogStatus['timestampFailure'];
    const worker = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined && !signal.aborted; next = left.shift()) {
        const [index, status] = next;
        const outcome: Pick<LogStatus, 'timestamp' | 'timestampFailure'> =
          silence === undefined ? await this.#stamp(status, signal) : { timestampFailure: silence };
        const { timestampFailure: failure } = outcome;
        if (failure?.isRefusal === false) silence = failure;
        if (failure !== undefined) this.#count(failure);
        results[index] = { ...status, ...outcome };
      }
    };
    await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, worker));
    return results;
  }

  #isUnstamped({ head, difference }: LogStatus): boolean {
    if (head === undefined || difference !== undefined || head.timestamps.length > 0) return false;
    return this.#stamped.get(head.origin) !== head.note;
  }

  async #stamp({ head }: LogStatus, signal: AbortSignal): Promise<Pick<LogStatus, 'timestamp' | 'timestampFailure'>> {
    const { authority, nowMs, deadlineMs, log } = this.#settings;
    if (head === undefined) throw new RangeError('a log without a head is not stamped');
    try {
      const timestamp = await stampedBy(authority, parseNote(head.note).text, { nowMs, deadlineMs, signal });
      await this.#record(head, timestamp);
      return { timestamp };
    } catch (error) {
      if (!(error instanceof TapeproofError)) throw error;
      if (signal.aborted) return {};
      const isRefusal = error.code !== 'UNREACHABLE';
      const fields = { 'tapeproof.topic': head.topic, 'tapeproof.partition': head.partition };
      log.sampled(isRefusal ? 'timestamp-refused' : 'timestamp-silent')?.(error.message, fields);
      return { timestampFailure: { isRefusal, reason: error.message } };
    }
  }

  async #record(head: LogCheckpoint, { timeUs: time, isTrusted, token }: Timestamp): Promise<void> {
    const { authority, producer, telemetry } = this.#settings;
    const timestamps = [{ authority: nameOf(authority), time, isTrusted, token }];
    await producer.send([recordOfCheckpoint({ ...head, timestamps })]);
    this.#stamped.set(head.origin, head.note);
    telemetry.metrics.count('tapeproof_checkpoint_timestamps_total', {});
  }

  #count({ isRefusal }: NonNullable<LogStatus['timestampFailure']>): void {
    const reason = isRefusal ? 'refused' : 'silent';
    this.#settings.telemetry.metrics.count('tapeproof_checkpoint_timestamp_failures_total', { reason });
  }
}
