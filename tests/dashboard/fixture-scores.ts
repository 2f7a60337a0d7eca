import type {
  ReliabilityDiagram,
  ScoreGroup,
  ScoreRow,
  ScoreSpan,
  SkillRow,
  Trial,
} from '../../dashboard/contract/scores.ts';
import { SeededRandom } from '../../proofs/scores/seeded-random.ts';
import { CONFIG_HASH, ENGINE_VERSION } from './fixture-market.ts';

/** Scores like those of the demo's tape, which are near the reference. */

const FORECASTS = [
  { forecast: 'DECISION', n: 19_758, effectiveN: 838, hitRate: 0.509, published: 0.5, skill: 0.0008 },
  { forecast: 'RANGE_BREAKOUT', n: 2_522, effectiveN: 465, hitRate: 0.469, published: 0.478, skill: -0.0021 },
  { forecast: 'VWAP_REVERSION', n: 30_660, effectiveN: 1_176, hitRate: 0.498, published: 0.51, skill: 0.0016 },
] as const;
const REFERENCE = 0.475;
const HALF_95 = 1.96;
const DAY_US = 86_400_000_000;

const groupOf = (instrument: string, forecast: string): ScoreGroup => ({
  ...{ instrument, forecast, hitRuleKind: 'MOVE', horizonMs: 300_000, leastMove: '0 bp' },
  ...{ configHash: CONFIG_HASH, engineVersion: ENGINE_VERSION },
});

export function fixtureScores(instrument: string): ScoreRow[] {
  const rows = FORECASTS.map(({ forecast, n, effectiveN, hitRate, published, skill }): ScoreRow => {
    const half = HALF_95 * Math.sqrt((hitRate * (1 - hitRate)) / effectiveN);
    const hits = Math.round(n * hitRate);
    return {
      ...{ group: groupOf(instrument, forecast), hits, misses: n - hits, voids: 12, n, effectiveN, hitRate },
      hitRateInterval: { low: hitRate - half, high: hitRate + half },
      ...{ meanPublished: published, referenceRate: REFERENCE, brierPublished: 0.2494, brierReference: 0.2496 },
      ...{ logLossPublished: 0.692, skillAgainstReference: skill, regret: 0.0004, withheld: [] },
    };
  });
  return [...rows, withheldRow(instrument)];
}

function withheldRow(instrument: string): ScoreRow {
  const sentence = 'too few: an effective n of 7.0 is below 90';
  return {
    ...{ group: groupOf(instrument, 'ORDER_FLOW_IMBALANCE'), hits: 20, misses: 21, voids: 0, n: 41, effectiveN: 7 },
    ...{ hitRate: null, hitRateInterval: null, meanPublished: null, referenceRate: null, brierPublished: null },
    ...{ brierReference: null, logLossPublished: null, skillAgainstReference: null, regret: null },
    withheld: [{ figures: ['all figures'], reason: 'TOO_FEW', sentence }],
  };
}

export function fixtureSkills(instrument: string): SkillRow[] {
  return fixtureScores(instrument).map(({ group, n, effectiveN, skillAgainstReference: skill, withheld }) => ({
    ...{ group, n, effectiveN, skillAgainstReference: skill, withheld },
    interval: skill === null ? null : { low: skill - 0.0043, high: skill + 0.0043 },
  }));
}

export function fixtureReliability(instrument: string): ReliabilityDiagram[] {
  const diagrams = FORECASTS.map(({ forecast, n, effectiveN }): ReliabilityDiagram => ({
    ...{ group: groupOf(instrument, forecast), n, effectiveN, withheld: [] },
    bins: [
      { low: 0.3, share: 0.01, hitRate: 0.31 },
      { low: 0.4, share: 0.47, hitRate: 0.468 },
      { low: 0.5, share: 0.45, hitRate: 0.527 },
      { low: 0.6, share: 0.07, hitRate: 0.611 },
    ].map(({ low, share, hitRate }) => {
      const half = HALF_95 * Math.sqrt((hitRate * (1 - hitRate)) / (share * effectiveN));
      return {
        ...{ low, high: low + 0.1, n: Math.round(share * n), effectiveN: share * effectiveN },
        ...{ meanProbability: low + 0.06, hitRate },
        band: { low: Math.max(0, hitRate - half), high: Math.min(1, hitRate + half) },
      };
    }),
  }));
  const [row] = fixtureScores(instrument).slice(-1);
  return [
    ...diagrams,
    { group: row!.group, n: row!.n, effectiveN: row!.effectiveN, bins: [], withheld: row!.withheld },
  ];
}

export function fixtureSpans(nowUs: number): ScoreSpan[] {
  const random = new SeededRandom(9);
  let [skill, regret] = [-0.004, 0.003];
  return Array.from({ length: 40 }, (_, index): ScoreSpan => {
    skill += (0.0008 - skill) * 0.08 + random.normal() * 0.0006;
    regret += (0.0004 - regret) * 0.1 + Math.abs(random.normal()) * 0.0001;
    const fromUs = nowUs - (40 - index) * (DAY_US / 6);
    return {
      ...{ fromUs, toUs: fromUs + DAY_US / 6, n: 400 + random.below(200), effectiveN: 20 },
      hitRate: 0.48 + 0.05 * random.uniform(),
      ...{ skillSoFar: index < 4 ? null : skill, regretSoFar: index < 4 ? null : regret },
    };
  });
}

export function fixtureTrials(nowUs: number): Trial[] {
  const random = new SeededRandom(4);
  return Array.from({ length: 12 }, (_, index): Trial => {
    const referenceBrier = 0.2496;
    const skill = random.normal() * 0.003;
    return {
      ...{ trialId: `trial-${index}`, isHypothetical: true, kind: index % 4 === 0 ? 'WHAT_IF' : 'BACKTEST' },
      ...{ triedAtUs: nowUs - index * 3_700_000_000, actor: 'ada', gitCommit: '1f'.repeat(20), engineVersion: '7' },
      configHash: index === 0 ? CONFIG_HASH : `${(0x1a2b + index).toString(16)}${'c7'.repeat(30)}`,
      strategies: {},
      gridPoint: index === 0 ? {} : { 'vwapReversion.entryDeviations': String(1 + 0.25 * index) },
      ...{ tapeId: 'tape-1', fileHashes: [], n: 19_758, effectiveN: 838, brier: referenceBrier * (1 - skill) },
      ...{ referenceBrier, skill, tries: 12 },
    };
  });
}
