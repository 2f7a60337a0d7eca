import type { Trade } from '../../contracts/generated/events.ts';
import type { TradeOrigin } from './telemetry.ts';

export interface Received {
  readonly trade: Trade;
  readonly origin: TradeOrigin;
}

/** Segments around a page: none is missing within one, but there may be any number between two. */
export interface AroundPage {
  /** Older than the page. */
  readonly before: readonly (readonly Received[])[];
  /** Whether the last of those leads up to the page without a hole. */
  readonly isJoined: boolean;
  /** Not on the page, and newer. */
  readonly after: readonly (readonly Received[])[];
  /** Whether a segment has a trade in common with the page. */
  readonly meets: boolean;
  /** Whether the first segment after the page goes on from it without a hole. */
  readonly continues: boolean;
}

/**
 * Trades that arrived since the first interruption that no page has covered, cut at each further interruption; each
 * segment in the order of arrival.
 */
export class TornSegments {
  private readonly segments: Received[][] = [[]];
  private readonly byId = new Map<string, Received>();

  static of(segments: readonly (readonly Received[])[]): TornSegments {
    const torn = new TornSegments();
    for (const segment of segments) {
      torn.cut();
      for (const received of segment) torn.add(received);
    }
    return torn;
  }

  get size(): number {
    return this.byId.size;
  }

  /** In the order of arrival. */
  get all(): readonly (readonly Received[])[] {
    return this.segments.filter((segment) => segment.length > 0);
  }

  has(tradeId: string): boolean {
    return this.byId.has(tradeId);
  }

  get(tradeId: string): Received | undefined {
    return this.byId.get(tradeId);
  }

  add(received: Received): void {
    this.byId.set(received.trade.tradeId, received);
    this.segments.at(-1)?.push(received);
  }

  /** Another interruption. */
  cut(): void {
    if (this.segments.at(-1)?.length !== 0) this.segments.push([]);
  }

  /** The segments' places around a page of trades, oldest first. */
  around(page: readonly Trade[]): AroundPage {
    const onPage = new Set(page.map(({ tradeId }) => tradeId));
    const isOnPage = ({ trade }: Received): boolean => onPage.has(trade.tradeId);
    const common = this.all.findIndex((segment) => segment.some(isOnPage));
    const startUs = page[0]?.eventTime ?? -Infinity;
    // Without a trade in common, only the time tells which was first.
    const isBefore = (segment: readonly Received[], index: number): boolean =>
      common >= 0 ? index < common : (segment.at(-1)?.trade.eventTime ?? Infinity) < startUs;
    const before = this.all.filter(isBefore);
    const later = this.all.filter((segment, index) => !isBefore(segment, index));
    const joining = common >= 0 ? (later[0]?.slice(0, later[0].findIndex(isOnPage)) ?? []) : [];
    const leading = new Set(joining);
    const after = later.map((segment) => segment.filter((each) => !isOnPage(each) && !leading.has(each)));
    const meets = common >= 0;
    return {
      meets,
      continues: meets && (after[0]?.length ?? 0) > 0,
      before: joining.length > 0 ? [...before, joining] : before,
      isJoined: joining.length > 0,
      after: after.filter((segment) => segment.length > 0),
    };
  }
}
