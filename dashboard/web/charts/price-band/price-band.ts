import type {
  IPrimitivePaneRenderer,
  IPrimitivePaneView,
  ISeriesPrimitive,
  SeriesAttachedParameter,
  Time,
} from 'lightweight-charts';

/** The band at one time, in the series' prices. */
export interface BandPoint {
  readonly time: Time;
  readonly low: number;
  readonly high: number;
}

type Target = Parameters<IPrimitivePaneRenderer['draw']>[0];

/** Fills the area between two prices over time, for lightweight-charts 5. The series must have a point at each time. */
export class PriceBand implements ISeriesPrimitive {
  #points: readonly BandPoint[] = [];
  #color: string;
  #attached: SeriesAttachedParameter | undefined;
  readonly #paneViews: readonly IPrimitivePaneView[];

  constructor(color: string) {
    this.#color = color;
    const renderer: IPrimitivePaneRenderer = {
      draw: (target) => {
        this.#draw(target);
      },
    };
    this.#paneViews = [{ zOrder: () => 'bottom', renderer: () => renderer }];
  }

  /** Replaces the points, oldest first. */
  setPoints(points: readonly BandPoint[]): void {
    this.#points = points;
    this.#attached?.requestUpdate();
  }

  setColor(color: string): void {
    this.#color = color;
    this.#attached?.requestUpdate();
  }

  attached(parameters: SeriesAttachedParameter): void {
    this.#attached = parameters;
  }

  detached(): void {
    this.#attached = undefined;
  }

  paneViews(): readonly IPrimitivePaneView[] {
    return this.#paneViews;
  }

  #draw(target: Target): void {
    const { chart, series } = this.#attached ?? {};
    if (chart === undefined || series === undefined) return;
    const timeScale = chart.timeScale();
    const corners = this.#points.flatMap(({ time, low, high }) => {
      const [x, lowY, highY] = [
        timeScale.timeToCoordinate(time),
        series.priceToCoordinate(low),
        series.priceToCoordinate(high),
      ];
      return x === null || lowY === null || highY === null ? [] : [{ x, lowY, highY }];
    });
    if (corners.length < 2) return;
    target.useMediaCoordinateSpace(({ context }) => {
      context.beginPath();
      for (const { x, highY } of corners) context.lineTo(x, highY);
      for (const { x, lowY } of corners.toReversed()) context.lineTo(x, lowY);
      context.closePath();
      context.fillStyle = this.#color;
      context.fill();
    });
  }
}
