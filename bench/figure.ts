/** One measured figure: every run, and its target. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  /** One value per run, in the order of the runs. */
  readonly values: readonly number[];
  readonly median: number;
  /** The target, if there is one. */
  readonly aim: Aim | undefined;
  /** How it was measured, in one sentence. */
  readonly how: string;
}

export interface Aim {
  readonly atLeast?: number;
  readonly below?: number;
}

export function figureOf(name: string, unit: string, values: readonly number[], how: string, aim?: Aim): Figure {
  return { name, unit, values, median: medianOf(values), aim, how };
}

export function isMet({ aim, median }: Figure): boolean {
  return (aim?.atLeast === undefined || median >= aim.atLeast) && (aim?.below === undefined || median < aim.below);
}

/** The median; the mean of the two middle values where their number is even. */
export function medianOf(values: readonly number[]): number {
  return quantileOf(values, 0.5);
}

/** The quantile: the value at or below which a share of all values is, by linear interpolation. */
export function quantileOf(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  const position = (sorted.length - 1) * share;
  const low = sorted[Math.floor(position)] ?? Number.NaN;
  const high = sorted[Math.ceil(position)] ?? Number.NaN;
  return low + (high - low) * (position - Math.floor(position));
}

/** The figures as a table for people. */
export function tableOf(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.name,
    `${shown(figure.median)} ${figure.unit}`,
    figure.aim === undefined ? '' : `${aimOf(figure.aim)}: ${isMet(figure) ? 'met' : 'missed'}`,
    figure.values.map(shown).join('  '),
  ]);
  const heads = ['figure', 'median', 'aim', 'runs'];
  return gridOf(heads, rows);
}

/** Columns as wide as their widest cell. */
export function gridOf(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)));
  return [heads, ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function aimOf(aim: Aim): string {
  return aim.atLeast === undefined ? `< ${shown(aim.below ?? Number.NaN)}` : `≥ ${shown(aim.atLeast)}`;
}

function shown(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 2 : value < 1000 ? 1 : 0 });
}
