import { Decimal, DECIMAL_SCALE } from '../../contracts/decimal.ts';

const FRACTION_UNITS = 1e12;

/** State of an {@link ExactVolume}: whole units, and units of 10^-12. */
export type ExactVolumeState = readonly [whole: number, fraction: number];

/** A sum of sizes in the two parts of a `Decimal`: exact below 2^53, whatever the order. */
export class ExactVolume {
  private whole = 0;
  private fraction = 0;

  static fromState([whole, fraction]: ExactVolumeState): ExactVolume {
    const volume = new ExactVolume();
    volume.whole = whole;
    volume.fraction = fraction;
    return volume;
  }

  /** The decimal of 12 digits after the point that is nearest to a sum of doubles. */
  static fromRounded(value: number): ExactVolume {
    const whole = Math.floor(value);
    const digits = (value - whole).toFixed(DECIMAL_SCALE).split('.')[1] ?? '0';
    const isNextWhole = (value - whole).toFixed(DECIMAL_SCALE).startsWith('1');
    return ExactVolume.fromState([isNextWhole ? whole + 1 : whole, Number(digits)]);
  }

  toState(): ExactVolumeState {
    return [this.whole, this.fraction];
  }

  add(size: Decimal): void {
    this.sum(size.whole, size.fraction);
  }

  addAll(other: ExactVolume): void {
    this.sum(other.whole, other.fraction);
  }

  remove(size: Decimal): void {
    const { whole, fraction } = size.negated();
    this.sum(whole, fraction);
  }

  get isNegative(): boolean {
    return this.whole < 0;
  }

  /** The nearest double. */
  toNumber(): number {
    return new Decimal(this.whole, this.fraction).toNumber();
  }

  private sum(whole: number, fraction: number): void {
    const units = this.fraction + fraction;
    const carries = units >= FRACTION_UNITS;
    this.whole += carries ? whole + 1 : whole;
    this.fraction = carries ? units - FRACTION_UNITS : units;
  }
}
