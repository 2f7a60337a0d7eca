import { TapeproofError } from '../../platform/errors.ts';

/** Configurations of one grid. */
export const GRID_POINTS_MAX = 1_000;

/** One key of a grid with its values, each as it was written. */
export interface GridAxis {
  /** Path in the configuration, its parts separated by dots: `strategies.VWAP_REVERSION.weight`, `hitRules.0.horizonMs`. */
  readonly key: string;
  readonly values: readonly string[];
}

/** One combination: the value of each key, as it was written. */
export type GridPoint = Readonly<Record<string, string>>;

/** Reads `key=v1,v2,…`. @throws TapeproofError USAGE */
export function parseAxis(text: string): GridAxis {
  const at = text.indexOf('=');
  const key = text.slice(0, Math.max(at, 0)).trim();
  const values = text
    .slice(at + 1)
    .split(',')
    .map((value) => value.trim());
  if (at < 1 || key === '' || key.split('.').includes('') || values.includes('')) {
    throw new TapeproofError(
      'USAGE',
      `"${text}" is not a valid axis of a grid: give a key of the configuration and its values, such as --grid cadenceMs=1000,5000.`,
    );
  }
  const repeated = values.find((value, index) => values.indexOf(value) < index);
  if (repeated !== undefined) {
    throw new TapeproofError('USAGE', `--grid ${key} has the value ${repeated} twice: give each value once.`);
  }
  return { key, values };
}

/** All combinations, the last axis changing fastest. @throws TapeproofError USAGE */
export function gridPoints(axes: readonly GridAxis[]): readonly GridPoint[] {
  const repeated = axes.find(({ key }, index) => axes.findIndex((axis) => axis.key === key) < index);
  if (repeated !== undefined) {
    throw new TapeproofError('USAGE', `--grid ${repeated.key} is given twice: give all its values at once.`);
  }
  const count = axes.reduce((product, { values }) => product * values.length, 1);
  if (count > GRID_POINTS_MAX) {
    throw new TapeproofError(
      'USAGE',
      `The grid has ${count.toLocaleString('en')} combinations: try at most ${GRID_POINTS_MAX.toLocaleString('en')} at a time.`,
    );
  }
  return axes.reduce<readonly GridPoint[]>(
    (points, { key, values }) => points.flatMap((point) => values.map((value) => ({ ...point, [key]: value }))),
    [{}],
  );
}

/**
 * A configuration, as it was read, with the values of a point in it.
 *
 * @param base - the parsed document; it is not changed. A missing branch is created.
 * @param parse - the meaning of a value as it was written: YAML's.
 * @throws TapeproofError USAGE when a key leads into something that has no keys.
 */
export function withPoint(base: unknown, point: GridPoint, parse: (value: string) => unknown): unknown {
  const changed: unknown = structuredClone(base ?? {});
  for (const [key, value] of Object.entries(point)) {
    const path = key.split('.');
    const last = path.pop() ?? '';
    let branch = changed;
    for (const part of path) branch = childOf(branch, part, key);
    assertHasKeys(branch, last, key);
    branch[last] = parse(value);
  }
  return changed;
}

function childOf(branch: unknown, part: string, key: string): unknown {
  assertHasKeys(branch, part, key);
  if (!Object.hasOwn(branch, part)) branch[part] = {};
  return branch[part];
}

/** A list has the keys of its entries, and no configuration has the key that reaches the prototype. */
function assertHasKeys(branch: unknown, part: string, key: string): asserts branch is Record<string, unknown> {
  const isObject = typeof branch === 'object' && branch !== null && part !== '__proto__';
  if (isObject && (!Array.isArray(branch) || Object.keys(branch).includes(part))) return;
  throw new TapeproofError('USAGE', `--grid ${key} does not lead to a key of the configuration: look at its file.`);
}
