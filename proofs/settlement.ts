import type { HitRule, Outcome, Trade, Watermark } from '../contracts/generated/events.ts';
import { refusalOfAmendment, refusalOfWatermark } from '../contracts/trade-rules.ts';
import { MarketClock, type UnprovenTrade } from '../evaluators/market-clock.ts';
import { courseOf } from '../evaluators/outcomes/hit-rule.ts';
import type { Admission } from './admission.ts';
import type { AmendmentRecord, EventLog, Located } from './event-log.ts';
import { tapeOffsetOf } from './event-id.ts';

/** Where the tape is read. */
export type MarketLog = Pick<EventLog, 'market'>;

/** The tape's evidence for an outcome; undefined when there is none. */
export interface Settlement {
  /** The trade that resolved the forecast; undefined when VOID, and when the trade there may not resolve a forecast. */
  readonly resolvingTrade: Located<Trade> | undefined;
  /** The watermark that made it VOID; undefined when a trade did. */
  readonly voidingWatermark: Located<Watermark> | undefined;
  /** The first trade on time at or after the due time, up to the place of the outcome. */
  readonly firstTradeDue: Located<Trade> | undefined;
  /** If barriers decide: the first trade on time that touched one, at the due time at the latest. */
  readonly firstTouch: Located<Trade> | undefined;
}

export const UNSETTLED: Settlement = {
  resolvingTrade: undefined,
  voidingWatermark: undefined,
  firstTradeDue: undefined,
  firstTouch: undefined,
};

/** The place where a forecast was made, and its registered terms. */
export interface Registered {
  /** Tape offset and time of its trade. */
  readonly offset: number;
  readonly eventTime: number;
  readonly hitRule: HitRule;
  /** Whether a trade was counted before: a repetition does not touch a barrier. */
  readonly isKnown: (tradeId: string, eventTimeUs: number) => boolean;
}

/**
 * Reads the settlement of a forecast: the trade, or the proof that none came in time.
 *
 * @param admission - by the configuration in force at the outcome.
 */
export async function settlementOf(
  log: MarketLog,
  outcome: Outcome,
  registered: Registered,
  admission: Admission,
): Promise<Settlement> {
  const { partition, offset } = outcome.tape;
  const isVoid = outcome.verdict === 'VOID';
  // A trade that had to wait is before the record that proved it.
  const cause = tapeOffsetOf(outcome.causes[1]) ?? offset;
  const settlement = { ...UNSETTLED } as { -readonly [Key in keyof Settlement]: Settlement[Key] };
  const market = new MarketSince(registered.eventTime, admission);
  const touches = touchesOf(registered, outcome);
  const settle = (onTime: readonly Located<Trade>[]): void => {
    for (const trade of onTime) {
      if (settlement.firstTradeDue === undefined && touches(trade.event)) settlement.firstTouch ??= trade;
      if (trade.event.eventTime >= outcome.dueTime) settlement.firstTradeDue ??= trade;
    }
  };
  for await (const record of log.market(partition, registered.offset + 1, offset)) {
    switch (record.name) {
      case 'Trade':
        if (!isVoid && record.offset === cause && isAdmitted(record.event, admission)) {
          settlement.resolvingTrade = record;
        }
        settle(market.take(record));
        break;
      case 'Watermark':
        if (refusalOfWatermark(record.event) !== undefined) break;
        if (record.offset === offset) settlement.voidingWatermark = record;
        settle(market.watermark(record.event));
        break;
      case 'TradeGap':
        break;
      case 'TradeCancelled':
      case 'TradeCorrected':
      case 'TradeReleased':
        market.amend(record);
    }
  }
  return settlement;
}

/** Whether a trade on time touches a barrier of the forecast, and counts: never when the price at the horizon decides. */
function touchesOf({ hitRule, isKnown }: Registered, { dueTime, referencePrice }: Outcome): (trade: Trade) => boolean {
  const { kind, minMoveBps, minMovePoints } = hitRule;
  if (kind !== 'FIRST_TOUCH') return () => false;
  return ({ tradeId, eventTime, price }) =>
    eventTime <= dueTime &&
    courseOf({ kind, minMoveBps, minMovePoints }, referencePrice, price) !== 'NONE' &&
    !isKnown(tradeId, eventTime);
}

/** Finds the trades of an instrument that are on time, starting at one that was: nothing waited then. */
class MarketSince {
  private readonly admission: Admission;
  private readonly clock: MarketClock | undefined;
  private readonly identities;
  private readonly waiting = new Map<number, Located<Trade>>();

  constructor(timeUs: number, admission: Admission) {
    this.admission = admission;
    const state = { timeUs, watermarkUs: null, waiting: [], first: [], isSettled: true };
    this.clock = admission.clock === undefined ? undefined : new MarketClock(admission.clock, state);
    this.identities = admission.identities();
  }

  /**
   * Processes a trade. @returns those that are on time by it, in order: itself and those that waited for it. With
   * engine versions 1 and 2 it is at least not before those due, which is sufficient.
   */
  take(record: Located<Trade>): readonly Located<Trade>[] {
    const { event, offset } = record;
    if (!isAdmitted(event, this.admission)) return [];
    if (this.clock === undefined) return [record];
    const { tradeId, eventTime } = event;
    const standing = this.clock.judge(eventTime);
    if (this.clock.isWaiting(tradeId, eventTime)) return [];
    if (standing === 'AHEAD') {
      this.clock.wait({ trade: event, offset, isAhead: true });
      this.waiting.set(offset, record);
      return [];
    }
    if (standing !== 'ON_TIME' && standing !== 'CONFIRMED') return [];
    const { proven } = this.clock.endWaiting(standing === 'CONFIRMED' ? eventTime : undefined);
    return this.step([...this.recordsOf(proven), record]);
  }

  /** @returns the trades that waited for its time. */
  watermark({ instruments, eventTime }: Watermark): readonly Located<Trade>[] {
    if (this.clock === undefined || !instruments.includes(this.admission.instrument)) return [];
    if (this.clock.watermarkUs !== null && eventTime <= this.clock.watermarkUs) return [];
    return this.step(this.recordsOf(this.clock.watermarkTo(eventTime)));
  }

  private recordsOf(proven: readonly UnprovenTrade[]): readonly Located<Trade>[] {
    return proven.flatMap(({ offset }) => this.waiting.get(offset) ?? []);
  }

  /** Those that are not before one of them, each identity once. */
  private step(records: readonly Located<Trade>[]): readonly Located<Trade>[] {
    return records.filter(({ event: { tradeId, eventTime } }) => {
      if (this.clock === undefined || eventTime < this.clock.timeUs) return false;
      if (!this.identities.add(tradeId, eventTime)) return false;
      this.clock.moveTo(eventTime);
      return true;
    });
  }

  amend({ name, event }: AmendmentRecord): void {
    if (event.instrument !== this.admission.instrument || refusalOfAmendment(event) !== undefined) return;
    const { tradeId, eventTime } = event;
    this.clock?.takeOut(tradeId, eventTime);
    if (name === 'TradeCancelled') this.identities.add(tradeId, eventTime);
    if (name === 'TradeReleased') this.clock?.moveTo(eventTime);
  }
}

function isAdmitted(trade: Trade, admission: Admission): boolean {
  return trade.instrument === admission.instrument && admission.inadmissible(trade) === undefined;
}
