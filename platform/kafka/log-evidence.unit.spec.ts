import { describe, expect, it } from 'vitest';
import { frame } from '../../contracts/codec.ts';
import { partitionOf } from '../../contracts/partitioner.ts';
import { TAPE_TOPIC } from '../../contracts/topics.ts';
import { readLogEvidence } from './log-evidence.ts';
import type { LogReader } from './log-reader.ts';
import type { LogRecord } from './log-record.ts';
import { labelHeaders, labelOf } from './tape-label.ts';

const NAMES = Array.from({ length: 20 }, (_, index) => `C${index}-USDT@binance`);
const TAPE_PARTITIONS = 6;
const TAPE_ONLY = [TAPE_TOPIC] as const;

/** A tape of one record for each instrument, in the partition that `partitions` gives it. */
function tapeOf(
  partitions: number,
  headers: LogRecord['headers'] = {},
): Pick<LogReader, 'startOffset' | 'endOffset' | 'read'> {
  const held = (partition: number): LogRecord[] =>
    NAMES.filter((name) => partitionOf(name, partitions) === partition).map((name, offset) => ({
      ...{ topic: TAPE_TOPIC, partition, offset, headers, timestampMs: 0 },
      ...{ key: Buffer.from(name), value: frame(1, Buffer.from([0])) },
    }));
  return {
    startOffset: () => Promise.resolve(0),
    endOffset: (_, partition) => Promise.resolve(held(partition).length),
    async *read({ partition, from, to }) {
      yield await Promise.resolve(held(partition).slice(from, to));
    },
  };
}

describe('readLogEvidence', () => {
  it('finds by the keys that partitions were added to a tape without a label', async () => {
    expect((await readLogEvidence(tapeOf(TAPE_PARTITIONS), 12, TAPE_ONLY)).partitions).toBe(TAPE_PARTITIONS);
    expect((await readLogEvidence(tapeOf(12), 12, TAPE_ONLY)).partitions).toBeUndefined();
  });

  it('prefers the label to the keys, and concludes nothing from few unreadable records', async () => {
    const label = { partitions: TAPE_PARTITIONS, schemas: new Map([[7, 'ab'.repeat(32)]]) };
    const evidence = await readLogEvidence(tapeOf(12, labelHeaders(label)), 12, TAPE_ONLY);
    expect([evidence.label, evidence.partitions]).toEqual([label, TAPE_PARTITIONS]);
    expect(evidence.used).toEqual([{ topic: TAPE_TOPIC, id: 1, records: NAMES.length, readable: [], isCommon: true }]);
  });

  it.each(['', 'null', '{}', '{"partitions":0,"schemas":{}}', '{"partitions":6,"schemas":{"7":"x"}}'])(
    'does not accept %j as a label',
    (text) => {
      expect(labelOf({ 'tape-label': text })).toBeUndefined();
    },
  );
});
