import { BatchMeans, EFFECTIVE_N_MIN, RARER_VERDICT_MIN } from '../../proofs/scores/batch-means.ts';
import { ReliabilityBins } from '../../proofs/scores/reliability-bins.ts';
import { wilsonInterval } from '../../evaluators/outcomes/wilson.ts';
import type {
  ReliabilityBin,
  ReliabilityDiagram,
  ScoreGroup,
  ScoreRow,
  ScoreSpan,
  SkillRow,
  WithheldFigures,
} from '../contract/scores.ts';
import type { Spans, StoredBin, StoredGroup, StoredScore, StoredSkill, StoredSpan } from './read-models.ts';

const BINS = 10;

/** The note beside scores: which intervals only the whole log gives. */
export const SCORES_NOTE =
  'These are the sums that the projector "scores" keeps. The interval of the skill is computed from the history; "tapeproof scoreboard" has those of the other figures.';

/** A group's figures; those that so few outcomes cannot show are withheld, by the rules of the scoreboard. */
export function scoreRowOf(stored: StoredScore): ScoreRow {
  const { hits, misses, voids, effectiveN, hitRate } = stored;
  const base = { group: groupOf(stored), hits, misses, voids, n: hits + misses, effectiveN };
  const withheld = withheldOf(stored);
  if (withheld.some(({ reason }) => reason === 'TOO_FEW')) return { ...base, ...NOTHING_SHOWN, withheld };
  const isOneSided = withheld.some(({ reason }) => reason === 'ONE_SIDED');
  const { meanPublished, referenceRate, brierPublished, brierReference, logLossPublished } = stored;
  return {
    ...base,
    hitRate: isOneSided ? null : hitRate,
    hitRateInterval: isOneSided || hitRate === null ? null : (wilsonInterval(hitRate, effectiveN) ?? null),
    ...{ meanPublished, referenceRate, brierPublished, brierReference, logLossPublished },
    skillAgainstReference: stored.skillAgainstReference,
    regret: stored.regret,
    withheld,
  };
}

const NOTHING_SHOWN = {
  hitRate: null,
  hitRateInterval: null,
  meanPublished: null,
  referenceRate: null,
  brierPublished: null,
  brierReference: null,
  logLossPublished: null,
  skillAgainstReference: null,
  regret: null,
} as const;

function groupOf(stored: StoredGroup): ScoreGroup {
  const { instrument, forecast, hitRuleKind, horizonMs, leastMove, configHash, engineVersion } = stored;
  return { instrument, forecast, hitRuleKind, horizonMs, leastMove, configHash, engineVersion };
}

function withheldOf({ effectiveN, hitRate, referenceRate }: StoredScore): WithheldFigures[] {
  if (effectiveN < EFFECTIVE_N_MIN) return [tooFew(effectiveN)];
  const withheld: WithheldFigures[] = [];
  const rarer = Math.min(hitRate ?? 0, 1 - (hitRate ?? 0)) * effectiveN;
  if (rarer < RARER_VERDICT_MIN) {
    const sentence = `hits or misses are worth fewer than ${RARER_VERDICT_MIN} horizons, so their rate cannot be measured`;
    withheld.push({ figures: ['hitRate'], reason: 'ONE_SIDED', sentence });
  }
  if (referenceRate === null) {
    withheld.push(unreferenced(['referenceRate', 'brierReference', 'skillAgainstReference', 'regret']));
  }
  return withheld;
}

function tooFew(effectiveN: number): WithheldFigures {
  const sentence = `too few: an effective n of ${effectiveN.toFixed(1)} is below ${EFFECTIVE_N_MIN}`;
  return { figures: ['all figures'], reason: 'TOO_FEW', sentence };
}

function unreferenced(figures: string[]): WithheldFigures {
  const sentence = 'some of the forecasts were made by an engine version before 4, which had no reference rate';
  return { figures, reason: 'NO_REFERENCE', sentence };
}

/** A group's skill, with the interval of the scoreboard's batch means. */
export function skillRowOf({ group, n, referenced, blocks }: StoredSkill): SkillRow {
  const total = blocks.reduce((sum, [weight]) => sum + weight, 0);
  const { mean, effectiveN, interval } = new BatchMeans({ blockWeight: Math.max(1, total), blocks }).estimate();
  const row = { group: groupOf(group), n, effectiveN, skillAgainstReference: null, interval: null };
  if (effectiveN < EFFECTIVE_N_MIN) return { ...row, withheld: [tooFew(effectiveN)] };
  if (referenced < n) return { ...row, withheld: [unreferenced(['skillAgainstReference', 'interval'])] };
  if (mean === undefined || interval === undefined) {
    const sentence = 'the outcomes are all alike: they do not show how far they may differ';
    return { ...row, withheld: [{ figures: ['skillAgainstReference', 'interval'], reason: 'NO_VARIATION', sentence }] };
  }
  return { ...row, skillAgainstReference: mean, interval, withheld: [] };
}

/** One diagram for each group, in the order of the rows. */
export function diagramsOf(rows: readonly StoredBin[]): readonly ReliabilityDiagram[] {
  const groups = Map.groupBy(rows, (row) => JSON.stringify(groupOf(row)));
  return [...groups.values()].map((bins) => {
    const [first] = bins;
    if (first === undefined) throw new RangeError('a group has a row');
    const effectiveN = bins.reduce((sum, { weight }) => sum + weight, 0);
    const isTooFew = effectiveN < EFFECTIVE_N_MIN;
    return {
      group: groupOf(first),
      n: bins.reduce((sum, { n }) => sum + n, 0),
      effectiveN,
      bins: isTooFew ? [] : binsOf(bins),
      withheld: isTooFew ? [tooFew(effectiveN)] : [],
    };
  });
}

function binsOf(stored: readonly StoredBin[]): ReliabilityBin[] {
  const sums = Array.from({ length: BINS }, (_, index) => {
    const found = stored.find(({ bin }) => bin === index);
    return [found?.n ?? 0, found?.weight ?? 0, found?.hitWeight ?? 0, found?.publishedSum ?? 0, 0, 0] as const;
  });
  return new ReliabilityBins(sums).rows().map(({ interval: band, ...bin }) => ({ ...bin, band }));
}

/** Figures of each span, and running ones up to its end. */
export function scoreSpansOf({ fromUs, spanUs, before, spans }: Spans): readonly ScoreSpan[] {
  let sums: Omit<StoredSpan, 'index'> = before;
  return spans.map((span) => {
    sums = added(sums, span);
    const isShown = sums.weight >= EFFECTIVE_N_MIN && sums.referenced === sums.n;
    const best = Math.min(sums.referenceLoss, sums.rawLoss, sums.calibratedLoss);
    return {
      fromUs: fromUs + span.index * spanUs,
      toUs: fromUs + (span.index + 1) * spanUs,
      n: span.n,
      effectiveN: span.weight,
      hitRate: span.weight > 0 ? Math.min(1, span.hitWeight / span.weight) : null,
      skillSoFar: isShown && sums.referenceLoss > 0 ? 1 - sums.publishedLoss / sums.referenceLoss : null,
      regretSoFar: isShown ? sums.publishedLoss - best : null,
    };
  });
}

function added(left: Omit<StoredSpan, 'index'>, right: StoredSpan): Omit<StoredSpan, 'index'> {
  return {
    n: left.n + right.n,
    weight: left.weight + right.weight,
    hitWeight: left.hitWeight + right.hitWeight,
    publishedLoss: left.publishedLoss + right.publishedLoss,
    referenceLoss: left.referenceLoss + right.referenceLoss,
    rawLoss: left.rawLoss + right.rawLoss,
    calibratedLoss: left.calibratedLoss + right.calibratedLoss,
    referenced: left.referenced + right.referenced,
  };
}
