import type { LiveRecord } from './live-records.ts';

/** Records beside the streams' own, on their way to Kafka. */
export interface RecordSource {
  /** The next one to send; undefined where none waits. */
  readonly first: LiveRecord | undefined;
  /** `first` is sent. */
  sent(): void;
  /** Kafka has these records, of whatever source. */
  acknowledged(records: readonly LiveRecord[]): void;
  /** Unacknowledged ones wait again, before all others. */
  putBack(): void;
}

/** Records that exist only here: they are kept until Kafka has them. */
export class RecordQueue implements RecordSource {
  private waiting: LiveRecord[] = [];
  /** Sent, but not yet acknowledged. */
  private readonly underWay = new Set<LiveRecord>();

  get first(): LiveRecord | undefined {
    return this.waiting[0];
  }

  /** Those in flight included. */
  get size(): number {
    return this.waiting.length + this.underWay.size;
  }

  add(record: LiveRecord): void {
    this.waiting.push(record);
  }

  sent(): void {
    const first = this.waiting.shift();
    if (first !== undefined) this.underWay.add(first);
  }

  acknowledged(records: readonly LiveRecord[]): void {
    if (this.underWay.size > 0) for (const record of records) this.underWay.delete(record);
  }

  putBack(): void {
    this.waiting = [...this.underWay, ...this.waiting];
    this.underWay.clear();
  }

  /** Removes and returns all. */
  takeAll(): readonly LiveRecord[] {
    this.putBack();
    return this.waiting.splice(0);
  }
}
