import { wilsonInterval, type Interval } from '../../evaluators/outcomes/wilson.ts';
import type { ScoredForecast } from './brier.ts';

/** A bin's sums: outcomes, and by weight: all, hits, p, p², p of the hits. */
type BinSums = readonly [n: number, weight: number, hits: number, p: number, pSquared: number, pOfHits: number];

export type ReliabilityBinsState = readonly BinSums[];

/** A bin that has outcomes: one point of a reliability diagram. */
export interface ReliabilityBin {
  /** The bin holds `low ≤ p < high`; the last one also holds 1. */
  readonly low: number;
  readonly high: number;
  readonly n: number;
  /** Sum of the overlap weights. */
  readonly effectiveN: number;
  readonly meanProbability: number;
  readonly hitRate: number;
  /** 95 %, by Wilson, from the effective n. */
  readonly interval: Interval;
}

/** `BS = reliability − resolution + uncertainty + withinVariance − withinCovariance`. */
export interface MurphyTerms {
  readonly reliability: number;
  readonly resolution: number;
  readonly uncertainty: number;
  readonly withinVariance: number;
  readonly withinCovariance: number;
}

/** Forecasts by equal bins of their probability; O(1) for each outcome, in any order. */
export class ReliabilityBins {
  private readonly bins: BinSums[];

  /** @param bins - their number, or their state. */
  constructor(bins: number | ReliabilityBinsState) {
    this.bins = typeof bins === 'number' ? Array.from({ length: bins }, () => [0, 0, 0, 0, 0, 0]) : [...bins];
  }

  toState(): ReliabilityBinsState {
    return [...this.bins];
  }

  observe({ probability, isHit, weight }: Omit<ScoredForecast, 'reference'>): void {
    // To nine decimals, so that an edge such as .29 · 100 = 28.999999999999996 belongs to the bin that begins there.
    const scaled = Math.round(probability * this.bins.length * 1e9) / 1e9;
    const index = Math.min(Math.floor(scaled), this.bins.length - 1);
    const [n, weights, hits, p, pSquared, pOfHits] = this.bins[index] ?? [0, 0, 0, 0, 0, 0];
    this.bins[index] = [
      n + 1,
      weights + weight,
      hits + (isHit ? weight : 0),
      p + weight * probability,
      pSquared + weight * probability * probability,
      pOfHits + (isHit ? weight * probability : 0),
    ];
  }

  /** Those with weight, by probability. */
  rows(): readonly ReliabilityBin[] {
    return this.bins.flatMap(([n, weight, hits, p], index) => {
      const interval = wilsonInterval(weight > 0 ? hits / weight : 0, weight);
      if (interval === undefined) return [];
      return {
        low: index / this.bins.length,
        high: (index + 1) / this.bins.length,
        n,
        effectiveN: weight,
        meanProbability: p / weight,
        hitRate: hits / weight,
        interval,
      };
    });
  }

  /**
   * Murphy's decomposition (1973, doi 10.1175/1520-0450(1973)012<0595:ANVPOT>2.0.CO;2) with the two terms within bins that
   * make it exact when a bin's probabilities differ (Stephenson, Coelho & Jolliffe 2008, doi 10.1175/2007WAF2006116.1).
   * With W = Σ w: `REL = Σ w_k(p̄_k − ō_k)² / W`, `RES = Σ w_k(ō_k − ō)² / W`, `UNC = ō(1 − ō)`,
   * `WBV = ΣΣ w(p − p̄_k)² / W`, `WBC = 2 ΣΣ w(o − ō_k)(p − p̄_k) / W`. Undefined until an outcome has weight.
   */
  murphy(): MurphyTerms | undefined {
    const total = this.bins.reduce((sum, [, weight]) => sum + weight, 0);
    if (total <= 0) return undefined;
    const rate = this.bins.reduce((sum, [, , hits]) => sum + hits, 0) / total;
    let [reliability, resolution, withinVariance, withinCovariance] = [0, 0, 0, 0];
    for (const [, weight, hits, p, pSquared, pOfHits] of this.bins) {
      if (weight <= 0) continue;
      const meanProbability = p / weight;
      const hitRate = hits / weight;
      reliability += weight * (meanProbability - hitRate) * (meanProbability - hitRate);
      resolution += weight * (hitRate - rate) * (hitRate - rate);
      withinVariance += pSquared - p * meanProbability;
      withinCovariance += 2 * (pOfHits - hits * meanProbability);
    }
    return {
      reliability: reliability / total,
      resolution: resolution / total,
      uncertainty: rate * (1 - rate),
      withinVariance: withinVariance / total,
      withinCovariance: withinCovariance / total,
    };
  }
}
