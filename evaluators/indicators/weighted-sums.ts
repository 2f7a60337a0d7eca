import { DECIMAL_SCALE, type Decimal } from '../../contracts/decimal.ts';
import {
  bigPowerOfTen,
  exactOf,
  exactOfDouble,
  exactText,
  shortest,
  unitsAt,
  type ExactDecimal,
} from '../exact-decimals.ts';

/** 2^26: two such limbs hold an integer of 52 bits, and a product of two is exact in a double. */
const LIMB = 67_108_864;
const PER_LIMB = 1 / LIMB;
const LIMB_BITS = 26n;
/** The quick way takes sizes below 2^50 units, */
const QUANTITY_BOUND = 1_125_899_906_842_624;
/** and prices less than 2^26 units from the reference price: the square is below 2^52. */
const SQUARE_BOUND = LIMB * LIMB;
/** Up to here a distance is exact in a double: its two parts, below 2^53 and 10^12, were. */
const DISTANCE_BOUND = LIMB * LIMB;
/** A limb above 2^52 is added to the BigInt totals: one more trade adds at most 2^50 + 2^28, so it stays exact. */
const FLUSH_BOUND = LIMB * LIMB;
/** Trades too far from the reference price that are counted by BigInt before the reference follows them. */
const FAR_TRADES_MAX = 32;

/** Canonical texts of Σ q, Σ p·q and Σ p²·q: the exact numbers, so the same for the same trades in any order. */
export type WeightedSumsState = readonly [volume: string, first: string, second: string];

/** Σ q, Σ q·d and Σ q·d² for d = p − reference, as integers: of 10^-sizeDecimals, times 10^-priceDecimals once or twice. */
export interface WeightedTotals {
  readonly volume: bigint;
  readonly first: bigint;
  readonly second: bigint;
  /** Units of 10^-priceDecimals. */
  readonly reference: bigint;
  readonly priceDecimals: number;
  readonly sizeDecimals: number;
}

/**
 * The exact sums Σ q, Σ p·q and Σ p²·q over trades of price p and size q, from which a trade can be taken out again.
 *
 * Prices and sizes are integers of 10^-k, k the most decimals seen so far in each; when a finer one comes, all sums are
 * rescaled, which is exact. Prices are taken as the distance d from a reference price near them: small integers. A
 * trade's terms are summed in doubles that hold integers below 2^53, greater ones in limbs of 26 bits. The limbs are
 * added to BigInt totals before they could round. So the scales, the reference and the moment of that are free choices:
 * the sums are exact in any case.
 */
export class WeightedSums {
  private priceDecimals = 0;
  private sizeDecimals = 0;
  /** 10^k, and 10^(12 − k), of prices and of sizes. */
  private priceScale = 1;
  private priceUnit = 1e12;
  private sizeScale = 1;
  private sizeUnit = 1e12;
  /**
   * The reference price's parts, the fraction in units of 10^-k; NaN before the first trade, which therefore takes the
   * slow way.
   */
  private referenceWhole = Number.NaN;
  private referenceFraction = Number.NaN;
  private reference = 0n;
  private farTrades = 0;
  /** Limbs since the last flush: Σ q, Σ q·d in two, Σ q·d² in three, the lowest first. */
  private volume = 0;
  private first0 = 0;
  private first1 = 0;
  private second0 = 0;
  private second1 = 0;
  private second2 = 0;
  private bigVolume = 0n;
  private bigFirst = 0n;
  private bigSecond = 0n;

  static fromState([volume, first, second]: WeightedSumsState): WeightedSums {
    return WeightedSums.of(exactOf(volume), exactOf(first), exactOf(second));
  }

  /**
   * From the doubles of engine version 2: Σ q, the average, and Σ q·(p − average)². Volume and Σ p·q are taken to 15
   * significant digits, Σ p²·q so that the sum of squares about the average has as many, rounded up in the 15th. With
   * only one price so far, that price is taken to 12 decimals, and the deviation stays exactly 0.
   *
   * @param volume - above 0.
   */
  static fromRounded(volume: number, average: number, squares: number): WeightedSums {
    const quantity = shortest(exactOfDouble(volume, DECIMAL_SCALE));
    if (squares <= 0) {
      const price = shortest(exactOfDouble(average, DECIMAL_SCALE));
      const first = productOf(price, quantity);
      return WeightedSums.of(quantity, first, productOf(price, first));
    }
    const first = shortest(exactOfDouble(volume * average, 2 * DECIMAL_SCALE));
    const about = exactOfDouble(squares, 3 * DECIMAL_SCALE);
    // Σ p²·q = Σ q·(p − average)² + (Σ p·q)² / Σ q, in units of the former's last digit: 10^-decimals.
    const { decimals } = about;
    const dividend = first.units * first.units * bigPowerOfTen(quantity.decimals + decimals);
    const quotient = dividend / (quantity.units * bigPowerOfTen(2 * first.decimals));
    return WeightedSums.of(quantity, first, { units: about.units + quotient + 1n, decimals });
  }

  /** @param first - Σ p·q. @param second - Σ p²·q. */
  private static of(volume: ExactDecimal, first: ExactDecimal, second: ExactDecimal): WeightedSums {
    const sums = new WeightedSums();
    // The fewest decimals in which all three are integers: a sum may have fewer than its terms had, never more.
    const sizeDecimals = Math.max(volume.decimals, first.decimals - DECIMAL_SCALE, second.decimals - 2 * DECIMAL_SCALE);
    const forSecond = Math.ceil((second.decimals - sizeDecimals) / 2);
    sums.refine(Math.max(0, first.decimals - sizeDecimals, forSecond), sizeDecimals);
    sums.bigVolume = unitsAt(volume, sizeDecimals);
    sums.bigFirst = unitsAt(first, sizeDecimals + sums.priceDecimals);
    sums.bigSecond = unitsAt(second, sizeDecimals + 2 * sums.priceDecimals);
    return sums;
  }

  toState(): WeightedSumsState {
    const { volume, first, second, reference, priceDecimals, sizeDecimals } = this.totals();
    const aboutZero = second + reference * (2n * first + reference * volume);
    return [
      exactText({ units: volume, decimals: sizeDecimals }),
      exactText({ units: first + reference * volume, decimals: sizeDecimals + priceDecimals }),
      exactText({ units: aboutZero, decimals: sizeDecimals + 2 * priceDecimals }),
    ];
  }

  /** Adds a trade, or removes it with a sign of −1. Hot: once for each trade, so no BigInt and no calls. */
  count(price: Decimal, size: Decimal, sign: 1 | -1): void {
    const sizeUnits = size.fraction / this.sizeUnit;
    const priceUnits = price.fraction / this.priceUnit;
    const quantity = size.whole * this.sizeScale + sizeUnits;
    const distance = (price.whole - this.referenceWhole) * this.priceScale + (priceUnits - this.referenceFraction);
    const square = distance * distance;
    // A fraction is below 10^12, and if 10^m does not divide it, the quotient, below 10^(12 − m), is at least 10^-m
    // from any integer. Rounding moves it by less than 2^-53 of itself, which is less: so it is an integer if and only
    // if the division leaves no remainder. Every bound fails for NaN, and for a product too great to be exact.
    const areWhole = Math.floor(sizeUnits) === sizeUnits && Math.floor(priceUnits) === priceUnits;
    if (!(areWhole && quantity < QUANTITY_BOUND && square < SQUARE_BOUND)) {
      if (areWhole && quantity < QUANTITY_BOUND && Math.abs(distance) < DISTANCE_BOUND) {
        this.countFar(price, BigInt(sign * quantity), BigInt(distance));
      } else {
        this.countSlowly(price, size, sign);
      }
      return;
    }
    const quantity1 = Math.floor(quantity * PER_LIMB);
    const square1 = Math.floor(square * PER_LIMB);
    const low = sign * (quantity - quantity1 * LIMB);
    const high = sign * quantity1;
    const square0 = square - square1 * LIMB;
    const first0 = this.first0 + low * distance;
    const firstCarry = Math.floor(first0 * PER_LIMB);
    const second0 = this.second0 + low * square0;
    const secondCarry = Math.floor(second0 * PER_LIMB);
    const second1 = this.second1 + low * square1 + high * square0 + secondCarry;
    const thirdCarry = Math.floor(second1 * PER_LIMB);
    this.volume += sign * quantity;
    this.first0 = first0 - firstCarry * LIMB;
    this.first1 += high * distance + firstCarry;
    this.second0 = second0 - secondCarry * LIMB;
    this.second1 = second1 - thirdCarry * LIMB;
    this.second2 += high * square1 + thirdCarry;
    if (
      Math.abs(this.volume) > FLUSH_BOUND ||
      Math.abs(this.first1) > FLUSH_BOUND ||
      Math.abs(this.second2) > FLUSH_BOUND
    ) {
      this.flush();
    }
  }

  totals(): WeightedTotals {
    this.flush();
    const { bigVolume: volume, bigFirst: first, bigSecond: second, reference, priceDecimals, sizeDecimals } = this;
    return { volume, first, second, reference, priceDecimals, sizeDecimals };
  }

  /** Any trade: the first, one with more decimals than those before, or one with very great numbers. */
  private countSlowly(price: Decimal, size: Decimal, sign: 1 | -1): void {
    const priceDecimals = Math.max(price.decimals, this.priceDecimals);
    const sizeDecimals = Math.max(size.decimals, this.sizeDecimals);
    if (priceDecimals > this.priceDecimals || sizeDecimals > this.sizeDecimals) {
      this.refine(priceDecimals, sizeDecimals);
    }
    if (Number.isNaN(this.referenceWhole)) this.refer(price);
    const distance = price.unitsAt(priceDecimals) - this.reference;
    this.countFar(price, BigInt(sign) * size.unitsAt(sizeDecimals), distance);
  }

  private countFar(price: Decimal, quantity: bigint, distance: bigint): void {
    const moment = quantity * distance;
    this.bigVolume += quantity;
    this.bigFirst += moment;
    this.bigSecond += moment * distance;
    this.farTrades += 1;
    if (this.farTrades > FAR_TRADES_MAX) this.refer(price);
  }

  /** Takes more decimals: the same sums in smaller units. */
  private refine(priceDecimals: number, sizeDecimals: number): void {
    this.flush();
    const ofPrice = bigPowerOfTen(priceDecimals - this.priceDecimals);
    const ofSize = bigPowerOfTen(sizeDecimals - this.sizeDecimals);
    this.bigVolume *= ofSize;
    this.bigFirst *= ofSize * ofPrice;
    this.bigSecond *= ofSize * ofPrice * ofPrice;
    this.reference *= ofPrice;
    this.referenceFraction *= Number(ofPrice);
    [this.priceDecimals, this.sizeDecimals] = [priceDecimals, sizeDecimals];
    this.priceScale = Number(bigPowerOfTen(priceDecimals));
    this.priceUnit = Number(bigPowerOfTen(DECIMAL_SCALE - priceDecimals));
    this.sizeScale = Number(bigPowerOfTen(sizeDecimals));
    this.sizeUnit = Number(bigPowerOfTen(DECIMAL_SCALE - sizeDecimals));
  }

  /** Takes another reference: with p − b = (p − a) + (a − b), the same sums about it. */
  private refer(price: Decimal): void {
    this.flush();
    const reference = price.unitsAt(this.priceDecimals);
    const shift = this.reference - reference;
    this.bigSecond += shift * (2n * this.bigFirst + shift * this.bigVolume);
    this.bigFirst += shift * this.bigVolume;
    this.reference = reference;
    this.referenceWhole = price.whole;
    this.referenceFraction = price.fraction / this.priceUnit;
    this.farTrades = 0;
  }

  private flush(): void {
    this.bigVolume += BigInt(this.volume);
    this.bigFirst += bigOf(this.first1, this.first0);
    this.bigSecond += (BigInt(this.second2) << (2n * LIMB_BITS)) + BigInt(this.second1 * LIMB + this.second0);
    this.volume = 0;
    this.first0 = 0;
    this.first1 = 0;
    this.second0 = 0;
    this.second1 = 0;
    this.second2 = 0;
  }
}

function productOf(left: ExactDecimal, right: ExactDecimal): ExactDecimal {
  return { units: left.units * right.units, decimals: left.decimals + right.decimals };
}

/** high·2^26 + low. */
function bigOf(high: number, low: number): bigint {
  return Math.abs(high) < LIMB ? BigInt(high * LIMB + low) : (BigInt(high) << LIMB_BITS) + BigInt(low);
}
