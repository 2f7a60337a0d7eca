import type { OutgoingRecord } from '../platform/kafka/outgoing-record.ts';
import type { RecordProducer } from '../platform/kafka/producer.ts';

const BATCH_RECORDS_MAX = 4_000;
const BATCH_BYTES_MAX = 2 * 1024 * 1024;

/** Collects records while the previous batch is in flight: one batch in flight, one being filled, never more. */
export class Appender<Outgoing extends OutgoingRecord = OutgoingRecord> {
  private readonly producer: RecordProducer;
  private readonly onAcknowledged: (records: readonly Outgoing[]) => void;
  private batch: Outgoing[] = [];
  private batchBytes = 0;
  private inFlight: Promise<void> = Promise.resolve();

  /** @param onAcknowledged called for each batch that all replicas have */
  constructor(producer: RecordProducer, onAcknowledged: (records: readonly Outgoing[]) => void) {
    this.producer = producer;
    this.onAcknowledged = onAcknowledged;
  }

  /** Takes a record; when it returns true, the batch is full: await `flush` before the next. */
  add(record: Outgoing): boolean {
    this.batch.push(record);
    this.batchBytes += record.body.length;
    return this.batch.length >= BATCH_RECORDS_MAX || this.batchBytes >= BATCH_BYTES_MAX;
  }

  /** Sends what was collected once the batch before is acknowledged. @throws TapeproofError UNREACHABLE */
  async flush(): Promise<void> {
    await this.inFlight;
    if (this.batch.length === 0) return;
    const records = this.batch;
    this.batch = [];
    this.batchBytes = 0;
    this.inFlight = this.producer.send(records).then(() => {
      this.onAcknowledged(records);
    });
    // The next caller that awaits it gets its failure; until then nothing listens.
    this.inFlight.catch(() => undefined);
  }

  /** Sends the rest and waits until all of it is acknowledged. @throws TapeproofError UNREACHABLE */
  async drain(): Promise<void> {
    await this.flush();
    await this.inFlight;
  }
}
