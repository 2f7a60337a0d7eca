import { ln } from '../../evaluators/arithmetic.ts';

const TWO_TO_32 = 4_294_967_296;
const GOLDEN_GAMMA = 0x9e37_79b9;

/**
 * Pseudo-random numbers that are the same everywhere for the same seed, so that a simulated figure can be computed
 * again. A 32-bit counter with a mixing function (Steele, Lea & Flood 2014, SplitMix, doi 10.1145/2660193.2660195; the
 * mixer is MurmurHash3's): period 2^32, for simulation and never for secrets.
 */
export class SeededRandom {
  private counter: number;
  private spareNormal: number | undefined;

  /** @param seed - an integer; its lowest 32 bits count. */
  constructor(seed: number) {
    this.counter = seed >>> 0;
  }

  /** Uniform in [0, 1), a multiple of 2^−32. */
  uniform(): number {
    this.counter = (this.counter + GOLDEN_GAMMA) >>> 0;
    let mixed = this.counter;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / TWO_TO_32;
  }

  /** An integer from 0 to count − 1. */
  below(count: number): number {
    return Math.floor(this.uniform() * count);
  }

  /** Standard normal, by Marsaglia's polar method (doi 10.1137/1006063). */
  normal(): number {
    if (this.spareNormal !== undefined) {
      const spare = this.spareNormal;
      this.spareNormal = undefined;
      return spare;
    }
    // One pair in 4.7 falls outside the circle: the loop ends.
    while (true) {
      const left = 2 * this.uniform() - 1;
      const right = 2 * this.uniform() - 1;
      const square = left * left + right * right;
      if (square >= 1 || square === 0) continue;
      const scale = Math.sqrt((-2 * ln(square)) / square);
      this.spareNormal = right * scale;
      return left * scale;
    }
  }
}
