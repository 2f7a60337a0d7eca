import { describe, expect, it } from 'vitest';
import { Decimal } from '../../contracts/decimal.ts';
import type { EventTypes, Outcome, ProbabilityDecision, RecordName, Trade } from '../../contracts/generated/events.ts';
import { partitionOf } from '../../contracts/partitioner.ts';
import { watermarkOf } from '../../evaluators/fixtures/tape-contents.ts';
import { createMemoryLatest } from '../../tests/support/memory-store.ts';
import { tradeNumber } from '../../tests/support/seeded-tape.ts';
import type { ProjectedEvent } from '../projector.ts';
import { redisLatest } from './projector.ts';

const PARTITIONS = 6;
const trade = tradeNumber(0);
const home = partitionOf(trade.instrument, PARTITIONS);

function sourceOf<Name extends RecordName>(
  type: Name,
  event: Partial<EventTypes[Name]>,
  partition = home,
): ProjectedEvent {
  const bodyHash = () => Buffer.alloc(32);
  return {
    type,
    event,
    topic: 'raw.trades',
    partition,
    offset: 1,
    partitions: PARTITIONS,
    bodyHash,
  } as unknown as ProjectedEvent;
}

describe('redis-latest', () => {
  it('takes the price of a trade, ordered by its event time', () => {
    expect(redisLatest.project(sourceOf('Trade', trade))).toEqual([
      {
        kind: 'set-if-later',
        entity: trade.instrument,
        timeField: 'priceTimeUs',
        timeUs: trade.eventTime,
        id: trade.tradeId,
        fields: { price: trade.price.toString(), tradeId: trade.tradeId, staleAfterMs: '60000' },
      },
    ]);
  });

  it.each<[string, Partial<Trade>, number]>([
    ['without a size', { size: Decimal.ZERO }, home],
    ['stamped after it was received', { eventTime: trade.receivedAt + 60_000_000 }, home],
    ['in a partition that is not its instrument’s', {}, home + 1],
  ])('ignores a trade %s, as the engine does', (_, change, partition) => {
    expect(redisLatest.project(sourceOf('Trade', { ...trade, ...change }, partition))).toEqual([]);
  });

  it('reads from a watermark how far its instruments are known, in their own partition', () => {
    const watermark = watermarkOf([trade.instrument, 'NONE-USDT@binance'], trade.eventTime);
    const here = [trade.instrument, 'NONE-USDT@binance'].filter((name) => partitionOf(name, PARTITIONS) === home);
    expect(redisLatest.project(sourceOf('Watermark', watermark))).toEqual(
      here.map((entity) => ({ kind: 'advance', entity, timeField: 'clockUs', timeUs: trade.eventTime })),
    );
    expect(
      redisLatest.project(sourceOf('Watermark', { ...watermark, instruments: [...watermark.instruments].reverse() })),
    ).toEqual([]);
  });

  it('is stale when the market is known for a minute after the latest trade, until the next one', async () => {
    const store = createMemoryLatest(redisLatest.lags);
    let offset = 0;
    const after = async (source: ProjectedEvent): Promise<string | undefined> => {
      const from = { nextOffset: offset, nextSequence: 0 };
      const to = { nextOffset: (offset += 1), nextSequence: 0 };
      const admitted = [{ offset: from.nextOffset, output: redisLatest.project(source) }];
      await store.apply({
        topic: 'raw.trades',
        partition: home,
        from,
        to,
        admitted,
        repeated: [],
        dead: 0,
        ignored: 0,
      });
      const [[, fields] = ['', {}]] = JSON.parse(store.values()) as [string, Record<string, string>][];
      return fields['stale'];
    };
    const at = (seconds: number) => trade.eventTime + seconds * 1_000_000;
    const watermark = (seconds: number) => sourceOf('Watermark', watermarkOf([trade.instrument], at(seconds)));
    const traded = (seconds: number) =>
      sourceOf('Trade', { ...trade, tradeId: `t${seconds}`, eventTime: at(seconds), receivedAt: at(seconds) });
    expect(await after(watermark(-1))).toBeUndefined();
    expect(await after(traded(0))).toBe('0');
    expect(await after(watermark(60))).toBe('0');
    expect(await after(watermark(61))).toBe('1');
    // The clock never goes back, and a trade that was late from the start changes nothing.
    expect(await after(watermark(30))).toBe('1');
    expect(await after(traded(-5))).toBe('1');
    expect(await after(traded(62))).toBe('0');
  });

  it('takes a decision, and the verdict of decisions only', () => {
    const decision: Partial<ProbabilityDecision> = {
      instrument: trade.instrument,
      eventId: 'decision-1-2-0',
      eventTime: 3,
      direction: 'LONG',
      probability: 0.6,
      confidence: 0.4,
      level: 'MEDIUM',
    };
    expect(redisLatest.project(sourceOf('ProbabilityDecision', decision))).toMatchObject([
      {
        kind: 'set',
        fields: {
          direction: 'LONG',
          probability: '0.6',
          confidence: '0.4',
          level: 'MEDIUM',
          decisionId: 'decision-1-2-0',
          decisionTimeUs: '3',
        },
      },
    ]);
    const outcome: Partial<Outcome> = { instrument: trade.instrument, verdict: 'HIT', forecastKind: 'DECISION' };
    expect(redisLatest.project(sourceOf('Outcome', outcome))).toMatchObject([{ fields: { lastVerdict: 'HIT' } }]);
    expect(redisLatest.project(sourceOf('Outcome', { ...outcome, forecastKind: 'STRATEGY' }))).toEqual([]);
  });
});
