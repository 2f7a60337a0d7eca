import { TradeIdentities, type IdentitiesState } from '../contracts/trade-identities.ts';
import { FormerTradeIds, type FormerTradeIdsState } from './former-trade-ids.ts';

/** State of {@link SeenTrades}. */
export interface SeenTradesState {
  readonly identities: IdentitiesState;
  /** Ids that engine version 2 has seen; null once trades of that time no longer count. */
  readonly formerTradeIds: FormerTradeIdsState | null;
}

/** Which trades of an instrument were seen, by id and time; of those that engine version 2 has seen, by id. */
export class SeenTrades {
  private readonly identities: TradeIdentities;
  private former: FormerTradeIds | undefined;

  constructor(state?: SeenTradesState) {
    this.identities = state === undefined ? new TradeIdentities() : TradeIdentities.fromState(state.identities);
    this.former = state?.formerTradeIds == null ? undefined : new FormerTradeIds(state.formerTradeIds);
  }

  toState(): SeenTradesState {
    return { identities: this.identities.toState(), formerTradeIds: this.former?.toState() ?? null };
  }

  /** Whether the trades of that time are still remembered. */
  canJudge(eventTimeUs: number): boolean {
    return this.identities.canJudge(eventTimeUs);
  }

  has(tradeId: string, eventTimeUs: number): boolean {
    return this.identities.has(tradeId, eventTimeUs) || this.former?.has(tradeId, eventTimeUs) === true;
  }

  /** Notes a trade; false if it was seen before. */
  add(tradeId: string, eventTimeUs: number): boolean {
    if (this.former !== undefined && this.former.has(tradeId, eventTimeUs)) return false;
    return this.identities.add(tradeId, eventTimeUs);
  }

  /** Sessions into which no trade can count any more need not be remembered. */
  forgetBefore(timeUs: number): void {
    this.identities.forgetBefore(timeUs);
    if (this.former !== undefined && this.former.untilUs < timeUs) this.former = undefined;
  }
}
