import { describe, expect, it } from 'vitest';
import type { LogReader } from '../platform/kafka/log-reader.ts';
import type { Registry } from '../platform/kafka/registry.ts';
import { sampleLog, sampleRegistry, SAMPLE_PARTITIONS } from '../tests/support/sample-log.ts';
import { EventLog } from './event-log.ts';
import { adviceFor, knownInstruments } from './known-instruments.ts';

const TOPIC = 'probability.decisions';
/** The sample's, without the unreadable records at its end, which a sound log has not. */
const decisions = (sampleLog().get(TOPIC) ?? []).map((records) =>
  records.filter(({ value }) => (value?.length ?? 0) > 9),
);
const reads: (readonly [from: number, to: number])[] = [];
const reader = {
  startOffset: () => Promise.resolve(0),
  endOffset: (_topic, partition) => Promise.resolve(decisions[partition]?.length ?? 0),
  async *read({ partition, from, to }) {
    reads.push([from, to]);
    yield await Promise.resolve((decisions[partition] ?? []).slice(from, to));
  },
} as Partial<LogReader> as LogReader;
const log = new EventLog(reader, sampleRegistry as Registry);

describe('the instruments of the newest decisions', () => {
  it('are those of every partition, once and sorted', async () => {
    const known = await knownInstruments(log, SAMPLE_PARTITIONS);
    expect(known).toEqual([...new Set(known)].sort());
    expect(known).toContain('BTC-USDT@binance');
    expect(known.length).toBeGreaterThan(1);
  });

  it('are looked for no further back than asked', async () => {
    reads.length = 0;
    const newest: string[] = [];
    for await (const { event } of log.newestDecisions(0, 3)) newest.push(event.eventId);
    expect(newest).toHaveLength(3);
    expect(reads).toEqual([[(decisions[0]?.length ?? 0) - 3, decisions[0]?.length]]);
  });

  it.each([
    ['BTC-USTD@binance', 'did you mean BTC-USDT@binance?'],
    ['BTC-USDT@binance', 'all that it has are later'],
    ['XAUEUR@elsewhere', '"npx tapeproof instruments" lists what it holds'],
  ])('advise for %s: %s', (instrument, advice) => {
    expect(adviceFor(instrument, ['BRK.B@nyse', 'BTC-USDT@binance'])).toContain(advice);
  });
});
