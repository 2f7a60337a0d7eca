import { partitionOf } from '../../contracts/partitioner.ts';
import { refusalOf } from '../../contracts/trade-rules.ts';
import type { LatestOperation, ProjectedEvent, RedisProjector } from '../projector.ts';

/** The latest price, decision and verdict of each instrument: `tp:<g>:{<p>}:latest:<instrument>`. */
export const redisLatest: RedisProjector = {
  name: 'redis-latest',
  summary: 'Latest price, decision and verdict of each instrument, in Redis',
  topics: ['raw.trades', 'probability.decisions', 'decision.outcomes'],
  skips: ['EngineActivated'],
  sink: 'redis',
  keyspace: 'tp',
  index: 'instruments',
  project,
};

function project(source: ProjectedEvent): readonly LatestOperation[] {
  switch (source.type) {
    case 'Trade': {
      const trade = source.event;
      // What the engine refuses has no effect here either.
      if (refusalOf(trade) !== undefined) return [];
      if (partitionOf(trade.instrument, source.partitions) !== source.partition) return [];
      return [
        {
          kind: 'set-if-later',
          entity: trade.instrument,
          timeField: 'priceTimeUs',
          timeUs: trade.eventTime,
          id: trade.tradeId,
          fields: { price: trade.price.toString(), tradeId: trade.tradeId },
        },
      ];
    }
    case 'ProbabilityDecision': {
      const decision = source.event;
      return [
        {
          kind: 'set',
          entity: decision.instrument,
          fields: {
            direction: decision.direction,
            probability: String(decision.probability),
            confidence: String(decision.confidence),
            level: decision.level,
            decisionId: decision.eventId,
            decisionTimeUs: String(decision.eventTime),
          },
        },
      ];
    }
    case 'Outcome': {
      const outcome = source.event;
      if (outcome.forecastKind !== 'DECISION') return [];
      return [{ kind: 'set', entity: outcome.instrument, fields: { lastVerdict: outcome.verdict } }];
    }
    default:
      return [];
  }
}
