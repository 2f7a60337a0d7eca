import {
  createChart,
  CrosshairMode,
  LineSeries,
  LineStyle,
  TickMarkType,
  type IChartApi,
  type ISeriesApi,
  type LineWidth,
  type Time,
  type UTCTimestamp,
} from 'lightweight-charts';
import { chartTheme, type ChartTheme } from '../../charts/chart-theme.ts';
import { DecisionMarkers } from '../../charts/decision-markers/decision-markers.ts';
import type { DecisionMark } from '../../charts/decision-markers/marker-places.ts';
import { PriceBand } from '../../charts/price-band/price-band.ts';
import { VolumeProfile, VOLUME_PROFILE_ID, type VolumeProfileRow } from '../../charts/volume-profile/volume-profile.ts';
import { priceText } from '../../format/numbers.ts';
import { dayText } from '../../format/times.ts';
import type { ChartPoint } from './chart-content.ts';

const PROFILE_WIDTH_SHARE = 0.2;
const PROFILE_WIDTH_MAX_PX = 190;
/** Between the newest price and the longest bar of the profile. */
const PROFILE_GAP_PX = 18;
const FONT_PX = 11;
/** So that thousands of points fit on a phone. */
const BAR_SPACING_MIN_PX = 0.02;

type LineName = 'price' | 'vwap' | 'valueAreaLow' | 'valueAreaHigh' | 'rangeLow' | 'rangeHigh';

/** What is under the pointer. */
export type Hovered =
  { readonly kind: 'decision'; readonly decisionId: string } | { readonly kind: 'row'; readonly row: VolumeProfileRow };

export interface PriceChartEvents {
  readonly onOpen: (decisionId: string) => void;
  readonly onHover: (hovered: Hovered | undefined) => void;
}

/** Price, VWAP with its deviation, value area, range, volume profile and decisions of an instrument, on a canvas. */
export class PriceChart {
  readonly #chart: IChartApi;
  readonly #lines: Readonly<Record<LineName, ISeriesApi<'Line'>>>;
  readonly #band: PriceBand;
  readonly #markers: DecisionMarkers;
  readonly #profile: VolumeProfile;
  #fitted: string | undefined;

  constructor(element: HTMLElement, { onOpen, onHover }: PriceChartEvents) {
    const theme = chartTheme();
    this.#chart = createChart(element, {
      autoSize: true,
      // Its logo brings a style of its own, which the content security policy refuses: the page's foot names the library.
      layout: { attributionLogo: false },
      crosshair: { mode: CrosshairMode.Magnet },
      handleScale: { mouseWheel: false },
      localization: { timeFormatter: crosshairTime },
      timeScale: { minBarSpacing: BAR_SPACING_MIN_PX, timeVisible: true, tickMarkFormatter: tickText },
    });
    this.#lines = linesOf(this.#chart);
    this.#band = new PriceBand(theme.accentSoft);
    this.#profile = new VolumeProfile({
      ...{ widthShare: PROFILE_WIDTH_SHARE, widthMaxPx: PROFILE_WIDTH_MAX_PX, side: 'right' },
    });
    this.#markers = new DecisionMarkers(markerColors(theme));
    for (const primitive of [this.#band, this.#profile, this.#markers]) this.#lines.price.attachPrimitive(primitive);
    this.applyTheme();
    this.#chart.subscribeClick(({ hoveredInfo }) => {
      const id = hoveredInfo?.objectId;
      if (typeof id === 'string' && id !== VOLUME_PROFILE_ID) onOpen(id);
    });
    this.#chart.subscribeCrosshairMove(({ hoveredInfo, point }) => {
      const id = hoveredInfo?.objectId;
      this.#markers.keepPointed(typeof id === 'string' ? id : undefined);
      if (typeof id !== 'string' || point === undefined) onHover(undefined);
      else if (id !== VOLUME_PROFILE_ID) onHover({ kind: 'decision', decisionId: id });
      else {
        const row = this.#profile.rowAt(point.y);
        onHover(row === undefined ? undefined : { kind: 'row', row });
      }
    });
  }

  /**
   * @param digits of a price after the point
   * @param view names what is shown: only another one moves the view, so that who has zoomed in stays there
   */
  setPoints(points: readonly ChartPoint[], digits: number, view: string): void {
    const priceFormat = {
      ...{ type: 'custom' as const, minMove: 1 / 10 ** digits },
      formatter: (price: number) => priceText(price.toFixed(digits)),
    };
    for (const [name, line] of Object.entries(this.#lines) as [LineName, ISeriesApi<'Line'>][]) {
      line.applyOptions({ priceFormat });
      line.setData(
        points.map((point) => {
          const [time, value] = [point.time as UTCTimestamp, point[name]];
          return value === null ? { time } : { time, value };
        }),
      );
    }
    this.#band.setPoints(
      points.map(({ time, vwap, vwapDeviation }) => ({
        ...{ time: time as UTCTimestamp, low: vwap - vwapDeviation, high: vwap + vwapDeviation },
      })),
    );
    if (points.length === 0 || this.#fitted === view) return;
    this.#fitted = view;
    this.fit();
  }

  setMarks(marks: readonly DecisionMark[]): void {
    this.#markers.setMarks(marks);
  }

  setRows(rows: readonly VolumeProfileRow[]): void {
    this.#profile.setRows(rows);
  }

  /** The place of a decision's mark, CSS pixels from the top left; undefined where it is not shown. */
  placeOf(decisionId: string | undefined): { readonly x: number; readonly y: number } | undefined {
    return this.#markers.keep(decisionId);
  }

  /** Shows all points, with room for the profile beside them. */
  fit(): void {
    const { width } = this.#chart.paneSize();
    const rightOffsetPixels = this.#profile.widthPx(width) + PROFILE_GAP_PX;
    this.#chart.timeScale().applyOptions({ rightOffsetPixels });
    this.#chart.timeScale().fitContent();
  }

  applyTheme(): void {
    const theme = chartTheme();
    const { ink, muted, line, lineStrong, accent, card } = theme;
    this.#chart.applyOptions({
      layout: {
        ...{ background: { color: card }, textColor: muted, fontSize: FONT_PX },
        fontFamily: getComputedStyle(document.body).fontFamily,
      },
      grid: { vertLines: { visible: false }, horzLines: { color: line } },
      rightPriceScale: { borderVisible: false, entireTextOnly: true },
      timeScale: { borderColor: line },
      crosshair: {
        vertLine: { color: lineStrong, labelBackgroundColor: ink },
        horzLine: { color: lineStrong, labelBackgroundColor: ink },
      },
    });
    this.#lines.price.applyOptions({ color: ink, lastValueVisible: true });
    this.#lines.vwap.applyOptions({ color: accent });
    for (const name of ['valueAreaLow', 'valueAreaHigh'] as const) this.#lines[name].applyOptions({ color: muted });
    for (const name of ['rangeLow', 'rangeHigh'] as const) this.#lines[name].applyOptions({ color: lineStrong });
    this.#band.setColor(theme.accentSoft);
    this.#markers.setColors(markerColors(theme));
    this.#profile.applyOptions({
      ...{ barColor: line, valueAreaColor: lineStrong, pointOfControlColor: accent, labelTextColor: theme.onAccent },
    });
  }

  remove(): void {
    this.#chart.remove();
  }
}

function linesOf(chart: IChartApi): Readonly<Record<LineName, ISeriesApi<'Line'>>> {
  const line = (lineWidth: LineWidth, lineStyle = LineStyle.Solid): ISeriesApi<'Line'> =>
    chart.addSeries(LineSeries, {
      ...{ lineWidth, lineStyle, lastValueVisible: false, priceLineVisible: false, crosshairMarkerVisible: false },
    });
  return {
    valueAreaLow: line(1, LineStyle.Dashed),
    valueAreaHigh: line(1, LineStyle.Dashed),
    rangeLow: line(1),
    rangeHigh: line(1),
    vwap: line(2),
    price: line(2),
  };
}

function markerColors({ accent, ink, muted, card }: ChartTheme) {
  return { accent, ink, muted, paper: card };
}

/** In the viewer's zone: the chart itself knows only UTC. */
function clockText(timeS: number, hasSeconds: boolean): string {
  return new Date(timeS * 1_000).toLocaleTimeString('en-GB', {
    ...{ hour: '2-digit', minute: '2-digit', ...(hasSeconds ? { second: '2-digit' } : {}) },
  });
}

function crosshairTime(time: Time): string {
  const timeS = Number(time);
  return `${dayText(timeS * 1_000)}, ${clockText(timeS, true)}`;
}

function tickText(time: Time, type: TickMarkType): string {
  const timeS = Number(time);
  if (type === TickMarkType.Time || type === TickMarkType.TimeWithSeconds) {
    return clockText(timeS, type === TickMarkType.TimeWithSeconds);
  }
  return dayText(timeS * 1_000);
}
