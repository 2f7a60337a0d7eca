import { DERIVED_TOPICS, perTopic, type DerivedEvent, type DerivedTopic } from '../../contracts/topics.ts';
import type { DerivedRecord } from '../../evaluators/advance.ts';
import type { EventLog, Located } from '../event-log.ts';
import { fieldDifferences, type FieldDifference } from './field-differences.ts';

/**
 * A place where the log and the derivation from the same tape differ.
 *
 * `bytes`: another event under the same sequence · `missing`: not in the log, though later ones are · `extra`: in the
 * log, but not derived.
 */
export interface LogDifference {
  readonly kind: 'bytes' | 'missing' | 'extra';
  readonly topic: DerivedTopic;
  readonly partition: number;
  readonly sequence: number;
  readonly eventId: string;
  /** Null when it is missing. */
  readonly logOffset: number | null;
  /** Field by field, the log's value first; empty when only one side has the event. */
  readonly fields: readonly FieldDifference[];
}

/** The recorded log beside what is derived again from the recorded tape. */
export interface LogComparisonReport {
  /** Events with the same bytes, by the SHA-256 of schema and body. */
  readonly equal: number;
  readonly differing: number;
  readonly missing: number;
  readonly extra: number;
  /** Derived events that the log does not have yet: it ends before the tape does. */
  readonly notYetRecorded: number;
  /** Events of the log that another engine version derived: nothing is said about them. */
  readonly notDerived: number;
  /** Events that the log has once more: set aside, and their bytes not compared, as `certify` does. */
  readonly repeated: number;
  /** The first difference, by partition and tape. */
  readonly first: LogDifference | null;
}

type Tallies = { -readonly [Key in Exclude<keyof LogComparisonReport, 'first'>]: number };

/** Compares derivations with the log, one partition after another; each log is read once, forward. */
export class LogComparison {
  private readonly log: Pick<EventLog, 'sequenced'>;
  private readonly tallies: Tallies = {
    ...{ equal: 0, differing: 0, missing: 0, extra: 0, notYetRecorded: 0, notDerived: 0, repeated: 0 },
  };
  private first: LogDifference | null = null;

  constructor(log: Pick<EventLog, 'sequenced'>) {
    this.log = log;
  }

  report(): LogComparisonReport {
    return { ...this.tallies, first: this.first };
  }

  /** The comparison of one partition. */
  partition(partition: number): PartitionComparison {
    return new PartitionComparison(this.log, partition, (kind, difference) => {
      this.tallies[kind] += 1;
      if (difference !== undefined) this.first ??= difference;
    });
  }
}

type Noted = (kind: keyof Tallies, difference?: LogDifference) => void;

/** One partition: each topic's events must come in sequence. */
class PartitionComparison {
  private readonly partition: number;
  private readonly cursors: Readonly<Record<DerivedTopic, AsyncGenerator<Located<DerivedEvent>>>>;
  /** The next event of each log; undefined at its end. */
  private readonly heads = new Map<DerivedTopic, Located<DerivedEvent> | undefined>();
  private readonly note: Noted;

  constructor(log: Pick<EventLog, 'sequenced'>, partition: number, note: Noted) {
    this.partition = partition;
    this.note = note;
    this.cursors = perTopic((topic) =>
      log.sequenced(topic, partition, () => {
        this.note('repeated');
      }),
    );
  }

  /** Compares derived events with those of the log. @throws TapeproofError UNREACHABLE */
  async take(derived: readonly DerivedRecord[]): Promise<void> {
    for (const record of derived) await this.compare(record);
  }

  /**
   * Accounts for the rest of the log.
   *
   * @param nextOffset - the first tape offset that was not derived.
   * @param isForeign - true when another engine version continues there.
   */
  async end(nextOffset: number, to: number, isForeign: boolean): Promise<void> {
    for (const topic of DERIVED_TOPICS) {
      for (let head = await this.head(topic); head !== undefined; head = await this.pass(topic)) {
        const { offset } = head.event.tape;
        if (offset < nextOffset) this.note('extra', this.difference('extra', topic, head.event, head, []));
        else if (isForeign && offset < to) this.note('notDerived');
        else break;
      }
      await this.cursors[topic].return(undefined);
    }
  }

  private async compare({ topic, event, sequence, hash }: DerivedRecord): Promise<void> {
    for (let head = await this.head(topic); head !== undefined; head = await this.pass(topic)) {
      if (head.event.sequence > sequence) {
        this.note('missing', this.difference('missing', topic, event, undefined, []));
        return;
      }
      if (head.event.sequence < sequence) {
        this.note('extra', this.difference('extra', topic, head.event, head, []));
        continue;
      }
      if (head.hash === hash.toString('hex')) this.note('equal');
      else {
        const fields = fieldDifferences(head.event, event);
        this.note('differing', this.difference('bytes', topic, event, head, fields));
      }
      await this.pass(topic);
      return;
    }
    this.note('notYetRecorded');
  }

  private async head(topic: DerivedTopic): Promise<Located<DerivedEvent> | undefined> {
    return this.heads.has(topic) ? this.heads.get(topic) : await this.pass(topic);
  }

  /** @returns the event after the present one. */
  private async pass(topic: DerivedTopic): Promise<Located<DerivedEvent> | undefined> {
    const next = await this.cursors[topic].next();
    const head = next.done === true ? undefined : next.value;
    this.heads.set(topic, head);
    return head;
  }

  private difference(
    kind: LogDifference['kind'],
    topic: DerivedTopic,
    { sequence, eventId }: DerivedEvent,
    located: Located<DerivedEvent> | undefined,
    fields: readonly FieldDifference[],
  ): LogDifference {
    const { partition } = this;
    return { ...{ kind, topic, partition, sequence, eventId, fields }, logOffset: located?.offset ?? null };
  }
}
