import { recalibrated, type ProbabilityPoint } from './corp.ts';
import { SeededRandom } from './seeded-random.ts';

/** Perfect forecasters simulated. */
const SIMULATIONS = 400;
/** Share of them that shows less. */
const SHARE = 0.975;

/**
 * The MCB below which 97.5 % of perfect forecasters with the same probabilities stay, by simulation: the effect of
 * isotonic regression fitting chance (like the consistency bands of Dimitriadis, Gneiting & Jordan 2021, doi
 * 10.1073/pnas.2016191118). Each point's hits are drawn as a normal number with mean w·p and variance w·p(1 − p): steps of
 * the curve join many points. Weight counts as independent outcomes, which is at least as wide as the truth.
 *
 * @param points - by probability ascending, with weight.
 */
export function miscalibrationByChance(points: readonly ProbabilityPoint[], seed: number): number {
  const random = new SeededRandom(seed);
  const byChance = Array.from({ length: SIMULATIONS }, () => simulatedMiscalibration(random, points));
  byChance.sort((left, right) => left - right);
  return byChance[Math.ceil(SIMULATIONS * SHARE) - 1] ?? 0;
}

function simulatedMiscalibration(random: SeededRandom, points: readonly ProbabilityPoint[]): number {
  const drawn = points.map(({ probability, weight }) => ({
    probability,
    weight,
    hits: weight * probability + random.normal() * Math.sqrt(weight * probability * (1 - probability)),
  }));
  // Σ w[(p − r)² − (c − r)²] with r = hits / w; within a step Σ w·c·r = c² Σ w.
  let [weights, saved] = [0, 0];
  for (const { probability, weight, hits } of drawn) {
    weights += weight;
    saved += weight * probability * probability - 2 * probability * hits;
  }
  for (const { weight, hitRate } of recalibrated(drawn)) saved += weight * hitRate * hitRate;
  return saved / weights;
}
