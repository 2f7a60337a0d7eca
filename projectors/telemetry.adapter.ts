import type { DeadLetter } from '../contracts/generated/events.ts';
import { DERIVED_TOPICS } from '../contracts/topics.ts';
import { isDerived } from '../contracts/foreign-record.ts';
import { reportDeadLetter } from '../platform/dead-letter-telemetry.ts';
import type { Log } from '../platform/log.ts';
import type { Metrics } from '../platform/metrics/metrics.ts';
import type { CheckResult } from './projector.ts';
import type { RootCheck } from './engine-roots.ts';
import { remedyForRoot } from './remedies.adapter.ts';
import type { Counts, HeldOutput, Position, SinkBatch } from './sink.ts';

const SECONDS_PER_MS = 1e-3;
const FATES = ['applied', 'duplicate', 'conflict', 'dead', 'ignored'] as const satisfies readonly (keyof Counts)[];

/** Reports the fate of a projector's records: log lines and metrics. */
export class ProjectorTelemetry {
  readonly #projector: string;
  readonly #log: Log;
  readonly #metrics: Metrics;
  #failure: string | undefined;

  constructor(projector: string, log: Log, metrics: Metrics) {
    this.#projector = projector;
    this.#log = log;
    this.#metrics = metrics;
  }

  /** Measures one write to the store, whatever its result. */
  async timedWrite<Result>(write: () => Promise<Result>): Promise<Result> {
    const startedAt = performance.now();
    try {
      return await write();
    } finally {
      const seconds = (performance.now() - startedAt) * SECONDS_PER_MS;
      this.#metrics.observe('tapeproof_projector_write_seconds', { projector: this.#projector }, seconds);
    }
  }

  applied(sinkBatch: SinkBatch<unknown>, counts: Counts, refused: readonly DeadLetter[]): void {
    const labels = { projector: this.#projector, topic: sinkBatch.topic };
    this.#metrics.count('tapeproof_projector_records_read_total', labels, counts.read);
    for (const fate of FATES) {
      this.#metrics.count('tapeproof_projector_records_total', { ...labels, fate }, counts[fate]);
    }
    if (counts.conflict > 0) this.#conflict(sinkBatch, counts.conflict);
    for (const letter of refused) this.#refused(letter);
  }

  /** Results of a projector that checks, once they are stored. */
  checked(results: readonly CheckResult[]): void {
    for (const { result, eventId, sentence } of results) {
      this.#metrics.count('tapeproof_oracle_checked_total', { result });
      if (result !== 'diverges') continue;
      this.#metrics.count('tapeproof_oracle_divergences_total', {});
      this.#log.event('oracle-divergence', sentence, { 'event.id': eventId });
    }
  }

  /** A comparison with a root of the engine. */
  compared({ topic, partition, fromSequence, nextSequence, result, difference, anchor }: RootCheck): void {
    this.#metrics.count('tapeproof_projector_roots_total', { projector: this.#projector, topic, result });
    if (result === 'agrees') return;
    const remedy =
      result === 'awaits'
        ? 'unless the engine is deriving them again, ' + remedyForRoot(this.#projector)
        : remedyForRoot(this.#projector);
    this.#log.event(
      result === 'awaits' ? 'root-awaited' : 'root-differs',
      `${this.#projector}: ${topic}-${partition} is not what the engine's anchor at tape offset ${anchor.tapeOffset} names: ${difference ?? ''}; ${remedy}`,
      {
        'tapeproof.topic': topic,
        'tapeproof.partition': partition,
        'tapeproof.from_sequence': fromSequence,
        'tapeproof.next_sequence': nextSequence,
        'tapeproof.tape.offset': anchor.tapeOffset,
        'tapeproof.offset': anchor.logOffset,
      },
    );
  }

  /** What all comparisons found so far. */
  held(outputs: readonly HeldOutput[]): void {
    const differing = new Map<string, number>(DERIVED_TOPICS.map((topic) => [topic, 0]));
    for (const { topic, differing: count } of outputs) differing.set(topic, (differing.get(topic) ?? 0) + count);
    for (const [topic, count] of differing) {
      this.#metrics.set('tapeproof_projector_roots_differing', { projector: this.#projector, topic }, count);
    }
  }

  /** Why the last comparison failed, other than by an outage; undefined where it did not. Each reason is reported once. */
  failed(reason: string | undefined): void {
    if (reason !== undefined && reason !== this.#failure) {
      this.#log.event('roots-not-compared', `${this.#projector}: ${reason}`, {});
    }
    this.#failure = reason;
  }

  /** The store's position is not where the batch began. */
  moved({ topic, partition, from }: SinkBatch<unknown>, found: Position): void {
    this.#log.event(
      'store-moved',
      `${this.#projector}: the store has another position in partition ${partition} of ${topic}, continuing from there`,
      {
        'tapeproof.topic': topic,
        'tapeproof.partition': partition,
        'tapeproof.expected_offset': from.nextOffset,
        'tapeproof.found_offset': found.nextOffset,
      },
    );
  }

  #conflict({ topic, partition, from, to }: SinkBatch<unknown>, conflicts: number): void {
    this.#metrics.count('tapeproof_projector_conflicts_total', { projector: this.#projector }, conflicts);
    this.#log.event(
      'conflict',
      `${this.#projector}: ${conflicts} records of partition ${partition} of ${topic} contradict stored ones: see tapeproof.conflicts`,
      {
        'tapeproof.topic': topic,
        'tapeproof.partition': partition,
        'tapeproof.from_offset': from.nextOffset,
        'tapeproof.next_offset': to.nextOffset,
        'tapeproof.conflicts': conflicts,
      },
    );
  }

  #refused(letter: DeadLetter): void {
    const { reader, detail, source } = letter;
    if (isDerived(source.name)) this.#foreign(reader, source, detail);
    const sentence = (): string => `${source.name} record ${source.position} cannot be used: ${detail}`;
    reportDeadLetter({ metrics: this.#metrics, log: this.#log }, letter, sentence, {
      'tapeproof.topic': source.name,
      'tapeproof.partition': source.partition,
      'tapeproof.offset': source.position,
    });
  }

  /** Only engines write to derived topics: an unreadable record there is foreign. */
  #foreign(reader: string, { name: topic, partition, position }: DeadLetter['source'], detail: string): void {
    this.#metrics.count('tapeproof_foreign_records_total', { reader, topic });
    this.#log.sampled('foreign-record')?.(`${topic} record ${position} is passed over: ${detail}`, {
      'tapeproof.reader': reader,
      'tapeproof.topic': topic,
      'tapeproof.partition': partition,
      'tapeproof.offset': position,
    });
  }
}
