import type { Trade, TradeGap } from '../../contracts/generated/events.ts';
import type { PlannedAmendment } from '../tape-amendments.ts';
import type { InstrumentStatus } from './live-options.ts';
import type { LiveRecord } from './live-records.ts';
import type { LiveEvent, LiveTelemetry, TradeOrigin } from './telemetry.ts';

interface Appended {
  readonly count: number;
  readonly lastEventTimeUs: number;
}

/** Counts acknowledged records, and reports them. */
export class AppendCounts {
  private readonly telemetry: LiveTelemetry;
  private readonly byInstrument = new Map<string, Appended>();
  trades = 0;
  fromHistory = 0;
  watermarks = 0;
  gaps = 0;
  amendments = 0;
  deadLetters = 0;

  constructor(telemetry: LiveTelemetry) {
    this.telemetry = telemetry;
  }

  /** One batch that all replicas have. */
  acknowledged(records: readonly LiveRecord[]): void {
    const batch = new Map<string, { origin: TradeOrigin; count: number; last: Trade }>();
    for (const record of records) {
      const { event, partition } = record;
      switch (event.kind) {
        case 'watermark':
          this.watermarks += 1;
          this.telemetry({
            kind: 'watermark-appended',
            partition,
            instruments: event.watermark.instruments,
            eventTimeUs: event.watermark.eventTime,
          });
          break;
        case 'gap':
          this.gaps += 1;
          this.telemetry(declared(event.gap));
          break;
        case 'amendment':
          this.amendments += 1;
          this.telemetry(amended(event.planned));
          break;
        case 'dead-letter':
          this.deadLetters += 1;
          this.telemetry({ kind: 'refused', instrument: event.instrument, reason: event.reason, kept: true });
          break;
        case 'trade': {
          const { origin, trade } = event;
          const key = `${origin} ${trade.instrument}`;
          const entry = batch.get(key) ?? { origin, count: 0, last: trade };
          entry.count += 1;
          entry.last = trade;
          batch.set(key, entry);
        }
      }
    }
    for (const { origin, count, last } of batch.values()) this.appended(origin, count, last);
  }

  of(instrument: string): Omit<InstrumentStatus, 'missing' | 'isInSync'> {
    const appended = this.byInstrument.get(instrument);
    return {
      instrument,
      lastEventTimeUs: appended?.lastEventTimeUs,
      tradesAppended: appended?.count ?? 0,
    };
  }

  private appended(origin: TradeOrigin, count: number, last: Trade): void {
    const { instrument, eventTime } = last;
    this.trades += count;
    if (origin === 'history') this.fromHistory += count;
    this.byInstrument.set(instrument, {
      count: (this.byInstrument.get(instrument)?.count ?? 0) + count,
      lastEventTimeUs: eventTime,
    });
    this.telemetry({ kind: 'trades-appended', instrument, count, origin, lastEventTimeUs: eventTime });
  }
}

function amended({ name, amendment }: PlannedAmendment): LiveEvent {
  const { instrument, tradeId, reason } = amendment;
  const outcome = name === 'TradeCancelled' ? 'cancelled' : 'corrected';
  return { kind: 'amendment', instrument, tradeId, outcome, detail: reason };
}

function declared(gap: TradeGap): LiveEvent {
  const { instrument, firstTradeId, lastTradeId, missingTrades, reason } = gap;
  return { kind: 'gap-declared', instrument, firstTradeId, lastTradeId, missing: missingTrades, reason };
}
