import type { IndicatorSnapshot } from '../../contracts/generated/events.ts';

/**
 * A value area holds the whole of its top row, like its lowest: `valueAreaLow ≤ p < valueAreaHigh + profileBinSize`. An
 * event of engine version 1 or 2 does not contain the height of a row; there the area ends at the top row's lower edge.
 */
export function isInsideValueArea(snapshot: IndicatorSnapshot): boolean {
  const { lastPrice, valueAreaLow, valueAreaHigh, profileBinSize } = snapshot;
  if (lastPrice.compare(valueAreaLow) < 0) return false;
  if (lastPrice.compare(valueAreaHigh) <= 0) return true;
  if (profileBinSize === null) return false;
  // Not by Decimal.plus: the upper edge of a very high row may be beyond what a Decimal holds.
  return lastPrice.toUnits() < valueAreaHigh.toUnits() + profileBinSize.toUnits();
}

/** Edges of the value area and the middle of the point of control's row, quote currency. */
export interface ValueAreaPlaces {
  readonly low: number;
  readonly pointOfControl: number;
  readonly high: number;
}

/** The value area's places as prices: a row is named by its lower edge, and is `profileBinSize` high. */
export function valueAreaPlaces(snapshot: IndicatorSnapshot): ValueAreaPlaces {
  const { valueAreaLow, pointOfControl, valueAreaHigh, profileBinSize } = snapshot;
  const rowHeight = profileBinSize?.toNumber() ?? 0;
  return {
    low: valueAreaLow.toNumber(),
    pointOfControl: pointOfControl.toNumber() + rowHeight / 2,
    high: valueAreaHigh.toNumber() + rowHeight,
  };
}
