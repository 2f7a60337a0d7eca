import { encodeBody } from '../contracts/codec.ts';
import type { DeadLetter } from '../contracts/generated/events.ts';
import { perTopic, type DerivedTopic } from '../contracts/topics.ts';
import type { LogRecord } from '../platform/kafka/log-record.ts';
import type { RecordCollector } from '../platform/kafka/producer.ts';
import type { Advance } from './advance.ts';
import type { AnchorRecord } from './anchor.ts';
import type { DeadLetterLog } from './dead-letter-log.adapter.ts';
import { headersFrom, recordOfEvent, recordOfLetter, timestampUsOf } from './outgoing-records.ts';
import type { OutputComparison } from './output-comparison.adapter.ts';
import type { OutputWriter, Unsent, WriterContext } from './output-writer.adapter.ts';
import type { PartitionTask } from './partition-task.ts';
import type { RefusalTelemetry } from './refusal-telemetry.adapter.ts';
import { UnsentReports } from './telemetry.adapter.ts';

/** Records collected before they are sent. */
const RECORDS_MAX = 4_000;

export interface OutboxContext extends Pick<WriterContext, 'counters' | 'report'> {
  /** Commit of this build, or 'unknown'. */
  readonly gitCommit: string;
}

/** What is known of the records that are sent next. */
interface Collected extends Unsent {
  readonly sequences: Readonly<Record<DerivedTopic, number[]>>;
  /** Dead letters among the records, to be reported. */
  readonly letters: DeadLetter[];
}

/** What an outbox leads to, from one recovery to the next. */
interface OutboxParts {
  readonly task: PartitionTask;
  readonly writer: OutputWriter;
  /** What the logs already hold. */
  readonly held: { readonly comparison: OutputComparison; readonly deadLetters: DeadLetterLog };
  readonly refusals: RefusalTelemetry;
}

/**
 * The results of one partition's tape records on their way to Kafka: those that the logs already hold are left out, the
 * others are sent together, events and dead letters before the anchor that promises them.
 */
export class Outbox {
  readonly #partition: number;
  readonly #context: OutboxContext;
  readonly #parts: OutboxParts;
  /** Undefined when no output is left to compare with. A record processed again may be refused again even then. */
  #comparison: OutputComparison | undefined;
  readonly #records: RecordCollector;
  #collected = nothingCollected();

  constructor(partition: number, context: OutboxContext, parts: OutboxParts) {
    this.#partition = partition;
    this.#context = context;
    this.#parts = parts;
    this.#comparison = parts.held.comparison;
    this.#records = parts.writer.collector();
  }

  /**
   * Takes the results of a record, and sends what has been collected when it is much, or when an anchor is due.
   *
   * @param isNew - false where an earlier process has taken in the record.
   * @throws TapeproofError like {@link flush}; CONFLICT, SEQUENCE_GAP when an output holds other events.
   */
  async collect(advance: Advance, record: LogRecord, isNew: boolean): Promise<void> {
    const { counters, gitCommit, report } = this.#context;
    const { task, writer, held, refusals } = this.#parts;
    const commits = { derivedBy: gitCommit, activatedBy: task.activation?.gitCommit ?? 'unknown' };
    if (advance.setAside !== undefined && isNew) refusals.setAside(advance.setAside, record.offset);
    const headers = advance.derived.length === 0 ? undefined : headersFrom(record);
    for (const derived of advance.derived) {
      writer.derived(derived, commits);
      if (this.#comparison !== undefined) {
        if (await this.#comparison.holds(derived, commits)) {
          counters.compared += 1;
          continue;
        }
        if (this.#comparison.isOver) await this.#endComparison();
      }
      counters.events += 1;
      this.#collected.sequences[derived.topic].push(derived.sequence);
      report.derived(derived, this.#collected.reports);
      const added = this.#records.add(recordOfEvent(this.#partition, derived, headers));
      if (added !== undefined) await added;
    }
    for (const letter of advance.deadLetters) {
      const body = encodeBody('DeadLetter', letter);
      if (await held.deadLetters.holds(body, record.offset)) continue;
      counters.deadLetters += 1;
      this.#collected.letters.push(letter);
      await this.#records.add(recordOfLetter(this.#partition, letter, body, timestampUsOf(record)));
    }
    if (advance.anchor !== undefined) await this.writeAnchor(advance.anchor, timestampUsOf(record));
    else if (this.#records.count >= RECORDS_MAX) await this.flush();
  }

  /** Events first: an anchor promises only records that exist. @throws TapeproofError like {@link flush} */
  async writeAnchor(anchor: AnchorRecord, timestampUs: number): Promise<void> {
    await this.flush();
    await this.#parts.writer.writeAnchor(anchor, timestampUs, this.#comparison?.positions ?? {});
  }

  /** Sends what was collected. @throws TapeproofError UNREACHABLE, CONFIGURATION; OutputsInDoubt */
  async flush(): Promise<void> {
    const collected = this.#collected;
    if (this.#records.count === 0) return;
    this.#collected = nothingCollected();
    await this.#parts.writer.send(this.#records, collected);
    for (const letter of collected.letters) this.#parts.refusals.deadLetter(letter);
  }

  /** What was not sent is dropped with it. */
  async close(): Promise<void> {
    await this.#endComparison();
  }

  async #endComparison(): Promise<void> {
    const comparison = this.#comparison;
    this.#comparison = undefined;
    if (comparison !== undefined) this.#context.report.compared(comparison);
    await comparison?.close();
  }
}

function nothingCollected(): Collected {
  return { sequences: perTopic(() => []), reports: new UnsentReports(), letters: [] };
}
