import { TapeproofError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Telemetry } from '../telemetry.ts';
import { assignmentText, type Assignment } from './assignment.ts';
import type { AppliedOffset } from './offset-commits.ts';
import type { TopicPartition } from './topic-partition.ts';

const OUTAGE_SILENCE_MS = 10_000;

/** A consumer's telemetry: log lines, metrics and health. */
export class ConsumerTelemetry {
  readonly #groupId: string;
  readonly #log: Log;
  readonly #telemetry: Telemetry;
  #joins = 0;
  #outageLoggedAt = 0;
  #commitFailureLoggedAt = 0;

  constructor(groupId: string, log: Log, telemetry: Telemetry) {
    this.#groupId = groupId;
    this.#log = log;
    this.#telemetry = telemetry;
  }

  started(): void {
    this.#telemetry.metrics.count('tapeproof_consumer_rebalances_total', { group: this.#groupId }, 0);
    this.#health(true, false, `joining ${this.#groupId}`);
    this.#log.event('consumer-started', `Joining group ${this.#groupId}`, this.#group);
  }

  joined(memberId: string, assignment: Assignment): void {
    const group = this.#groupId;
    this.#joins += 1;
    if (this.#joins > 1) this.#telemetry.metrics.count('tapeproof_consumer_rebalances_total', { group });
    const partitions = assignmentText(assignment);
    this.#log.event('consumer-joined', `Member of group ${group}, join ${this.#joins}`, {
      ...this.#group,
      'tapeproof.member': memberId,
      'tapeproof.join': this.#joins,
    });
    this.#log.event('partitions-assigned', `Has ${partitions}`, { ...this.#group, 'tapeproof.partitions': partitions });
    this.#countAssigned(assignment);
    this.#health(true, true, `has ${partitions}`);
  }

  rebalanceAnnounced(error: Error): void {
    this.#log.debug(this.#group, `Group ${this.#groupId} rejoins: ${error.message}`);
  }

  revoked(lost: Assignment): void {
    const partitions = assignmentText(lost);
    this.#log.event('partitions-revoked', `No longer has ${partitions}`, {
      ...this.#group,
      'tapeproof.partitions': partitions,
    });
    for (const topic of Object.keys(lost)) this.#countAssigned({ [topic]: [] });
  }

  applied({ topic, partition }: TopicPartition, records: number): void {
    const labels = { group: this.#groupId, topic, partition };
    this.#telemetry.metrics.count('tapeproof_consumer_records_total', labels, records);
  }

  committed({ topic, partition, offset: nextOffset }: AppliedOffset): void {
    this.#log.sampled('offsets-committed')?.(`Partition ${partition} of ${topic} up to offset ${nextOffset}`, {
      ...this.#group,
      'tapeproof.topic': topic,
      'tapeproof.partition': partition,
      'tapeproof.next_offset': nextOffset,
    });
  }

  /** Retried several times a second: reporting it once in ten seconds is enough. */
  notCommitted(error: Error): void {
    const now = Date.now();
    if (now - this.#commitFailureLoggedAt < OUTAGE_SILENCE_MS) return;
    this.#commitFailureLoggedAt = now;
    const sentence = `Kafka does not take the offsets of group ${this.#groupId} yet: ${error.message}`;
    this.#log.event('commit-failed', sentence, { ...this.#group, error });
  }

  /** An outage affects every partition repeatedly: reporting it once in ten seconds is enough. */
  paused({ topic, partition }: TopicPartition, attempts: number, error: Error): void {
    const now = Date.now();
    if (now - this.#outageLoggedAt < OUTAGE_SILENCE_MS) return;
    this.#outageLoggedAt = now;
    const sentence = `Partition ${partition} of ${topic} waits, nothing is committed: ${error.message}`;
    this.#log.event('partition-paused', sentence, {
      ...this.#group,
      'tapeproof.topic': topic,
      'tapeproof.partition': partition,
      'tapeproof.attempts': attempts,
      ...(error instanceof TapeproofError ? { 'event.reason': error.code } : { error }),
    });
  }

  /** The client restarts itself. */
  crashed(error: Error): void {
    this.#health(true, false, `rejoining: ${error.message}`);
    this.#log.event('consumer-crashed', `Group ${this.#groupId}: the Kafka client restarts (${error.message})`, {
      ...this.#group,
      error,
    });
  }

  /** Permanently. */
  stopped(error: Error): void {
    this.#health(false, false, error.message);
    if (error instanceof TapeproofError && error.code === 'CONFLICT') {
      this.#log.event('conflict', error.message, this.#group);
    }
    this.#log.event('consumer-stopped', `Consumer stops: ${error.message}`, { ...this.#group, error });
  }

  leaving(): void {
    this.#health(true, false, 'stopping');
  }

  /** @param error why the broker was not notified. */
  left(error: Error | undefined): void {
    const goodbye =
      error === undefined ? '' : ' without notifying the broker, which will notice by the session timeout';
    this.#log.event('consumer-left', `Left group ${this.#groupId}${goodbye}`, {
      ...this.#group,
      ...(error === undefined ? {} : { error }),
    });
  }

  get #group(): { readonly 'tapeproof.group': string } {
    return { 'tapeproof.group': this.#groupId };
  }

  #health(alive: boolean, ready: boolean, detail: string): void {
    this.#telemetry.health.set('consumer', { alive, ready, detail });
  }

  #countAssigned(assignment: Assignment): void {
    for (const [topic, partitions] of Object.entries(assignment)) {
      const labels = { group: this.#groupId, topic };
      this.#telemetry.metrics.set('tapeproof_consumer_assigned_partitions', labels, partitions.length);
    }
  }
}
