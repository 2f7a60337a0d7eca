import type { EventTypes, Trade, TradeCorrected, TradeGap } from '../contracts/generated/events.ts';
import { idRangeOf, refusalOfAmendment, refusalOfGap } from '../contracts/trade-rules.ts';
import type { Decimal } from '../contracts/decimal.ts';
import type { Admission, Identities } from './admission.ts';
import type { AmendmentRecord, Located } from './event-log.ts';
import type { MarketLog } from './settlement.ts';
import type { SumsBefore } from './sums-before.ts';

/** Trades of a kind that are named; further ones are only counted. */
export const NAMED_TRADES_MAX = 5;

/**
 * Remarks on trades in a snapshot's range.
 *
 * Not counted: `duplicates`, the same identity again · `suspicious`, marked so by the source · `outside` trading hours
 * · `refused`, malformed or with a price that the configuration does not allow · `cancelled` by a later record.
 * Counted: `corrected`, with the new figures · `released`, vouched for by a later record · `late`, after a newer one ·
 * `ahead`, stamped after the snapshot itself.
 */
export const REMARKS = [
  'duplicates',
  'suspicious',
  'outside',
  'refused',
  'cancelled',
  'corrected',
  'released',
  'late',
  'ahead',
] as const;
export type Remark = (typeof REMARKS)[number];

/** The number of trades with a remark, and the first few of them. */
export interface Remarked {
  readonly count: number;
  readonly first: readonly NamedTrade[];
}

export interface NamedTrade {
  readonly tradeId: string;
  /** Microseconds. */
  readonly eventTime: number;
  /** Where on the tape: a cancelled or corrected trade's own place; for a released trade, the release's. */
  readonly offset: number;
}

/** A trade behind a snapshot, as it is on the tape; one that was set aside, as in its release. */
export interface CountedTrade extends Located<Trade> {
  /** The last correction before the snapshot: its figures are valid. */
  readonly correction?: Located<TradeCorrected>;
}

/** The trades behind a snapshot, from the tape itself. */
export interface Evidence {
  /** The instrument's trades in the snapshot's range that count, in tape order, each identity once; since `before`. */
  readonly trades: readonly CountedTrade[];
  /** The first of that range; with `before`, before those. */
  readonly first: CountedTrade | undefined;
  /** The sums that the trades continue; undefined where they are all there are. */
  readonly before: SumsBefore | undefined;
  readonly remarks: Readonly<Partial<Record<Remark, Remarked>>>;
  /** True when a trade is among those, by its identity. */
  readonly isBehind: (tradeId: string, eventTimeUs: number) => boolean;
  /** The instrument's gaps in that range. */
  readonly gaps: readonly Located<TradeGap>[];
  /** Trades of those gaps that are not in that range. */
  readonly missing: number;
}

/** Price and size with which a trade counts. */
export function figuresOf({ event, correction }: CountedTrade): { readonly price: Decimal; readonly size: Decimal } {
  if (correction === undefined) return event;
  return { price: correction.event.correctedPrice, size: correction.event.correctedSize };
}

/**
 * Reads the trades behind a snapshot, and those missing among them.
 *
 * @param admission - by the configuration that the snapshot names.
 * @param before - sums from which to go on. They are left aside where a later record amends a trade in them.
 */
export async function evidenceOf(
  log: MarketLog,
  snapshot: EventTypes['IndicatorSnapshot'],
  admission: Admission,
  before?: SumsBefore,
): Promise<Evidence> {
  const { instrument, tape, firstOffset, lastOffset } = snapshot;
  const earliest = before === undefined ? undefined : await tradeAt(log, snapshot);
  if (before !== undefined && earliest === undefined) return evidenceOf(log, snapshot, admission);
  const behind = new TradesBehind(snapshot.eventTime, admission, before);
  const gaps: Located<TradeGap>[] = [];
  for await (const record of log.market(tape.partition, before?.offset ?? firstOffset, lastOffset)) {
    if (record.name === 'Watermark' || record.event.instrument !== instrument) continue;
    if (record.name === 'Trade') behind.take(record);
    else if (record.name !== 'TradeGap') behind.amend(record);
    else if (refusalOfGap(record.event) === undefined) gaps.push(record);
  }
  if (behind.amendsEarlier) return evidenceOf(log, snapshot, admission);
  const missing = missingTrades(
    gaps.map(({ event }) => event),
    behind.ids(),
  );
  const { trades, cancelled } = behind.amended();
  return {
    ...{ trades, before, first: earliest ?? trades[0] },
    remarks: behind.remarks.summary(),
    isBehind: (tradeId, eventTimeUs) =>
      behind.identities.has(tradeId, eventTimeUs) &&
      before?.isCancelled(tradeId, eventTimeUs) !== true &&
      !cancelled.has(keyOf({ tradeId, eventTime: eventTimeUs })),
    gaps,
    missing,
  };
}

/** The first trade that a snapshot covers; undefined where its place has none of its instrument. */
async function tradeAt(
  log: MarketLog,
  { tape, instrument, firstOffset }: EventTypes['IndicatorSnapshot'],
): Promise<Located<Trade> | undefined> {
  for await (const record of log.market(tape.partition, firstOffset, firstOffset)) {
    return record.name === 'Trade' && record.event.instrument === instrument ? record : undefined;
  }
  return undefined;
}

/** The trades of a range as they come, and then their amendments. */
class TradesBehind {
  readonly identities: Identities;
  readonly remarks = new Remarks();
  private readonly snapshotUs: number;
  private readonly admission: Admission;
  private readonly trades: Located<Trade>[] = [];
  private readonly amendments = new Map<string, AmendmentRecord[]>();
  private newestUs = 0;
  private readonly before: SumsBefore | undefined;
  /** True when a record takes back or corrects a trade of the sums before. */
  amendsEarlier = false;

  constructor(snapshotUs: number, admission: Admission, before: SumsBefore | undefined) {
    this.snapshotUs = snapshotUs;
    this.admission = admission;
    this.before = before;
    const own = admission.identities();
    this.identities =
      before === undefined
        ? own
        : {
            add: (tradeId, eventTimeUs) => !before.has(tradeId, eventTimeUs) && own.add(tradeId, eventTimeUs),
            has: (tradeId, eventTimeUs) => before.has(tradeId, eventTimeUs) || own.has(tradeId, eventTimeUs),
          };
  }

  take(record: Located<Trade>): void {
    const { event } = record;
    const inadmissible = this.admission.inadmissible(event);
    if (inadmissible !== undefined) this.remarks.note(inadmissible, record);
    else if (!this.identities.add(event.tradeId, event.eventTime)) this.remarks.note('duplicates', record);
    else this.count(record);
  }

  amend(record: AmendmentRecord): void {
    const { event, name } = record;
    if (refusalOfAmendment(event) !== undefined) return;
    if (name === 'TradeReleased') {
      this.remarks.note('released', record);
      // The trade may be before the range: it counts from its release on nevertheless.
      if (this.identities.add(event.tradeId, event.eventTime)) {
        this.trades.push({
          ...record,
          hash: record.hash,
          event: { ...event, side: 'UNKNOWN', suspicious: false, conditions: [] },
        });
      }
      return;
    }
    if (this.before?.has(event.tradeId, event.eventTime) === true) this.amendsEarlier = true;
    const key = keyOf(event);
    const earlier = this.amendments.get(key);
    if (earlier === undefined) this.amendments.set(key, [record]);
    else earlier.push(record);
  }

  *ids(): Generator<string> {
    for (const { event } of this.trades) yield event.tradeId;
  }

  /** The trades that count once all amendments are applied, and the keys of those that do not. */
  amended(): { readonly trades: readonly CountedTrade[]; readonly cancelled: ReadonlySet<string> } {
    const cancelled = new Set<string>();
    if (this.amendments.size === 0) return { trades: this.trades, cancelled };
    const trades = this.trades.flatMap((trade): CountedTrade[] => {
      const amendments = this.amendments.get(keyOf(trade.event)) ?? [];
      if (amendments.some(({ name }) => name === 'TradeCancelled')) {
        cancelled.add(keyOf(trade.event));
        this.remarks.note('cancelled', trade);
        return [];
      }
      // A correction before its trade has no effect.
      const correction = amendments.findLast(({ name, offset }) => name === 'TradeCorrected' && offset > trade.offset);
      if (correction?.name !== 'TradeCorrected') return [trade];
      this.remarks.note('corrected', trade);
      return [{ ...trade, hash: trade.hash, correction }];
    });
    return { trades, cancelled };
  }

  private count(record: Located<Trade>): void {
    const { eventTime } = record.event;
    this.trades.push(record);
    if (eventTime > this.snapshotUs) this.remarks.note('ahead', record);
    else if (eventTime < this.newestUs) this.remarks.note('late', record);
    else this.newestUs = eventTime;
  }
}

class Remarks {
  private readonly noted = new Map<Remark, { count: number; first: NamedTrade[] }>();

  note(remark: Remark, { event, offset }: Located<Pick<Trade, 'tradeId' | 'eventTime'>>): void {
    let noted = this.noted.get(remark);
    if (noted === undefined) this.noted.set(remark, (noted = { count: 0, first: [] }));
    noted.count += 1;
    const { tradeId, eventTime } = event;
    if (noted.first.length < NAMED_TRADES_MAX) noted.first.push({ tradeId, eventTime, offset });
  }

  summary(): Evidence['remarks'] {
    return Object.fromEntries(
      REMARKS.flatMap((remark) => {
        const noted = this.noted.get(remark);
        return noted === undefined ? [] : [[remark, noted]];
      }),
    );
  }
}

function keyOf({ tradeId, eventTime }: Pick<Trade, 'tradeId' | 'eventTime'>): string {
  return `${eventTime} ${tradeId}`;
}

/**
 * Trades that gaps name and that are not there. Gaps may overlap, for example when two producers declared them, and a
 * trade of a gap may have come later. When ids are not numbers, the counts in the gaps are trusted.
 */
export function missingTrades(gaps: readonly TradeGap[], tradeIds: Iterable<string>): number {
  const atTheirWord = new Map<string, number>();
  const ranges: { first: number; last: number }[] = [];
  for (const gap of gaps) {
    const range = idRangeOf(gap);
    if (range === undefined) atTheirWord.set(`${gap.firstTradeId} ${gap.lastTradeId}`, gap.missingTrades);
    else ranges.push(range);
  }
  const disjoint = unionOf(ranges);
  let missing = 0;
  for (const { first, last } of disjoint) missing += last - first + 1;
  for (const count of atTheirWord.values()) missing += count;
  for (const tradeId of tradeIds) {
    const id = idRangeOf({ firstTradeId: tradeId, lastTradeId: tradeId })?.first;
    if (id !== undefined && disjoint.some(({ first, last }) => id >= first && id <= last)) missing -= 1;
  }
  return missing;
}

function unionOf(ranges: readonly { readonly first: number; readonly last: number }[]) {
  const union: { first: number; last: number }[] = [];
  for (const { first, last } of [...ranges].sort((left, right) => left.first - right.first)) {
    const previous = union.at(-1);
    if (previous !== undefined && first <= previous.last) previous.last = Math.max(previous.last, last);
    else union.push({ first, last });
  }
  return union;
}
