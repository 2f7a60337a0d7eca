import type { OutgoingRecord } from '../../platform/kafka/outgoing-record.ts';
import type { CollectingProducer, RecordProducer } from '../../platform/kafka/producer.ts';

/** A producer that gives what it is to send, collected or not, to a function. */
export function collectingProducer(send: RecordProducer['send']): CollectingProducer {
  return {
    send,
    disconnect: () => Promise.resolve(),
    collector() {
      let records: OutgoingRecord[] = [];
      return {
        get count() {
          return records.length;
        },
        add(record) {
          records.push(record);
          return undefined;
        },
        send() {
          const collected = records;
          records = [];
          return send(collected);
        },
      };
    },
  };
}
