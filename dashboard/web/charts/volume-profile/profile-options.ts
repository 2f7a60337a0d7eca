/** How a volume profile looks. Colours are CSS colours. */
export interface VolumeProfileOptions {
  /** Bars outside the value area. */
  readonly barColor: string;
  /** Bars of the value area. */
  readonly valueAreaColor: string;
  /** The bar with the greatest volume, its line across the pane, and its label on the price scale. */
  readonly pointOfControlColor: string;
  /** Text of that label. */
  readonly labelTextColor: string;
  /** The edge of the pane on which the bars stand. */
  readonly side: 'left' | 'right';
  /** Length of the longest bar as a share of the pane's width, above 0 and at most 1. */
  readonly widthShare: number;
  /** The longest bar is at most this long, CSS pixels. */
  readonly widthMaxPx: number;
  /** Free space between bars, CSS pixels. */
  readonly gapPx: number;
  /** Whether a line marks the point of control across the pane, with a label on the price scale. */
  readonly showsPointOfControl: boolean;
}

export const VOLUME_PROFILE_DEFAULTS: VolumeProfileOptions = {
  barColor: 'rgba(120, 123, 134, 0.35)',
  valueAreaColor: 'rgba(41, 98, 255, 0.35)',
  pointOfControlColor: 'rgb(41, 98, 255)',
  labelTextColor: 'rgb(255, 255, 255)',
  side: 'right',
  widthShare: 0.25,
  widthMaxPx: 240,
  gapPx: 1,
  showsPointOfControl: true,
};
