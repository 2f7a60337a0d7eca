import type { IPrimitivePaneRenderer } from 'lightweight-charts';
import { profileBars, type ProfileBar, type VolumeProfileRow } from './profile-geometry.ts';
import type { VolumeProfileOptions } from './profile-options.ts';

/** What the renderer draws, asked for at each frame. */
export interface ProfileSource {
  readonly options: () => VolumeProfileOptions;
  readonly rows: () => readonly VolumeProfileRow[];
  /** CSS pixels. */
  readonly yOf: (price: number) => number | null;
  readonly longestBarPx: (paneWidthPx: number) => number;
}

type Target = Parameters<IPrimitivePaneRenderer['draw']>[0];

const LINE_DASH_PX = [2, 3];

/** Draws the bars of a volume profile in the device's own pixels, so that their edges are sharp. */
export class ProfileRenderer implements IPrimitivePaneRenderer {
  readonly #source: ProfileSource;
  /** The bars of the last frame, in the device's pixels, and how many of these a CSS pixel is. */
  #drawn: { readonly bars: readonly ProfileBar[]; readonly ratioX: number; readonly ratioY: number } | undefined;

  constructor(source: ProfileSource) {
    this.#source = source;
  }

  draw(target: Target): void {
    target.useBitmapCoordinateSpace(({ context, bitmapSize, mediaSize, horizontalPixelRatio, verticalPixelRatio }) => {
      const { options, rows, yOf, longestBarPx } = this.#source;
      const { barColor, valueAreaColor, pointOfControlColor, side, gapPx, showsPointOfControl } = options();
      const bars = profileBars(rows(), {
        paneWidth: bitmapSize.width,
        paneHeight: bitmapSize.height,
        longestBar: Math.round(longestBarPx(mediaSize.width) * horizontalPixelRatio),
        side,
        gap: Math.round(gapPx * verticalPixelRatio),
        yOf: (price) => {
          const y = yOf(price);
          return y === null ? null : y * verticalPixelRatio;
        },
      });
      this.#drawn = { bars, ratioX: horizontalPixelRatio, ratioY: verticalPixelRatio };
      for (const { row, x, y, width, height } of bars) {
        context.fillStyle = row.isPointOfControl ? pointOfControlColor : row.isInValueArea ? valueAreaColor : barColor;
        context.fillRect(x, y, width, height);
      }
      const control = bars.find(({ row }) => row.isPointOfControl);
      if (!showsPointOfControl || control === undefined) return;
      const middle = Math.round(control.y + control.height / 2) + 0.5;
      context.save();
      context.strokeStyle = pointOfControlColor;
      context.lineWidth = Math.max(1, Math.floor(verticalPixelRatio));
      context.setLineDash(LINE_DASH_PX.map((length) => length * horizontalPixelRatio));
      context.beginPath();
      context.moveTo(0, middle);
      context.lineTo(bitmapSize.width, middle);
      context.stroke();
      context.restore();
    });
  }

  /** The bar of the last frame under a place of the pane, CSS pixels. */
  barAt(x: number, y: number): ProfileBar | undefined {
    if (this.#drawn === undefined) return undefined;
    const { bars, ratioX, ratioY } = this.#drawn;
    const [left, top] = [x * ratioX, y * ratioY];
    return bars.find((bar) => left >= bar.x && left < bar.x + bar.width && top >= bar.y && top < bar.y + bar.height);
  }
}
