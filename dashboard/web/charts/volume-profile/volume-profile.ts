import type {
  IPrimitivePaneRenderer,
  IPrimitivePaneView,
  ISeriesPrimitive,
  ISeriesPrimitiveAxisView,
  PrimitiveHoveredItem,
  SeriesAttachedParameter,
} from 'lightweight-charts';
import { VOLUME_PROFILE_DEFAULTS, type VolumeProfileOptions } from './profile-options.ts';
import { ProfileRenderer } from './profile-renderer.ts';
import { rowAtHeight, type VolumeProfileRow } from './profile-geometry.ts';

/** The id of the bars in the chart's events. */
export const VOLUME_PROFILE_ID = 'volume-profile';

/**
 * A volume profile beside the price, for lightweight-charts 5: a series primitive that draws one horizontal bar for each
 * price range, on the series' own price scale, so that bars stay at their prices while the chart is scrolled, zoomed or
 * inverted. It is drawn beneath the series, and changes neither its data nor its scale.
 *
 *     const profile = new VolumeProfile({ side: 'right', widthShare: 0.2 });
 *     series.attachPrimitive(profile);
 *     profile.setRows(rows);
 *     chart.timeScale().applyOptions({ rightOffsetPixels: profile.widthPx(chart.paneSize().width) });
 *
 * The last line keeps the newest prices clear of the bars. `hoveredInfo.objectId` of the chart's events is
 * `VOLUME_PROFILE_ID` while the pointer is over a bar, and `rowAt` names its row.
 */
export class VolumeProfile implements ISeriesPrimitive {
  #options: VolumeProfileOptions;
  #rows: readonly VolumeProfileRow[] = [];
  #attached: SeriesAttachedParameter | undefined;
  readonly #renderer: ProfileRenderer;
  // The library caches by the identity of these arrays.
  readonly #paneViews: readonly IPrimitivePaneView[];
  readonly #axisViews: readonly ISeriesPrimitiveAxisView[];

  constructor(options: Partial<VolumeProfileOptions> = {}) {
    this.#options = { ...VOLUME_PROFILE_DEFAULTS, ...options };
    this.#renderer = new ProfileRenderer({
      options: () => this.#options,
      rows: () => this.#rows,
      yOf: (price) => this.#yOf(price),
      longestBarPx: (paneWidth) => this.widthPx(paneWidth),
    });
    const renderer: IPrimitivePaneRenderer = this.#renderer;
    this.#paneViews = [{ zOrder: () => 'bottom', renderer: () => renderer }];
    this.#axisViews = [this.#label()];
  }

  /** Replaces the rows. They need no order and may have gaps, but must not overlap. */
  setRows(rows: readonly VolumeProfileRow[]): void {
    this.#rows = rows;
    this.#attached?.requestUpdate();
  }

  applyOptions(options: Partial<VolumeProfileOptions>): void {
    this.#options = { ...this.#options, ...options };
    this.#attached?.requestUpdate();
  }

  /** Length of the longest bar in a pane of this width, CSS pixels. */
  widthPx(paneWidth: number): number {
    const { widthShare, widthMaxPx } = this.#options;
    return Math.min(Math.round(paneWidth * widthShare), widthMaxPx);
  }

  /** The row at a height of the pane, CSS pixels from its top; undefined where none is. */
  rowAt(y: number): VolumeProfileRow | undefined {
    return rowAtHeight(this.#rows, y, (price) => this.#yOf(price));
  }

  // What lightweight-charts calls.

  attached(parameters: SeriesAttachedParameter): void {
    this.#attached = parameters;
  }

  detached(): void {
    this.#attached = undefined;
  }

  paneViews(): readonly IPrimitivePaneView[] {
    return this.#paneViews;
  }

  priceAxisViews(): readonly ISeriesPrimitiveAxisView[] {
    return this.#axisViews;
  }

  hitTest(x: number, y: number): PrimitiveHoveredItem | null {
    const bar = this.#renderer.barAt(x, y);
    return bar === undefined ? null : { externalId: VOLUME_PROFILE_ID, zOrder: 'bottom', hitTestPriority: 0 };
  }

  #yOf(price: number): number | null {
    return this.#attached?.series.priceToCoordinate(price) ?? null;
  }

  #label(): ISeriesPrimitiveAxisView {
    const middle = (): number | undefined => {
      const row = this.#rows.find(({ isPointOfControl }) => isPointOfControl);
      return row === undefined ? undefined : (row.low + row.high) / 2;
    };
    const y = (): number | null => {
      const price = middle();
      return price === undefined ? null : this.#yOf(price);
    };
    return {
      coordinate: () => y() ?? 0,
      text: () => {
        const price = middle();
        return price === undefined ? '' : (this.#attached?.series.priceFormatter().format(price) ?? '');
      },
      textColor: () => this.#options.labelTextColor,
      backColor: () => this.#options.pointOfControlColor,
      visible: () => this.#options.showsPointOfControl && y() !== null,
      tickVisible: () => false,
    };
  }
}

export type { VolumeProfileRow } from './profile-geometry.ts';
export type { VolumeProfileOptions } from './profile-options.ts';
