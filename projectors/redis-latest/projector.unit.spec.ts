import { describe, expect, it } from 'vitest';
import { Decimal } from '../../contracts/decimal.ts';
import type { EventTypes, Outcome, ProbabilityDecision, RecordName, Trade } from '../../contracts/generated/events.ts';
import { partitionOf } from '../../contracts/partitioner.ts';
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
        fields: { price: trade.price.toString(), tradeId: trade.tradeId },
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
