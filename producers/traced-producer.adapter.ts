import { decodeBody } from '../contracts/codec.ts';
import { traceHeaders, traceOfTrade, type TraceContext } from '../contracts/traceparent.ts';
import type { OutgoingRecord } from '../platform/kafka/outgoing-record.ts';
import type { RecordProducer } from '../platform/kafka/producer.ts';
import type { Tracing } from '../platform/tracing/tracing.ts';

const MICROSECONDS_PER_MILLISECOND = 1_000;
/** An older receipt is of whoever recorded the file. */
const RECEIPT_AGE_MAX_MS = 600_000;

/**
 * A producer that begins a trace at some of the trades: their records get the header, and once Kafka has them a span
 * from the trade's receipt, where it is known, to the acknowledgement is reported.
 *
 * @param oneIn - one trade of this many; undefined for none: the producer is then the given one.
 */
export function tracedProducer(
  producer: RecordProducer,
  oneIn: number | undefined,
  tracing: Tracing | undefined,
): RecordProducer {
  if (oneIn === undefined) return producer;
  return {
    disconnect: () => producer.disconnect(),
    async send(records) {
      const startedAtMs = Date.now();
      const sampled: [OutgoingRecord, TraceContext][] = [];
      const traced = records.map((record) => {
        const context = record.type === 'Trade' ? traceOfTrade(record.body, oneIn) : undefined;
        if (context === undefined) return record;
        sampled.push([record, context]);
        return { ...record, headers: { ...record.headers, ...traceHeaders(context) } };
      });
      await producer.send(traced);
      if (tracing === undefined) return;
      for (const [record, context] of sampled) tracing.report(spanOf(record, context, startedAtMs));
    },
  };
}

function spanOf({ topic, partition, body }: OutgoingRecord, context: TraceContext, sentAtMs: number) {
  const { instrument, tradeId, eventTime, receivedAt } = decodeBody('Trade', body);
  const receivedAtMs = receivedAt / MICROSECONDS_PER_MILLISECOND;
  const isOfThisRun = receivedAtMs <= sentAtMs && sentAtMs - receivedAtMs < RECEIPT_AGE_MAX_MS;
  return {
    name: `send ${topic}`,
    kind: 'producer',
    startedAtMs: isOfThisRun ? receivedAtMs : sentAtMs,
    endedAtMs: Date.now(),
    context,
    attributes: {
      'messaging.system': 'kafka',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.destination.name': topic,
      'messaging.destination.partition.id': String(partition),
      'tapeproof.instrument': instrument,
      'tapeproof.trade_id': tradeId,
      'tapeproof.event_time_us': eventTime,
    },
  } as const;
}
