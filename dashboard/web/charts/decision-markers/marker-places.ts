import type { DecisionStatus } from '../../../contract/decisions.ts';

/** A decision to be marked: at the point of the series that is its snapshot, or the last one before it. */
export interface DecisionMark {
  readonly decisionId: string;
  /** Seconds since 1970, of a point of the series. */
  readonly time: number;
  readonly price: number;
  readonly direction: 'LONG' | 'SHORT' | 'NEUTRAL';
  readonly status: DecisionStatus;
}

/** A mark that is drawn, CSS pixels of the pane. */
export interface PlacedMark {
  readonly mark: DecisionMark;
  readonly x: number;
  readonly y: number;
}

/** Distance of a mark from its price. */
const OFFSET_PX = 16;
/** Marks of one direction that are closer than this to the one before are left out: zooming in brings them back. */
const SPACING_PX = 15;
/** How far from its middle a mark can be pointed at. */
export const REACH_PX = 12;

/**
 * Where marks are drawn: LONG below its price, SHORT above it. Where they would cover each other the newest stays, and
 * every one that `isKept` names.
 *
 * @param marks oldest first
 */
export function markerPlaces(
  marks: readonly DecisionMark[],
  xOf: (time: number) => number | null,
  yOf: (price: number) => number | null,
  isKept: (mark: DecisionMark) => boolean = () => false,
): PlacedMark[] {
  const lastX = new Map<DecisionMark['direction'], number>();
  const placed: PlacedMark[] = [];
  for (const mark of marks.toReversed()) {
    const [x, y] = [xOf(mark.time), yOf(mark.price)];
    if (x === null || y === null) continue;
    const before = lastX.get(mark.direction);
    const isFree = before === undefined || before - x >= SPACING_PX;
    if (isFree) lastX.set(mark.direction, x);
    if (isFree || isKept(mark)) placed.push({ mark, x, y: y + offsetOf(mark.direction) });
  }
  return placed.reverse();
}

/** The mark nearest to a place of the pane, within reach. */
export function markAt(places: readonly PlacedMark[], x: number, y: number): PlacedMark | undefined {
  const distance = (place: PlacedMark): number => Math.hypot(place.x - x, place.y - y);
  const nearest = places.reduce<PlacedMark | undefined>(
    (best, place) => (best === undefined || distance(place) < distance(best) ? place : best),
    undefined,
  );
  return nearest === undefined || distance(nearest) > REACH_PX ? undefined : nearest;
}

function offsetOf(direction: DecisionMark['direction']): number {
  if (direction === 'NEUTRAL') return 0;
  return direction === 'LONG' ? OFFSET_PX : -OFFSET_PX;
}
