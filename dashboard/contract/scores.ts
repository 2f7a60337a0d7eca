import { z } from 'zod';
import {
  count,
  cursorText,
  hash,
  hitRuleKind,
  instrumentName,
  interval,
  limitText,
  nextCursor,
  share,
  timeUs,
  timeUsText,
} from './values.ts';

export const SCORE_ROWS_MAX = 500;
export const SCORE_SPANS_MAX = 400;
export const SCORE_SPANS_DEFAULT = 60;
const LEAST_MOVE_LENGTH_MAX = 60;
const ENGINE_VERSION_LENGTH_MAX = 20;
export const TRIALS_PAGE_MAX = 200;
export const TRIALS_PAGE_DEFAULT = 50;

const forecastName = z.string().min(1).max(100).describe("DECISION, or a strategy's name");

export const scoresQuery = z.strictObject({
  instrument: instrumentName.optional(),
  forecast: forecastName.optional(),
});

/** What forecasts have in common that are counted together, as in `tapeproof scoreboard`. */
export const scoreGroup = z
  .strictObject({
    instrument: instrumentName,
    forecast: forecastName,
    hitRuleKind,
    horizonMs: count,
    leastMove: z.string().describe('such as "2 bp"; empty before engine version 4'),
    configHash: z.string(),
    engineVersion: z.string(),
  })
  .meta({ id: 'ScoreGroup' });

export const withheldFigures = z
  .strictObject({
    figures: z.array(z.string()).describe('names of fields that are null; "all figures" for all of them'),
    reason: z.enum(['TOO_FEW', 'ONE_SIDED', 'NO_REFERENCE', 'NO_VARIATION']),
    sentence: z.string().describe('for people'),
  })
  .meta({ id: 'WithheldFigures' });

/** Results of a group. Each outcome counts by its overlap weight; a figure that is withheld is null. */
export const scoreRow = z
  .strictObject({
    group: scoreGroup,
    hits: count,
    misses: count,
    voids: count,
    n: count.describe('hits and misses'),
    effectiveN: z.number().min(0).describe("sum of the overlap weights: horizons' worth of outcomes"),
    hitRate: share.nullable(),
    hitRateInterval: interval.nullable().describe('95 %, by Wilson, from the effective n'),
    meanPublished: share.nullable().describe('mean published probability'),
    referenceRate: share.nullable().describe('mean reference rate p0'),
    brierPublished: z.number().nullable().describe('mean of (p − o)²; smaller is better'),
    brierReference: z.number().nullable().describe('the same for p0'),
    logLossPublished: z.number().nullable(),
    skillAgainstReference: z
      .number()
      .nullable()
      .describe('1 − brierPublished / brierReference; above 0 is better than p0'),
    regret: z
      .number()
      .nullable()
      .describe('loss beyond that of the best of p0, raw and calibrated probability in hindsight'),
    withheld: z.array(withheldFigures),
  })
  .meta({ id: 'ScoreRow' });

export const scoresResponse = z
  .strictObject({
    rows: z.array(scoreRow).max(SCORE_ROWS_MAX).describe('by instrument, forecast and group'),
    total: count.describe('all groups; more than are listed where there are too many'),
    effectiveNMin: z.number().describe('below this effective n all figures are withheld: too few'),
    note: z.string().describe('for people: which intervals only "tapeproof scoreboard" has'),
  })
  .meta({ id: 'Scores' });

export const reliabilityBin = z
  .strictObject({
    low: share,
    high: share.describe('the bin holds low ≤ p < high; the last one also 1'),
    n: count,
    effectiveN: z.number().min(0),
    meanProbability: share.describe('mean published probability of the bin'),
    hitRate: share,
    band: interval.describe('of the hit rate: 95 %, by Wilson, from the effective n'),
  })
  .meta({ id: 'ReliabilityBin' });

export const reliabilityDiagram = z
  .strictObject({
    group: scoreGroup,
    n: count,
    effectiveN: z.number().min(0),
    bins: z.array(reliabilityBin).max(10).describe('those with outcomes, by probability; empty where withheld'),
    withheld: z.array(withheldFigures),
  })
  .meta({ id: 'ReliabilityDiagram' });

export const reliabilityResponse = z
  .strictObject({ diagrams: z.array(reliabilityDiagram).max(SCORE_ROWS_MAX), total: count })
  .meta({ id: 'Reliability' });

export const skillQuery = z.strictObject({
  configHash: hash.optional().describe('without it all configurations'),
});

/** A group's skill with its interval, computed from every outcome in the history. */
export const skillRow = z
  .strictObject({
    group: scoreGroup,
    n: count.describe('hits and misses'),
    effectiveN: z.number().min(0),
    skillAgainstReference: z.number().nullable(),
    interval: interval.nullable().describe('of the skill: 95 %, by batch means with Student’s t'),
    withheld: z.array(withheldFigures),
  })
  .meta({ id: 'SkillRow' });

export const skillResponse = z
  .strictObject({ instrument: instrumentName, rows: z.array(skillRow).max(SCORE_ROWS_MAX), total: count })
  .meta({ id: 'Skill' });

/** One group over time: choose it by these fields of a score row's group; those left out are the latest outcome's. */
export const scoreSpansQuery = z.strictObject({
  forecast: forecastName.default('DECISION'),
  hitRuleKind: hitRuleKind.optional(),
  horizonMs: z
    .string()
    .regex(/^\d{1,12}$/, 'give whole milliseconds')
    .transform(Number)
    .optional(),
  leastMove: z.string().max(LEAST_MOVE_LENGTH_MAX).optional().describe('as in the group, such as "2 bp"'),
  configHash: hash.optional(),
  engineVersion: z.string().min(1).max(ENGINE_VERSION_LENGTH_MAX).optional(),
  fromUs: timeUsText.optional().describe('outcomes at or after it'),
  toUs: timeUsText.optional().describe('outcomes before it'),
  limit: limitText(SCORE_SPANS_MAX, SCORE_SPANS_DEFAULT),
});

export const scoreSpan = z
  .strictObject({
    fromUs: timeUs,
    toUs: timeUs.describe('exclusive'),
    n: count.describe('hits and misses that were resolved in it'),
    effectiveN: z.number().min(0),
    hitRate: share.nullable().describe('null without weight'),
    skillSoFar: z
      .number()
      .nullable()
      .describe('skill against p0 of all outcomes up to the end of the span; null while there are too few'),
    regretSoFar: z.number().nullable().describe('regret of all outcomes up to the end of the span'),
  })
  .meta({ id: 'ScoreSpan' });

export const scoreSpansResponse = z
  .strictObject({
    instrument: instrumentName,
    forecast: forecastName,
    group: scoreGroup.nullable().describe('null where there is no outcome'),
    spanUs: count,
    spans: z.array(scoreSpan).max(SCORE_SPANS_MAX).describe('oldest first; those with outcomes'),
  })
  .meta({ id: 'ScoreSpans' });

export const trialsQuery = z.strictObject({
  cursor: cursorText.optional(),
  limit: limitText(TRIALS_PAGE_MAX, TRIALS_PAGE_DEFAULT),
});

/** A configuration tried on recorded data. Every figure of it is hypothetical: show it apart from what was published. */
export const trial = z
  .strictObject({
    trialId: z.string(),
    isHypothetical: z.literal(true),
    kind: z.enum(['BACKTEST', 'WHAT_IF']),
    triedAtUs: timeUs.describe('by the clock of the machine that tried it'),
    actor: z.string(),
    gitCommit: z.string(),
    engineVersion: z.string(),
    configHash: z.string(),
    strategies: z
      .record(z.string(), z.string())
      .describe("SHA-256 of each strategy's file from outside the repository"),
    gridPoint: z.record(z.string(), z.string()).describe('keys and values by which a grid changed the configuration'),
    tapeId: z.string().nullable().describe('null for files'),
    fileHashes: z.array(z.string()),
    n: count,
    effectiveN: z.number().min(0),
    brier: z.number().nullable(),
    referenceBrier: z.number().nullable(),
    skill: z.number().nullable(),
    tries: count.describe('different configurations that were tried on the same data, this one included'),
  })
  .meta({ id: 'Trial' });

export const trialsResponse = z
  .strictObject({ trials: z.array(trial).max(TRIALS_PAGE_MAX).describe('newest first'), total: count, nextCursor })
  .meta({ id: 'Trials' });

export type ScoreGroup = z.infer<typeof scoreGroup>;
export type ScoreRow = z.infer<typeof scoreRow>;
export type WithheldFigures = z.infer<typeof withheldFigures>;
export type ScoresQuery = z.infer<typeof scoresQuery>;
export type SkillQuery = z.infer<typeof skillQuery>;
export type SkillRow = z.infer<typeof skillRow>;
export type SkillResponse = z.infer<typeof skillResponse>;
export type ScoresResponse = z.infer<typeof scoresResponse>;
export type ReliabilityBin = z.infer<typeof reliabilityBin>;
export type ReliabilityDiagram = z.infer<typeof reliabilityDiagram>;
export type ReliabilityResponse = z.infer<typeof reliabilityResponse>;
export type ScoreSpan = z.infer<typeof scoreSpan>;
export type ScoreSpansQuery = z.infer<typeof scoreSpansQuery>;
export type ScoreSpansResponse = z.infer<typeof scoreSpansResponse>;
export type Trial = z.infer<typeof trial>;
export type TrialsResponse = z.infer<typeof trialsResponse>;
