import { Decimal, DECIMAL_SCALE } from '../../contracts/decimal.ts';
import { bigPowerOfTen, exactOf, exactText, nearestDouble, unitsAt } from '../exact-decimals.ts';

const FRACTION_UNITS = 1e12;
const FRACTION_UNITS_BIG = bigPowerOfTen(DECIMAL_SCALE);
/** 2^52: a whole part above it is carried into a BigInt, so that one more size, below 10^15, leaves it exact. */
const CARRY_BOUND = 4_503_599_627_370_496;

/** An exact sum of sizes, without bound: a `Decimal` ends at 10^15. Changed in place, usually without BigInt. */
export class ExactVolume {
  private whole = 0;
  /** Units of 10^-12, in [0, 10^12). */
  private fraction = 0;
  private carried = 0n;

  static of(text: string): ExactVolume {
    const volume = new ExactVolume();
    const units = unitsAt(exactOf(text), DECIMAL_SCALE);
    volume.carried = units / FRACTION_UNITS_BIG;
    volume.fraction = Number(units % FRACTION_UNITS_BIG);
    volume.settle();
    return volume;
  }

  add(size: Decimal): void {
    this.put(size.whole, size.fraction);
  }

  subtract(size: Decimal): void {
    this.put(-size.whole, -size.fraction);
  }

  addAll({ whole, fraction, carried }: ExactVolume): void {
    this.put(whole, fraction);
    if (carried === 0n) return;
    this.carried += carried;
    this.settle();
  }

  minus({ whole, fraction, carried }: ExactVolume): ExactVolume {
    const rest = new ExactVolume();
    rest.addAll(this);
    rest.put(-whole, -fraction);
    if (carried === 0n) return rest;
    rest.carried -= carried;
    rest.settle();
    return rest;
  }

  isZero(): boolean {
    return this.whole === 0 && this.fraction === 0 && this.carried === 0n;
  }

  /** True below 0: more was removed than added. */
  isNegative(): boolean {
    return this.toUnits() < 0n;
  }

  /** The double nearest to this divided by a divisor. */
  dividedBy(divisor: number): number {
    if (divisor === 1 && this.carried === 0n) return new Decimal(this.whole, this.fraction).toNumber();
    return nearestDouble(this.toUnits(), BigInt(divisor) * FRACTION_UNITS_BIG);
  }

  toString(): string {
    return exactText({ units: this.toUnits(), decimals: DECIMAL_SCALE });
  }

  private toUnits(): bigint {
    return (this.carried + BigInt(this.whole)) * FRACTION_UNITS_BIG + BigInt(this.fraction);
  }

  private put(whole: number, fraction: number): void {
    this.whole += whole;
    this.fraction += fraction;
    if (this.fraction >= FRACTION_UNITS) {
      this.fraction -= FRACTION_UNITS;
      this.whole += 1;
    } else if (this.fraction < 0) {
      this.fraction += FRACTION_UNITS;
      this.whole -= 1;
    }
    if (this.whole > CARRY_BOUND || this.whole < 0) this.settle();
  }

  /** Shifts between the two parts of the whole so that the double holds all of it, if it can. */
  private settle(): void {
    const whole = this.carried + BigInt(this.whole);
    const fits = whole >= 0n && whole <= BigInt(CARRY_BOUND);
    this.whole = fits ? Number(whole) : 0;
    this.carried = fits ? 0n : whole;
  }
}
