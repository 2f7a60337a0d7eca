import { beforeEach, describe, expect, it } from 'vitest';
import { encodeBody } from '../contracts/codec.ts';
import { traceContextOf, traceOfTrade } from '../contracts/traceparent.ts';
import type { OutgoingRecord } from '../platform/kafka/outgoing-record.ts';
import type { RecordProducer } from '../platform/kafka/producer.ts';
import type { FinishedSpan, Tracing } from '../platform/tracing/tracing.ts';
import { tradeWith } from './live/fixtures/trade.ts';
import { tracedProducer } from './traced-producer.adapter.ts';

const sent: OutgoingRecord[] = [];
const spans: FinishedSpan[] = [];
let failure: Error | undefined;
const producer: RecordProducer = {
  send(records) {
    sent.push(...records);
    return failure === undefined ? Promise.resolve() : Promise.reject(failure);
  },
  disconnect: () => Promise.resolve(),
};
const tracing: Tracing = {
  report(span) {
    spans.push(span);
    return span.context ?? { traceId: '', spanId: '', isSampled: true };
  },
};

function recordOf(id: number, receivedAtMs = 0): OutgoingRecord {
  const trade = { ...tradeWith(id), receivedAt: receivedAtMs * 1_000 };
  const { instrument: key, eventTime: timestampUs } = trade;
  return { topic: 'raw.trades', partition: 0, key, type: 'Trade', body: encodeBody('Trade', trade), timestampUs };
}

describe('a traced producer', () => {
  beforeEach(() => {
    sent.length = 0;
    spans.length = 0;
    failure = undefined;
  });

  it('is the given one where no trade is traced', () => {
    expect(tracedProducer(producer, undefined, tracing)).toBe(producer);
  });

  it('gives the header to the sampled trades, and changes nothing else', async () => {
    const records = Array.from({ length: 200 }, (_, id) => recordOf(id));
    await tracedProducer(producer, 10, tracing).send(records);
    expect(sent.map(({ headers: _, ...record }) => record)).toEqual(records);
    const expected = records.map(({ body }) => traceOfTrade(body, 10));
    expect(sent.map(({ headers }) => traceContextOf(headers ?? {}))).toEqual(expected);
    expect(spans.map(({ context }) => context)).toEqual(expected.filter((context) => context !== undefined));
    expect(spans.length).toBeGreaterThan(5);
    expect(sent.filter(({ headers }) => headers !== undefined)).toHaveLength(spans.length);
  });

  it('passes over what is not a trade', async () => {
    const watermark = { ...recordOf(1), type: 'Watermark' } as const;
    await tracedProducer(producer, 1, tracing).send([watermark]);
    expect(sent).toEqual([watermark]);
  });

  it('writes headers although this process reports no spans', async () => {
    await tracedProducer(producer, 1, undefined).send([recordOf(1)]);
    expect(sent[0]?.headers).toHaveProperty('traceparent');
  });

  it('reports a span only once Kafka has the trade', async () => {
    failure = new Error('Kafka does not answer.');
    await expect(tracedProducer(producer, 1, tracing).send([recordOf(1)])).rejects.toThrow(failure);
    expect(spans).toEqual([]);
  });

  it('begins the span at the receipt, unless that was long ago: the file of another time', async () => {
    const nowMs = Date.now();
    await tracedProducer(producer, 1, tracing).send([recordOf(1, nowMs - 400), recordOf(2, 1_000), recordOf(3)]);
    const [live, recorded, unknown] = spans.map(({ startedAtMs }) => startedAtMs);
    expect(live).toBe(nowMs - 400);
    expect(recorded).toBeGreaterThanOrEqual(nowMs);
    expect(unknown).toBeGreaterThanOrEqual(nowMs);
  });
});
