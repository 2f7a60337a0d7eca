import type { ClockTick, Outcome, Trade } from '../contracts/generated/events.ts';
import { refusalOfAmendment, refusalOfTick } from '../contracts/trade-rules.ts';
import { MarketClock } from '../evaluators/market-clock.ts';
import type { Admission } from './admission.ts';
import type { AmendmentRecord, EventLog, Located } from './event-log.ts';

/** Where the tape is read. */
export type MarketLog = Pick<EventLog, 'market'>;

/** What the tape holds about an outcome: undefined where there is none. */
export interface Settlement {
  /** The trade that resolved the forecast; undefined when VOID, and where the trade there may resolve nothing. */
  readonly resolvingTrade: Located<Trade> | undefined;
  /** The tick by which it was VOID; undefined where a trade showed it. */
  readonly voidingTick: Located<ClockTick> | undefined;
  /** When VOID: the first trade on time at or after the due time, up to the place of the outcome. */
  readonly firstTradeDue: Located<Trade> | undefined;
}

export const UNSETTLED: Settlement = { resolvingTrade: undefined, voidingTick: undefined, firstTradeDue: undefined };

/**
 * Reads what settled a forecast: the trade, or that none came in time.
 *
 * @param admission - by the configuration in force at the outcome.
 */
export async function settlementOf(
  log: MarketLog,
  outcome: Outcome,
  forecast: { readonly tape: Outcome['tape']; readonly eventTime: number },
  admission: Admission,
): Promise<Settlement> {
  const { partition, offset } = outcome.tape;
  const isVoid = outcome.verdict === 'VOID';
  const settlement = { ...UNSETTLED } as { -readonly [Key in keyof Settlement]: Settlement[Key] };
  const market = new MarketSince(forecast.eventTime, admission);
  for await (const record of log.market(partition, isVoid ? forecast.tape.offset + 1 : offset, offset)) {
    switch (record.name) {
      case 'Trade':
        if (!isVoid) {
          if (isAdmitted(record.event, admission)) settlement.resolvingTrade = record;
        } else if (market.isOnTime(record) && record.event.eventTime >= outcome.dueTime) {
          settlement.firstTradeDue ??= record;
        }
        break;
      case 'ClockTick':
        if (refusalOfTick(record.event) !== undefined) break;
        if (record.offset === offset) settlement.voidingTick = record;
        market.tick(record.event);
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

/** Tells the trades of an instrument that are on time, from a trade on that was: nothing waited then. */
class MarketSince {
  private readonly admission: Admission;
  private readonly clock: MarketClock | undefined;
  private readonly identities;

  constructor(timeUs: number, admission: Admission) {
    this.admission = admission;
    const state = { timeUs, tickUs: null, waiting: [], first: [], isSettled: true };
    this.clock = admission.clock === undefined ? undefined : new MarketClock(admission.clock, state);
    this.identities = admission.identities();
  }

  /** Takes in a trade. With engine versions 1 and 2 it is at least not before those due: that is all that is asked. */
  isOnTime({ event, offset }: Located<Trade>): boolean {
    const { tradeId, eventTime } = event;
    if (!isAdmitted(event, this.admission)) return false;
    if (this.clock === undefined) return true;
    const standing = this.clock.judge(eventTime);
    if (standing === 'AHEAD' && !this.clock.isWaiting(tradeId, eventTime)) {
      this.clock.wait({ trade: event, offset, isCounted: false });
    }
    if ((standing !== 'ON_TIME' && standing !== 'CONFIRMED') || this.clock.isWaiting(tradeId, eventTime)) return false;
    if (!this.identities.add(tradeId, eventTime)) return false;
    this.clock.moveTo(eventTime);
    return true;
  }

  tick({ instruments, eventTime }: ClockTick): void {
    if (this.clock === undefined || !instruments.includes(this.admission.instrument)) return;
    if (this.clock.tickUs === null || eventTime > this.clock.tickUs) this.clock.tickTo(eventTime);
  }

  amend({ name, event }: AmendmentRecord): void {
    if (event.instrument !== this.admission.instrument || refusalOfAmendment(event) !== undefined) return;
    const { tradeId, eventTime } = event;
    this.clock?.takeOut(tradeId, eventTime);
    if (name === 'TradeCancelled') this.identities.add(tradeId, eventTime);
    if (name === 'TradeReleased') this.clock?.advanceTo(eventTime);
  }
}

function isAdmitted(trade: Trade, admission: Admission): boolean {
  return trade.instrument === admission.instrument && admission.inadmissible(trade) === undefined;
}
