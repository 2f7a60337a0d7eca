import type { AmendmentName } from '../contracts/tape-content.ts';
import { refusalOfAmendment } from '../contracts/trade-rules.ts';
import type { AmendmentRecord, EventLog } from './event-log.ts';

/** Amendments that are kept one by one; further ones are only counted. */
export const AMENDMENTS_KEPT_MAX = 100;

/** Amendments of the trades behind a decision since it was made. They do not change the decision. */
export interface AmendedSince {
  readonly counts: Readonly<Record<AmendmentName, number>>;
  /** In tape order. */
  readonly first: readonly AmendmentRecord[];
  /** Records of the tape that follow those in which amendments were searched for. */
  readonly recordsNotSearched: number;
}

/** A trade by its identity. */
type Concerns = (trade: { readonly tradeId: string; readonly eventTime: number }) => boolean;

/**
 * Reads the amendments of an instrument after a place on the tape that concern certain trades.
 *
 * @param place - the snapshot's place: its figures already include earlier amendments.
 * @param recordsMax - search so many records: a tape grows, and an audit is to take as long as before.
 */
export async function amendedSince(
  log: Pick<EventLog, 'amendmentsAfter' | 'endOfTape'>,
  place: { readonly partition: number; readonly offset: number },
  instrument: string,
  concerns: Concerns,
  recordsMax = Number.POSITIVE_INFINITY,
): Promise<AmendedSince> {
  const counts = { TradeCancelled: 0, TradeCorrected: 0, TradeReleased: 0 };
  const first: AmendmentRecord[] = [];
  for await (const record of log.amendmentsAfter(place.partition, place.offset, recordsMax)) {
    const { event, name } = record;
    if (event.instrument !== instrument || refusalOfAmendment(event) !== undefined || !concerns(event)) continue;
    counts[name] += 1;
    if (first.length < AMENDMENTS_KEPT_MAX) first.push(record);
  }
  const after = (await log.endOfTape(place.partition)) - (place.offset + 1);
  return { counts, first, recordsNotSearched: Math.max(0, after - recordsMax) };
}
