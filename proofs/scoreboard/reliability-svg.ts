import type { ReliabilityBin } from '../scores/reliability-bins.ts';
import { ruleText } from './forecast-group.ts';
import type { Reliability, ScoreRow } from './score-row.ts';

const PANEL_PX = 300;
const PLOT_PX = 210;
const LEFT_PX = 54;
const TOP_PX = 44;
const COLUMNS_MAX = 3;
const LEGEND_PX = 34;
/** Rows that are drawn at most: nobody reads more. */
export const PANELS_MAX = 48;
/** The least span of an axis, and the margin around the drawing, in probability. */
const SPAN_MIN = 0.1;
const ROOM = 0.02;
const TICKS = 4;
/** Share of the effective n: the interval of a bin with less does not stretch the axes, and is drawn up to their ends. */
const WEIGHTY_SHARE = 0.05;
const LABEL_PX = 8;
const RADIUS_MIN_PX = 2;
const RADIUS_MAX_PX = 7;

/** A row whose reliability is known. */
type Drawn = ScoreRow & { readonly reliability: Reliability };

/** Rows that can be drawn, in the order of the board. */
export function drawable(rows: readonly ScoreRow[]): readonly Drawn[] {
  return rows.filter((row): row is Drawn => row.reliability !== null).slice(0, PANELS_MAX);
}

/**
 * Reliability diagrams as SVG, one panel for each row: the recalibrated curve (line), bins with their 95 % interval and
 * n (dots with bars; the area shows the effective n), a perfect forecaster's diagonal, and the reference rate. Scaled
 * to the published probabilities.
 */
export function reliabilitySvg(rows: readonly Drawn[]): string {
  const columns = Math.min(COLUMNS_MAX, rows.length);
  const [width, height] = [columns * PANEL_PX, Math.ceil(rows.length / columns) * PANEL_PX + LEGEND_PX];
  const panels = rows.map((row, index) => {
    const [x, y] = [(index % columns) * PANEL_PX, Math.floor(index / columns) * PANEL_PX];
    return `<g transform="translate(${x} ${y})">\n${panel(row)}\n</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="10" fill="#222">`,
    '<title>Reliability: how often forecasts came true, by the probability that was published</title>',
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...panels,
    legend(height - LEGEND_PX / 2),
    '</svg>',
    '',
  ].join('\n');
}

/** The common bounds of both axes, so that the diagonal is at 45°. */
interface Scale {
  readonly low: number;
  readonly high: number;
  readonly x: (probability: number) => string;
  readonly y: (rate: number) => string;
}

function panel(row: Drawn): string {
  const { reliability, referenceRate } = row;
  const scale = scaleOf(row);
  const [low, high] = [scale.low, scale.high];
  return [
    text(
      LEFT_PX,
      16,
      `${row.instruments.join(', ')} · ${row.strategy ?? 'decision'}${row.part === null ? '' : ` · ${row.part.value}`}`,
      'font-weight="bold"',
    ),
    text(
      LEFT_PX,
      30,
      `${ruleText(row.hitRule)} · n ${row.n.toLocaleString('en')}, effective ${row.effectiveN.toFixed(0)}`,
    ),
    `<rect x="${LEFT_PX}" y="${TOP_PX}" width="${PLOT_PX}" height="${PLOT_PX}" fill="none" stroke="#999"/>`,
    ...ticks(scale),
    line(scale, low, low, high, high, 'stroke="#999" stroke-dasharray="4 3"'),
    ...(referenceRate === null
      ? []
      : [line(scale, low, referenceRate, high, referenceRate, 'stroke="#2a7" stroke-dasharray="1 2"')]),
    curve(reliability, scale),
    ...reliability.bins.flatMap((bin, index) => binMarks(bin, row.effectiveN, scale, index % 2 === 0)),
    text(LEFT_PX + PLOT_PX / 2, TOP_PX + PLOT_PX + 30, 'published probability', 'text-anchor="middle"'),
    `<text transform="translate(14 ${TOP_PX + PLOT_PX / 2}) rotate(-90)" text-anchor="middle">hit rate</text>`,
  ].join('\n');
}

function scaleOf({ reliability: { bins, curve: steps }, referenceRate, effectiveN }: Drawn): Scale {
  const weighty = bins.filter((bin) => bin.effectiveN >= WEIGHTY_SHARE * effectiveN);
  const values = [
    ...weighty.flatMap(({ interval }) => [interval.low, interval.high]),
    ...bins.filter((bin) => bin.effectiveN >= 1).flatMap(({ meanProbability, hitRate }) => [meanProbability, hitRate]),
    ...steps.flatMap((step) => [step.low, step.high]),
    ...(referenceRate === null ? [] : [referenceRate]),
  ];
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const short = Math.max(SPAN_MIN - (most - least), 0) / 2;
  const [low, high] = [Math.max(least - short - ROOM, 0), Math.min(most + short + ROOM, 1)];
  const along = (value: number) => ((Math.min(Math.max(value, low), high) - low) / (high - low)) * PLOT_PX;
  return {
    ...{ low, high },
    x: (probability) => (LEFT_PX + along(probability)).toFixed(1),
    y: (rate) => (TOP_PX + PLOT_PX - along(rate)).toFixed(1),
  };
}

function ticks({ low, high, x, y }: Scale): readonly string[] {
  return Array.from({ length: TICKS + 1 }, (_, index) => low + ((high - low) * index) / TICKS).flatMap((value) => [
    text(x(value), TOP_PX + PLOT_PX + 14, value.toFixed(2), 'text-anchor="middle"'),
    text(LEFT_PX - 5, Number(y(value)) + 3, value.toFixed(2), 'text-anchor="end"'),
  ]);
}

/** A step from each level of the curve to the next. */
function curve({ curve: steps }: Reliability, { x, y }: Scale): string {
  const points = steps.flatMap(({ low, high, hitRate }) => [`${x(low)},${y(hitRate)}`, `${x(high)},${y(hitRate)}`]);
  return `<polyline points="${points.join(' ')}" fill="none" stroke="#c33" stroke-width="1.5"/>`;
}

/** @param isAbove - the place of its n: neighbours alternate. */
function binMarks(bin: ReliabilityBin, effectiveN: number, scale: Scale, isAbove: boolean): readonly string[] {
  const { meanProbability, hitRate, interval, n } = bin;
  const radius = RADIUS_MIN_PX + (RADIUS_MAX_PX - RADIUS_MIN_PX) * Math.sqrt(bin.effectiveN / effectiveN);
  const [x, y] = [scale.x(meanProbability), scale.y(hitRate)];
  // A bin with less than one horizon's outcomes may be beyond the axes: then a hollow dot is drawn at their end.
  const isWithin = hitRate >= scale.low && hitRate <= scale.high;
  const fill = isWithin ? 'fill="#236" fill-opacity="0.7"' : 'fill="#fff" stroke="#236"';
  return [
    line(scale, meanProbability, interval.low, meanProbability, interval.high, 'stroke="#236" stroke-width="1.2"'),
    `<circle cx="${x}" cy="${y}" r="${radius.toFixed(1)}" ${fill}><title>${bin.low.toFixed(2)} to ${bin.high.toFixed(2)}: ${(hitRate * 100).toFixed(1)} % of ${n}, effective n ${bin.effectiveN.toFixed(1)}</title></circle>`,
    text(
      Number(x) + radius + 2,
      Number(y) + (isAbove ? -radius : radius + LABEL_PX),
      `n ${n.toLocaleString('en')}`,
      'font-size="8" fill="#236"',
    ),
  ];
}

function legend(y: number): string {
  return text(
    LEFT_PX,
    y,
    'red: recalibrated curve; blue: bins with 95 % interval and n; grey: a perfect forecaster; green: reference rate p0',
  );
}

function line({ x, y }: Scale, fromX: number, fromY: number, toX: number, toY: number, style: string): string {
  return `<line x1="${x(fromX)}" y1="${y(fromY)}" x2="${x(toX)}" y2="${y(toY)}" ${style}/>`;
}

function text(x: number | string, y: number, content: string, style = ''): string {
  return `<text x="${x}" y="${y}"${style === '' ? '' : ` ${style}`}>${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
