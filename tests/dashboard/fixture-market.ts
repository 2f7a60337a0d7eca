import { SeededRandom } from '../../proofs/scores/seeded-random.ts';
import type { Decision } from '../../dashboard/contract/decisions.ts';
import type { InstrumentOverview } from '../../dashboard/contract/instruments.ts';
import type { ProfileResponse, SeriesPoint } from '../../dashboard/contract/series.ts';

/** A market of made-up prices that is the same at each run but for its end, which is now. */

export const CONFIG_HASH = '5c1d9a7be04f3c2286d2a9b1f7e0c4d35a6b8e9f00112233445566778899aabb';
export const ENGINE_VERSION = '7';
const STEP_US = 60_000_000;
const POINTS = 360;
const HORIZON_MS = 300_000;
const HORIZON_STEPS = HORIZON_MS / 60_000;
const DECISION_EVERY_STEPS = 5;
const SPARKLINE_POINTS = 60;
const RANGE_STEPS = 20;

export interface FixtureMarket {
  readonly instrument: string;
  readonly points: readonly SeriesPoint[];
  /** Newest first. */
  readonly decisions: readonly Decision[];
  readonly profile: ProfileResponse;
  readonly overview: InstrumentOverview;
}

interface MarketSeed {
  readonly instrument: string;
  readonly displayName: string;
  readonly price: number;
  readonly binSize: number;
  readonly seed: number;
  /** How old the latest price is. */
  readonly ageMs: number;
}

/** @param nowUs the time of the newest price, but for its age */
export function fixtureMarket(
  { instrument, displayName, price, binSize, seed, ageMs }: MarketSeed,
  nowUs: number,
): FixtureMarket {
  const random = new SeededRandom(seed);
  const digits = Math.max(0, Math.ceil(-Math.log10(binSize)) + 1);
  const text = (value: number): string => value.toFixed(digits);
  const endUs = nowUs - ageMs * 1_000;
  const prices: number[] = [];
  for (let at = 0, level = price, drift = 0; at < POINTS; at += 1) {
    drift = 0.9 * drift + random.normal() * price * 0.00012;
    level += drift + random.normal() * price * 0.00035 + (price - level) * 0.004;
    prices.push(level);
  }
  const volumes = prices.map(() => 0.4 + 3 * random.uniform() * random.uniform());
  const bins = new Map<number, number>();
  const points = prices.map((last, at): SeriesPoint => {
    const bin = Math.floor(last / binSize);
    bins.set(bin, (bins.get(bin) ?? 0) + (volumes[at] ?? 0));
    return pointOf({
      at,
      prices,
      volumes,
      bins,
      binSize,
      text,
      instrument,
      timeUs: endUs - (POINTS - 1 - at) * STEP_US,
    });
  });
  const decisions = decisionsOf(points, random, seed);
  const last = points.at(-1)!;
  return {
    ...{ instrument, points, decisions },
    profile: profileOf(instrument, last, bins, binSize, text),
    overview: {
      state: {
        ...{ instrument, displayName, price: last.price, priceTimeUs: last.timeUs, clockUs: last.timeUs, ageMs },
        ...{ staleAfterMs: 60_000, isStale: ageMs > 60_000, lastVerdict: 'HIT', decision: latestOf(decisions[0]!) },
      },
      sparkline: points.slice(-SPARKLINE_POINTS).map(({ timeUs, price: each }) => ({ timeUs, price: each })),
    },
  };
}

function latestOf(decision: Decision): InstrumentOverview['state']['decision'] {
  const { decisionId, timeUs, direction, probability, rawProbability, calibratedProbability } = decision;
  const { referenceRate, confidence, level } = decision;
  return {
    ...{ decisionId, timeUs, direction, probability, rawProbability, calibratedProbability },
    ...{ referenceRate, confidence, level },
  };
}

interface Basis {
  readonly at: number;
  readonly timeUs: number;
  readonly prices: readonly number[];
  readonly volumes: readonly number[];
  readonly bins: ReadonlyMap<number, number>;
  readonly binSize: number;
  readonly instrument: string;
  readonly text: (value: number) => string;
}

function pointOf({ at, timeUs, prices, volumes, bins, binSize, text }: Basis): SeriesPoint {
  const [seen, weights] = [prices.slice(0, at + 1), volumes.slice(0, at + 1)];
  const volume = weights.reduce((sum, each) => sum + each, 0);
  const vwap = seen.reduce((sum, each, index) => sum + each * (weights[index] ?? 0), 0) / volume;
  const variance = seen.reduce((sum, each, index) => sum + (each - vwap) ** 2 * (weights[index] ?? 0), 0) / volume;
  const { control, low, high } = valueAreaOf(bins);
  const bars = seen.slice(-RANGE_STEPS - 1, -1);
  return {
    ...{ snapshotId: `snapshot-3-${10_000 + at}-0`, timeUs, price: text(prices[at] ?? 0) },
    ...{ vwap, vwapDeviation: Math.sqrt(variance), pointOfControl: text(control * binSize) },
    ...{ valueAreaLow: text(low * binSize), valueAreaHigh: text(high * binSize) },
    rangeHigh: bars.length < RANGE_STEPS ? null : text(Math.max(...bars)),
    rangeLow: bars.length < RANGE_STEPS ? null : text(Math.min(...bars)),
    ...{ barVolume: volumes[at] ?? 0, sessionVolume: volume, tradeCount: 40 * (at + 1) },
  };
}

/** 70 % of the volume around the bin with most of it, in numbers of bins. */
function valueAreaOf(bins: ReadonlyMap<number, number>): { control: number; low: number; high: number } {
  const total = [...bins.values()].reduce((sum, each) => sum + each, 0);
  const control = [...bins].reduce((best, each) => (each[1] > best[1] ? each : best))[0];
  const [lowest, highest] = [Math.min(...bins.keys()), Math.max(...bins.keys())];
  let [low, high, held] = [control, control, bins.get(control) ?? 0];
  while (held < 0.7 * total) {
    const [below, above] = [bins.get(low - 1) ?? 0, bins.get(high + 1) ?? 0];
    if (low === lowest || (high < highest && above >= below)) high += 1;
    else low -= 1;
    held += Math.max(above, below);
  }
  return { control, low, high };
}

function profileOf(
  instrument: string,
  last: SeriesPoint,
  bins: ReadonlyMap<number, number>,
  binSize: number,
  text: (value: number) => string,
): ProfileResponse {
  const { control, low, high } = valueAreaOf(bins);
  const { snapshotId, timeUs, pointOfControl, valueAreaLow, valueAreaHigh, sessionVolume, tradeCount } = last;
  return {
    ...{ instrument, snapshotId, timeUs, pointOfControl, valueAreaLow, valueAreaHigh, sessionVolume, tradeCount },
    ...{ binSize: text(binSize), binsPerRow: 1, withheld: null },
    rows: [...bins]
      .sort(([left], [right]) => left - right)
      .map(([bin, volume]) => ({
        ...{ low: text(bin * binSize), high: text((bin + 1) * binSize), volume },
        ...{ isInValueArea: bin >= low && bin <= high, isPointOfControl: bin === control },
      })),
  };
}

function decisionsOf(points: readonly SeriesPoint[], random: SeededRandom, seed: number): Decision[] {
  return points
    .flatMap((point, at) => {
      if (at % DECISION_EVERY_STEPS !== 4) return [];
      const decision = decisionOf(points, point, at, random, seed);
      return [decision, ofLongerHorizon(decision)];
    })
    .reverse();
}

/** The same snapshot's decision for a second horizon, as most configurations have one. */
function ofLongerHorizon(decision: Decision): Decision {
  const horizonMs = 4 * HORIZON_MS;
  return {
    ...{ ...decision, decisionId: decision.decisionId.replace(/0$/, '1') },
    ...{ horizonMs, dueUs: decision.timeUs + horizonMs * 1_000 },
    ...{ status: decision.direction === 'NEUTRAL' ? 'NONE' : 'PENDING', outcome: null },
  };
}

function decisionOf(
  points: readonly SeriesPoint[],
  point: SeriesPoint,
  at: number,
  random: SeededRandom,
  seed: number,
): Decision {
  const z = (Number(point.price) - point.vwap) / point.vwapDeviation;
  const direction = Math.abs(z) < 0.15 ? 'NEUTRAL' : z > 0 ? 'SHORT' : 'LONG';
  const referenceRate = 0.474 + 0.004 * random.uniform();
  const rawProbability = referenceRate + 0.02 + 0.05 * random.uniform();
  const probability = referenceRate + (rawProbability - referenceRate) * (1.2 + random.uniform());
  const confidence = 0.55 + 0.44 * random.uniform();
  const dueUs = point.timeUs + HORIZON_MS * 1_000;
  const resolving = points[at + HORIZON_STEPS];
  const moveBps = resolving === undefined ? 0 : (Number(resolving.price) / Number(point.price) - 1) * 10_000;
  const isVoid = random.uniform() < 0.06;
  const verdict = isVoid ? 'VOID' : moveBps > 0 === (direction === 'LONG') ? 'HIT' : 'MISS';
  const isResolved = direction !== 'NEUTRAL' && resolving !== undefined;
  return {
    ...{ decisionId: `decision-3-${seed}${10_000 + at}-0`, timeUs: point.timeUs, direction, probability },
    ...{ rawProbability, calibratedProbability: probability, referenceRate, confidence },
    level: confidence > 0.8 ? 'HIGH' : confidence > 0.65 ? 'MEDIUM' : 'LOW',
    status: direction === 'NEUTRAL' ? 'NONE' : isResolved ? verdict : 'PENDING',
    ...{ referencePrice: point.price, horizonMs: HORIZON_MS, dueUs, minMoveBps: 0 },
    ...{ engineVersion: ENGINE_VERSION, configHash: CONFIG_HASH },
    outcome: isResolved
      ? {
          ...{ outcomeId: `outcome-3-${seed}${10_000 + at + HORIZON_STEPS}-0`, verdict, dueUs },
          observedUs: isVoid ? null : resolving.timeUs,
          observedPrice: isVoid ? null : resolving.price,
          moveBps: isVoid ? null : moveBps,
        }
      : null,
  };
}
