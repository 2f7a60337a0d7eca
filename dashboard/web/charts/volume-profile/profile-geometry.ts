/** One price range of a volume profile. */
export interface VolumeProfileRow {
  /** Lower edge, in the series' prices. */
  readonly low: number;
  /** Upper edge, exclusive, above `low`. */
  readonly high: number;
  /** At least 0; its unit does not matter. */
  readonly volume: number;
  readonly isInValueArea: boolean;
  readonly isPointOfControl: boolean;
}

/** Where the bars are drawn, in pixels of one kind. */
export interface ProfileSpace {
  /** Width of the pane. */
  readonly paneWidth: number;
  /** Height of the pane: what is beyond it is left out. */
  readonly paneHeight: number;
  /** Length of the longest bar. */
  readonly longestBar: number;
  /** The edge on which the bars stand. */
  readonly side: 'left' | 'right';
  /** Free space between neighbouring bars, where they are high enough for it. */
  readonly gap: number;
  /** The y of a price, downwards from the top of the pane; null where the scale has none. */
  readonly yOf: (price: number) => number | null;
}

/** A bar in whole pixels, at least one wide and high. */
export interface ProfileBar {
  readonly row: VolumeProfileRow;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A bar that is less than this many times as high as the gap gets none. */
const GAPS_IN_HEIGHT_MIN = 4;

/**
 * A bar for each row with volume that reaches into the pane, as long as its share of the greatest volume of all rows, in
 * their order. The edges are rounded, not the heights, so that neighbours neither overlap nor leave a hairline.
 */
export function profileBars(rows: readonly VolumeProfileRow[], space: ProfileSpace): ProfileBar[] {
  const { paneWidth, paneHeight, longestBar, side, gap, yOf } = space;
  const greatest = rows.reduce((most, { volume }) => Math.max(most, volume), 0);
  if (greatest <= 0) return [];
  return rows.flatMap((row): ProfileBar[] => {
    const [lowY, highY] = [yOf(row.low), yOf(row.high)];
    if (row.volume <= 0 || lowY === null || highY === null) return [];
    // An inverted scale has its low prices on top.
    const [top, bottom] = [Math.round(Math.min(lowY, highY)), Math.round(Math.max(lowY, highY))];
    if (bottom < 0 || top > paneHeight) return [];
    const full = bottom - top;
    const height = Math.max(1, full >= GAPS_IN_HEIGHT_MIN * gap ? full - gap : full);
    const width = Math.max(1, Math.round((row.volume / greatest) * longestBar));
    return [{ row, x: side === 'left' ? 0 : paneWidth - width, y: top, width, height }];
  });
}

/** The row at a height of the pane; its bar need not reach that far. Undefined where none is. */
export function rowAtHeight(
  rows: readonly VolumeProfileRow[],
  y: number,
  yOf: ProfileSpace['yOf'],
): VolumeProfileRow | undefined {
  return rows.find(({ low, high }) => {
    const [lowY, highY] = [yOf(low), yOf(high)];
    return lowY !== null && highY !== null && y >= Math.min(lowY, highY) && y < Math.max(lowY, highY);
  });
}
