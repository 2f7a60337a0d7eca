import type { Log } from '../log.ts';
import type { Telemetry } from '../telemetry.ts';
import type { Assignment } from './assignment.ts';
import type { PartitionProgress } from './partition-progress.ts';
import { StallJudge, stallText, UNKNOWN_LAG_MS_MAX } from './stalls.ts';
import { topicPartitionKey } from './topic-partition.ts';

/** Its name on the health board. */
const PART = 'progress';
const MS_PER_S = 1_000;

/** How far a group is behind in a partition of this process. */
export interface Lag {
  readonly topic: string;
  readonly partition: number;
  readonly records: number;
  /** Undefined where the record cannot be read. */
  readonly seconds: number | undefined;
  /** By the event times in the log alone; undefined where they do not say. */
  readonly marketSeconds: number | undefined;
}

export interface LagTelemetrySettings {
  readonly groupId: string;
  readonly telemetry: Telemetry;
  readonly log: Log;
}

type Labels = Readonly<{ group: string; topic: string; partition: number }>;

/** Reports how far a group is behind, and whether it makes progress. */
export class LagTelemetry {
  readonly #settings: LagTelemetrySettings;
  readonly #judge = new StallJudge();
  #shown = new Map<string, Labels>();
  #isStalled = false;

  constructor(settings: LagTelemetrySettings) {
    this.#settings = settings;
    this.#board(true, 'not measured yet');
  }

  measured(lags: readonly Lag[], progress: PartitionProgress): void {
    this.#show(lags);
    if (progress.isRebalancing) this.#judge.excuse();
    const now = performance.now();
    const stalls = this.#judge.judge(
      now,
      lags.map(({ records: lag, topic, partition }) => {
        return { topic, partition, lag, progress: progress.of({ topic, partition }) };
      }),
    );
    const stalled = new Set(stalls.map(({ topic, partition }) => topicPartitionKey({ topic, partition })));
    for (const labels of this.#shown.values()) {
      const isStalled = stalled.has(topicPartitionKey(labels));
      this.#settings.telemetry.metrics.set('tapeproof_consumer_stalled', labels, isStalled ? 1 : 0);
    }
    this.#say(stalls.length > 0, stallText(stalls, now));
  }

  /** Kafka did not report it. */
  unknown({ assignment, progress }: { readonly assignment: Assignment; readonly progress: PartitionProgress }): void {
    this.#show([]);
    if (progress.isRebalancing || Object.keys(assignment).length === 0) this.#judge.excuse();
    else if (this.#judge.isBlind(performance.now())) {
      this.#say(true, `stalled: Kafka has not reported the lag of the group for ${UNKNOWN_LAG_MS_MAX / MS_PER_S} s`);
    }
  }

  close(): void {
    this.#show([]);
    this.#board(true, 'no longer measured');
  }

  #show(lags: readonly Lag[]): void {
    const { metrics } = this.#settings.telemetry;
    const next = new Map<string, Labels>();
    for (const { records, seconds, marketSeconds, topic, partition } of lags) {
      const labels = { group: this.#settings.groupId, topic, partition };
      next.set(topicPartitionKey({ topic, partition }), labels);
      metrics.set('tapeproof_consumer_lag_records', labels, records);
      this.#showTime('tapeproof_consumer_lag_seconds', labels, seconds);
      this.#showTime('tapeproof_consumer_lag_market_seconds', labels, marketSeconds);
    }
    for (const [key, labels] of this.#shown) {
      if (next.has(key)) continue;
      metrics.remove('tapeproof_consumer_lag_records', labels);
      metrics.remove('tapeproof_consumer_lag_seconds', labels);
      metrics.remove('tapeproof_consumer_lag_market_seconds', labels);
      metrics.remove('tapeproof_consumer_stalled', labels);
    }
    this.#shown = next;
  }

  #showTime(
    name: 'tapeproof_consumer_lag_seconds' | 'tapeproof_consumer_lag_market_seconds',
    labels: Labels,
    seconds: number | undefined,
  ): void {
    const { metrics } = this.#settings.telemetry;
    if (seconds === undefined) metrics.remove(name, labels);
    else metrics.set(name, labels, seconds);
  }

  #say(isStalled: boolean, detail: string): void {
    this.#board(!isStalled, detail);
    if (isStalled === this.#isStalled) return;
    this.#isStalled = isStalled;
    const { groupId, log } = this.#settings;
    const fields = { 'tapeproof.group': groupId };
    if (isStalled) log.event('stalled', `Group ${groupId} ${detail}`, fields);
    else log.event('stall-ended', `Group ${groupId} makes progress again`, fields);
  }

  #board(ready: boolean, detail: string): void {
    this.#settings.telemetry.health.set(PART, { alive: true, ready, detail });
  }
}
