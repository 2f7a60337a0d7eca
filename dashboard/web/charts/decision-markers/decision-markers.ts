import type {
  IPrimitivePaneRenderer,
  IPrimitivePaneView,
  ISeriesPrimitive,
  PrimitiveHoveredItem,
  SeriesAttachedParameter,
  UTCTimestamp,
} from 'lightweight-charts';
import type { DecisionStatus } from '../../../contract/decisions.ts';
import { markAt, markerPlaces, type DecisionMark, type PlacedMark } from './marker-places.ts';

export interface MarkerColors {
  /** Of a HIT, and of the marks of what is not known yet. */
  readonly accent: string;
  readonly ink: string;
  readonly muted: string;
  /** Fills the marks that are outlines. */
  readonly paper: string;
}

type Target = Parameters<IPrimitivePaneRenderer['draw']>[0];

const HALF_PX = 5.5;
const LINE_PX = 1.6;
const CROSS_PX = 2.4;

/**
 * Decisions as marks on the price, for lightweight-charts 5: triangles that point the forecast way. A HIT is filled, a MISS
 * is an outline with a cross, what is pending or VOID is an outline: shapes say it, not only colours. The chart's events
 * name the decision under the pointer as `hoveredInfo.objectId`.
 */
export class DecisionMarkers implements ISeriesPrimitive {
  #marks: readonly DecisionMark[] = [];
  #colors: MarkerColors;
  #keptId: string | undefined;
  #pointedId: string | undefined;
  #attached: SeriesAttachedParameter | undefined;
  #places: readonly PlacedMark[] = [];
  readonly #paneViews: readonly IPrimitivePaneView[];

  constructor(colors: MarkerColors) {
    this.#colors = colors;
    const renderer: IPrimitivePaneRenderer = {
      draw: (target) => {
        this.#draw(target);
      },
    };
    this.#paneViews = [{ zOrder: () => 'top', renderer: () => renderer }];
  }

  /** @param marks oldest first */
  setMarks(marks: readonly DecisionMark[]): void {
    this.#marks = marks;
    this.#attached?.requestUpdate();
  }

  setColors(colors: MarkerColors): void {
    this.#colors = colors;
    this.#attached?.requestUpdate();
  }

  /** Keeps the mark of one decision where it would be left out. @returns where it is; undefined where it is not shown */
  keep(decisionId: string | undefined): PlacedMark | undefined {
    this.#keptId = decisionId;
    this.#attached?.requestUpdate();
    return this.#placed().find(({ mark }) => mark.decisionId === decisionId);
  }

  /** Keeps the mark under the pointer, as long as it is there: a press that ends {@link keep} must not change what is opened. */
  keepPointed(decisionId: string | undefined): void {
    this.#pointedId = decisionId;
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

  hitTest(x: number, y: number): PrimitiveHoveredItem | null {
    const place = markAt(this.#places, x, y);
    if (place === undefined) return null;
    return {
      ...{ externalId: place.mark.decisionId, zOrder: 'top', cursorStyle: 'pointer', hitTestPriority: 2 },
      distance: Math.hypot(place.x - x, place.y - y),
    };
  }

  #placed(): PlacedMark[] {
    const { chart, series } = this.#attached ?? {};
    if (chart === undefined || series === undefined) return [];
    return markerPlaces(
      this.#marks,
      (time) => chart.timeScale().timeToCoordinate(time as UTCTimestamp),
      (price) => series.priceToCoordinate(price),
      ({ decisionId }) => decisionId === this.#keptId || decisionId === this.#pointedId,
    );
  }

  #draw(target: Target): void {
    this.#places = this.#placed();
    target.useMediaCoordinateSpace(({ context }) => {
      for (const { mark, x, y } of this.#places) {
        context.save();
        context.translate(x, y);
        drawMark(context, mark, this.#colors);
        context.restore();
      }
    });
  }
}

function drawMark(context: CanvasRenderingContext2D, { direction, status }: DecisionMark, colors: MarkerColors): void {
  const color = colorOf(status, colors);
  context.beginPath();
  if (direction === 'NEUTRAL') context.arc(0, 0, HALF_PX * 0.6, 0, 2 * Math.PI);
  else {
    const tip = direction === 'LONG' ? -HALF_PX : HALF_PX;
    context.moveTo(0, tip);
    context.lineTo(HALF_PX, -tip);
    context.lineTo(-HALF_PX, -tip);
    context.closePath();
  }
  context.fillStyle = status === 'HIT' ? color : colors.paper;
  context.strokeStyle = color;
  context.lineWidth = LINE_PX;
  context.lineJoin = 'round';
  if (status === 'PENDING') context.setLineDash([2, 1.5]);
  context.fill();
  context.stroke();
  if (status !== 'MISS') return;
  const middle = direction === 'LONG' ? CROSS_PX : -CROSS_PX;
  context.beginPath();
  context.moveTo(-CROSS_PX, middle - CROSS_PX);
  context.lineTo(CROSS_PX, middle + CROSS_PX);
  context.moveTo(CROSS_PX, middle - CROSS_PX);
  context.lineTo(-CROSS_PX, middle + CROSS_PX);
  context.lineWidth = 1.2;
  context.stroke();
}

function colorOf(status: DecisionStatus, { accent, ink, muted }: MarkerColors): string {
  switch (status) {
    case 'HIT':
    case 'PENDING':
      return accent;
    case 'MISS':
      return ink;
    case 'VOID':
    case 'NONE':
      return muted;
  }
}
