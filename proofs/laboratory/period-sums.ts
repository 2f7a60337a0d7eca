const FIRST_LENGTH_US = 1_000_000;
const PERIODS_MAX = 512;

/** Outcomes of forecasts made in one period of market time. */
export interface PeriodSum {
  /** Microseconds; a power of two seconds. */
  readonly lengthUs: number;
  /** The period's number, counted in such lengths from 1970. */
  readonly index: number;
  /** Overlap weight. */
  readonly weight: number;
  /** Loss avoided against the reference, by overlap weight. */
  readonly avoided: number;
}

/**
 * Sums by period of market time, in any order. Periods begin at one second and double in length when there are more than
 * 512, so that the sums of several configurations can be brought to the same periods.
 */
export class PeriodSums {
  private lengthUs = FIRST_LENGTH_US;
  private sums = new Map<number, { weight: number; avoided: number }>();

  observe(forecastUs: number, weight: number, avoided: number): void {
    if (weight <= 0) return;
    this.add(Math.floor(forecastUs / this.lengthUs), weight, weight * avoided);
    while (this.sums.size > PERIODS_MAX) this.lengthen();
  }

  /** By time. */
  list(): readonly PeriodSum[] {
    const { lengthUs } = this;
    return [...this.sums].sort(([left], [right]) => left - right).map(([index, sum]) => ({ lengthUs, index, ...sum }));
  }

  private add(index: number, weight: number, avoided: number): void {
    const sum = this.sums.get(index) ?? { weight: 0, avoided: 0 };
    this.sums.set(index, { weight: sum.weight + weight, avoided: sum.avoided + avoided });
  }

  private lengthen(): void {
    const former = this.sums;
    this.sums = new Map();
    this.lengthUs *= 2;
    for (const [index, { weight, avoided }] of former) this.add(Math.floor(index / 2), weight, avoided);
  }
}

/** The sums of one configuration in each of the common stretches of time. */
export interface StretchSum {
  readonly weight: number;
  readonly avoided: number;
}

/**
 * The sums of several configurations in the same consecutive stretches of market time, of equal length as nearly as the
 * periods allow. Undefined when there are fewer periods than stretches.
 *
 * @returns for each configuration, a sum for each stretch.
 */
export function inStretches(
  configurations: readonly (readonly PeriodSum[])[],
  stretches: number,
): readonly (readonly StretchSum[])[] | undefined {
  const all = configurations.flat();
  const lengthUs = all.reduce((longest, period) => Math.max(longest, period.lengthUs), 0);
  const indexOf = (period: PeriodSum) => Math.floor((period.index * period.lengthUs) / lengthUs);
  const indexes = [...new Set(all.map(indexOf))].sort((left, right) => left - right);
  if (indexes.length < stretches) return undefined;
  const stretchOf = new Map(indexes.map((index, place) => [index, Math.floor((place * stretches) / indexes.length)]));
  return configurations.map((periods) => {
    const sums = Array.from({ length: stretches }, () => ({ weight: 0, avoided: 0 }));
    for (const period of periods) {
      const sum = sums[stretchOf.get(indexOf(period)) ?? 0];
      if (sum === undefined) continue;
      sum.weight += period.weight;
      sum.avoided += period.avoided;
    }
    return sums;
  });
}
