import type { Outcome, ProbabilityDecision } from '../../contracts/generated/events.ts';
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
  if (source.type === 'Trade') return latestPrice(source);
  if (source.type === 'ProbabilityDecision') return [latestDecision(source.event)];
  if (source.type === 'Outcome' && source.event.forecastKind === 'DECISION') return [latestVerdict(source.event)];
  return [];
}

/** The price of the greatest event time, whatever order trades arrive in; on a tie the later one on the tape. */
function latestPrice({ event: trade, partition, partitions }: Extract<ProjectedEvent, { type: 'Trade' }>) {
  // What the engine refuses has no effect here either.
  if (refusalOf(trade) !== undefined || partitionOf(trade.instrument, partitions) !== partition) return [];
  const price = {
    kind: 'set-if-later',
    entity: trade.instrument,
    timeField: 'priceTimeUs',
    timeUs: trade.eventTime,
    id: trade.tradeId,
    fields: { price: trade.price.toString(), tradeId: trade.tradeId },
  } as const;
  return [price];
}

function latestDecision(decision: ProbabilityDecision): LatestOperation {
  return {
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
  };
}

function latestVerdict(outcome: Outcome): LatestOperation {
  return { kind: 'set', entity: outcome.instrument, fields: { lastVerdict: outcome.verdict } };
}
