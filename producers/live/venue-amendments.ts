import type { Trade } from '../../contracts/generated/events.ts';
import {
  planOf,
  TradesOfId,
  type AmendableTrade,
  type HeldAmendment,
  type PlannedAmendment,
  type Statement,
} from '../tape-amendments.ts';
import { liveSourceOf, type TradeFigures, type VenueAmendment } from '../venue.ts';

/**
 * An amendment's result. `already`: the tape has it; `unmatched`: the tape holds no such trade, or it cannot be amended
 * so.
 */
export type Settlement =
  | { readonly kind: 'append'; readonly planned: PlannedAmendment }
  | { readonly kind: 'already' }
  | { readonly kind: 'unmatched'; readonly why: string };

/** The tape's records of one instrument that name some ids, in the order of the log. */
export interface RecordsOfIds {
  readonly trades: readonly Trade[];
  readonly amendments: readonly HeldAmendment[];
}

const RENAMED = 'corrected by the venue, which now numbers it ';

/** The id under which the tape has a trade that the venue now names so: a corrected trade keeps its first id there. */
export function firstIdOf(tradeId: string, { trades, amendments }: RecordsOfIds): string {
  if (trades.some((trade) => trade.tradeId === tradeId)) return tradeId;
  return amendments.find((held) => newIdIn(held) === tradeId)?.amendment.tradeId ?? tradeId;
}

/** The new id that a correction on the tape gave its trade; undefined for any other amendment. */
export function newIdIn({ name, amendment }: HeldAmendment): string | undefined {
  const { reason, source, venue } = amendment;
  if (name !== 'TradeCorrected' || source !== liveSourceOf(venue) || !reason.startsWith(RENAMED)) return undefined;
  return reason.slice(RENAMED.length);
}

/**
 * What becomes of an amendment, by what the tape holds. It has an effect once, however often it is repeated, and an
 * older correction does not undo a newer one.
 */
export function settlementOf(amendment: VenueAmendment, held: RecordsOfIds): Settlement {
  const { tradeId, corrected, origin } = amendment;
  const found = tradesUnder(firstIdOf(tradeId, held), held).filter((each) => isMeant(each, amendment, held));
  const meant = found.at(-1);
  if (meant === undefined) return { kind: 'unmatched', why: whyUnmatched(amendment, held) };
  const newIds = newIdsOf(meant, held);
  // A page marks a corrected trade as incorrect.
  if (origin === 'PAGE' && newIds.length > 0) return { kind: 'already' };
  if (corrected === undefined)
    return planned(amendment, meant, { kind: 'cancel' }, `cancelled by the venue (${amendment.word})`);
  if (corrected.tradeId === undefined)
    return planned(amendment, meant, { kind: 'correct', ...corrected }, 'corrected by the venue');
  // It is on the tape as a trade of its own, because a page showed it first.
  const standsItself = held.trades.some((trade) => trade.tradeId === corrected.tradeId && isWithin(trade, amendment));
  if (standsItself) {
    return planned(amendment, meant, { kind: 'cancel' }, `replaced by the venue with its trade ${corrected.tradeId}`);
  }
  if (newIds.includes(corrected.tradeId)) return { kind: 'already' };
  return planned(amendment, meant, { kind: 'correct', ...corrected }, `${RENAMED}${corrected.tradeId}`);
}

function planned(
  { instrument, tradeId, receivedAt }: VenueAmendment,
  meant: AmendableTrade,
  wish: Parameters<typeof planOf>[0],
  reason: string,
): Settlement {
  const { venue } = meant.trade;
  const by: Statement = { reason, actor: venue, receivedAt, source: liveSourceOf(venue) };
  const plan = planOf(wish, meant, by);
  if (plan.kind !== 'moot') return plan;
  return { kind: 'unmatched', why: `the trade ${tradeId} of ${instrument} was taken back before` };
}

/** The trades under one id, by event time, with their amendments so far. */
function tradesUnder(tradeId: string, { trades, amendments }: RecordsOfIds): readonly AmendableTrade[] {
  const found = new TradesOfId();
  for (const trade of trades) if (trade.tradeId === tradeId) found.addTrade(trade);
  for (const held of amendments) if (held.amendment.tradeId === tradeId) found.addAmendment(held);
  return found.all();
}

/** Repeated, an amendment states figures of before: those on the tape, or those of any correction since. */
function isMeant({ trade, figures }: AmendableTrade, amendment: VenueAmendment, held: RecordsOfIds): boolean {
  if (!isWithin(trade, amendment)) return false;
  const { stated } = amendment;
  if (isEqual(trade, stated) || isEqual(figures, stated)) return true;
  return correctionsOf(trade, held).some(({ correctedPrice: price, correctedSize: size }) =>
    isEqual({ price, size }, stated),
  );
}

function isWithin({ eventTime }: Trade, { window }: VenueAmendment): boolean {
  return eventTime >= window.fromUs && eventTime < window.toUs;
}

function isEqual(left: TradeFigures, right: TradeFigures): boolean {
  return left.price.compare(right.price) === 0 && left.size.compare(right.size) === 0;
}

function correctionsOf({ tradeId, eventTime }: Trade, { amendments }: RecordsOfIds) {
  return amendments.flatMap(({ amendment }) => {
    const isOfTrade = amendment.tradeId === tradeId && amendment.eventTime === eventTime;
    return isOfTrade && 'correctedPrice' in amendment ? [amendment] : [];
  });
}

function newIdsOf({ trade }: AmendableTrade, { amendments }: RecordsOfIds): readonly string[] {
  return amendments.flatMap((held) => {
    const { tradeId, eventTime } = held.amendment;
    const newId = tradeId === trade.tradeId && eventTime === trade.eventTime ? newIdIn(held) : undefined;
    return newId === undefined ? [] : [newId];
  });
}

function whyUnmatched({ instrument, tradeId, stated }: VenueAmendment, held: RecordsOfIds): string {
  const isThere = held.trades.some((trade) => trade.tradeId === firstIdOf(tradeId, held));
  return isThere
    ? `the tape's trade ${tradeId} of ${instrument} is not that of ${stated.price.toString()} × ${stated.size.toString()}, or is of another day`
    : `the tape holds no trade ${tradeId} of ${instrument}`;
}
