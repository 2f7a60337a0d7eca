import { describe, expect, it } from 'vitest';
import type { LogReader } from '../platform/kafka/log-reader.ts';
import type { Registry } from '../platform/kafka/registry.ts';
import { sampleLog, sampleRegistry, SAMPLE_PARTITIONS } from '../tests/support/sample-log.ts';
import { EventLog } from './event-log.ts';
import { adviceFor, doubtsAbout, knownInstruments } from './known-instruments.ts';

const TOPIC = 'probability.decisions';
/** With unreadable records at its end. */
const decisions = sampleLog().get(TOPIC) ?? [];
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

  it('are searched for no further back than requested', async () => {
    reads.length = 0;
    const newest: string[] = [];
    for await (const { event } of log.newestDecisions(0, 3)) newest.push(event.eventId);
    expect(newest).toHaveLength(2);
    expect(reads).toEqual([[(decisions[0]?.length ?? 0) - 3, decisions[0]?.length]]);
  });

  it.each([
    ['BTC-USTD@binance', 'did you mean BTC-USDT@binance?'],
    ['BTC-USDT@binance', 'all its decisions are later'],
    ['XAUEUR@elsewhere', '"npx tapeproof instruments" lists the tape\'s instruments'],
  ])('advise for %s: %s', (instrument, advice) => {
    expect(adviceFor(instrument, ['BRK.B@nyse', 'BTC-USDT@binance'])).toContain(advice);
  });

  it('cast doubt on a configured name only if another one is a letter away', () => {
    const known = ['BTC-USDT@binance', 'ETH-USDT@binance', 'BRK.B@nyse'];
    expect(doubtsAbout(['BTC-USTD@binance', 'ETH-USDT@binance', 'SOL-USDT@binance', 'BRK-B@nyse'], known)).toEqual([
      'The configuration names BTC-USTD@binance, which has no data so far: did you mean BTC-USDT@binance?',
      'The configuration names BRK-B@nyse, which has no data so far: did you mean BRK.B@nyse?',
    ]);
    expect(doubtsAbout(['ETH-USTD@binance', 'ETH-USDT@binance'], known)).toEqual([]);
  });
});
