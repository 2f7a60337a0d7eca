import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, View, type Spec } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { GrowthPoint } from './growth.ts';
import { kept } from './kept.ts';

const FOLDER = join(import.meta.dirname, '..', 'docs', 'plots');
const WIDTH = 300;
const HEIGHT = 180;
/** Legible on white and on black: a page may be either, and a picture cannot know. */
const INK = '#7a828e';
const LINE = '#3b82c4';

interface Axis {
  readonly field: keyof GrowthPoint;
  readonly title: string;
}

const CPU: Axis = { field: 'cpuUsPerTrade', title: 'processor time of a trade, µs' };
const MEMORY: Axis = { field: 'residentMib', title: 'resident memory, MiB' };
const HELD: Axis = { field: 'heldMib', title: 'held after a collection, MiB' };
const RATE: Axis = { field: 'tradesPerSecond', title: 'trades a second' };

/** By file name: the curve, what it is over, and what is drawn. */
const PLOTS: Readonly<
  Record<string, { curve: GrowthPoint['curve']; over: string; scale: 'log' | 'linear' | 'ordinal'; axes: Axis[] }>
> = {
  'growth-instruments': { curve: 'instruments', over: 'instruments', scale: 'log', axes: [CPU, MEMORY] },
  'growth-session': { curve: 'session', over: 'trades of the session', scale: 'linear', axes: [CPU, MEMORY, HELD] },
  'growth-engines': { curve: 'engines', over: 'engine processes', scale: 'ordinal', axes: [RATE, CPU] },
};

/** The pictures of docs/benchmarks.md: file name to SVG, the same text for the same points. */
export async function plotsOf(points: readonly GrowthPoint[]): Promise<ReadonlyMap<string, string>> {
  const plots = new Map<string, string>();
  for (const [name, { curve, over, scale, axes }] of Object.entries(PLOTS)) {
    const drawn = points.filter((point) => point.curve === curve);
    if (drawn.length === 0) continue;
    const specification = compile({
      $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
      background: 'transparent',
      data: { values: drawn.map((point) => ({ ...point })) },
      hconcat: axes.map(({ field, title }) => panelOf(field, title, over, scale)),
      config: {
        font: 'system-ui, sans-serif',
        axis: { labelColor: INK, titleColor: INK, gridColor: INK, gridOpacity: 0.25, domainColor: INK, tickColor: INK },
        view: { stroke: 'transparent' },
      },
    } as TopLevelSpec).spec;
    plots.set(`${name}.svg`, `${await svgOf(specification)}\n`);
  }
  return plots;
}

function panelOf(field: string, title: string, over: string, scale: 'log' | 'linear' | 'ordinal') {
  const isOrdinal = scale === 'ordinal';
  const x = {
    field: 'at',
    type: isOrdinal ? 'ordinal' : 'quantitative',
    title: over,
    ...(isOrdinal ? {} : { scale: scale === 'linear' ? { nice: false, zero: true } : { type: scale, nice: false } }),
    axis: { format: isOrdinal ? 'd' : '~s', labelAngle: 0, grid: false },
  };
  // From 0: a curve that rises by a tenth must look like that.
  const y = { field, type: 'quantitative', title, scale: { zero: true } };
  const mark = isOrdinal
    ? { type: 'bar', color: LINE, size: 60 }
    : { type: 'line', color: LINE, point: { color: LINE } };
  return { width: WIDTH, height: HEIGHT, mark, encoding: { x, y } };
}

async function svgOf(specification: Spec): Promise<string> {
  const view = new View(parse(specification), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/** Draws the kept measurements again. */
export async function writePlots(): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  for (const [name, svg] of await plotsOf(kept('growth').points)) await writeFile(join(FOLDER, name), svg);
}
