import { encodeBody } from '../../contracts/codec.ts';
import { recordOfDeadLetter } from '../../contracts/dead-letter.ts';
import type { Watermark, DeadLetter, DeadLetterReason, Trade, TradeGap } from '../../contracts/generated/events.ts';
import { partitionOf } from '../../contracts/partitioner.ts';
import { TAPE_TOPIC } from '../../contracts/topics.ts';
import type { PlannedRecord } from '../ingest.ts';
import { recordOfAmendment, type PlannedAmendment } from '../tape-amendments.ts';
import type { TradeOrigin } from './telemetry.ts';
import type { GivenUpGap } from './reorder-buffer.ts';

/** A record in flight, and the event reported when it has arrived. */
export interface LiveRecord extends Omit<PlannedRecord, 'key'> {
  readonly key: string | null;
  readonly event:
    | { readonly kind: 'trade'; readonly trade: Trade; readonly origin: TradeOrigin }
    | { readonly kind: 'watermark'; readonly watermark: Watermark }
    | { readonly kind: 'gap'; readonly gap: TradeGap }
    | { readonly kind: 'amendment'; readonly planned: PlannedAmendment }
    | {
        readonly kind: 'dead-letter';
        readonly instrument: string | undefined;
        readonly reason: DeadLetterReason;
      };
}

export function recordOfTrade(trade: Trade, origin: TradeOrigin, partition: number): LiveRecord {
  const { instrument, eventTime } = trade;
  const body = encodeBody('Trade', trade);
  const event = { kind: 'trade', trade, origin } as const;
  return { topic: TAPE_TOPIC, partition, key: instrument, type: 'Trade', body, timestampUs: eventTime, event };
}

export function recordOfGap(gap: TradeGap, partition: number): LiveRecord {
  const body = encodeBody('TradeGap', gap);
  const { instrument: key, toTime: timestampUs } = gap;
  return { topic: TAPE_TOPIC, partition, key, type: 'TradeGap', body, timestampUs, event: { kind: 'gap', gap } };
}

export function recordOfWatermark(watermark: Watermark, partition: number): LiveRecord {
  const body = encodeBody('Watermark', watermark);
  const event = { kind: 'watermark', watermark } as const;
  return { topic: TAPE_TOPIC, partition, key: null, type: 'Watermark', body, timestampUs: watermark.eventTime, event };
}

export function liveRecordOfAmendment(planned: PlannedAmendment, partitions: number): LiveRecord {
  return { ...recordOfAmendment(planned, partitions), event: { kind: 'amendment', planned } };
}

/** All dead letters of a stream go to one partition, stamped with their time of receipt. */
export function liveRecordOfDeadLetter(
  deadLetter: DeadLetter,
  instrument: string | undefined,
  partitions: number,
): LiveRecord {
  const { reason, source } = deadLetter;
  const { name, position } = source;
  return {
    ...recordOfDeadLetter(deadLetter),
    partition: partitionOf(name, partitions),
    key: name,
    timestampUs: position,
    event: { kind: 'dead-letter', instrument, reason },
  };
}

/** @param receivedAt when the gap was given up, microseconds */
export function tradeGapOf(
  gap: GivenUpGap,
  place: { venue: string; instrument: string; source: string },
  receivedAt: number,
): TradeGap {
  return {
    ...place,
    firstTradeId: gap.firstTradeId,
    lastTradeId: gap.lastTradeId,
    missingTrades: gap.missingTrades,
    fromTime: gap.fromTime,
    toTime: gap.toTime,
    reason: gap.reason,
    receivedAt,
  };
}
