import { z } from 'zod';
import { canonicalJson } from '../contracts/canonical-json.ts';
import { Decimal } from '../contracts/decimal.ts';
import { refusalOfName } from '../contracts/instrument-name.ts';
import { nearestOf } from '../contracts/nearest-name.ts';
import { EVENT_TIME_US_MIN } from '../contracts/trade-rules.ts';
import { isTradingHours, session, timeZones, type SessionConfiguration } from './sessions/session-configuration.ts';
import { STRATEGIES } from './strategies/catalogue.ts';
import type { Strategy } from './strategies/strategy.ts';

/**
 * Version of the engine: everything that decides which events are derived from a tape. Change it with every change of
 * the golden digest (derive.unit.spec.ts), never otherwise. It is part of the consumer group's id.
 */
export const ENGINE_VERSION = '5';
/** Versions that derive the same events but for their own name: version 5 has other anchors than 4. */
const SAME_FORMULAS: readonly string[] = ['4', ENGINE_VERSION];

/** True when this build's formulas are those of an engine version. */
export function hasTheseFormulas(engineVersion: string): boolean {
  return SAME_FORMULAS.includes(engineVersion);
}

const DAY_MS = 86_400_000;
const BARS_MAX = 1_000;
/** The time from which a time zone's data begin: no trade is older. */
const ZONES_FROM_SECONDS = EVENT_TIME_US_MIN / 1_000_000;
const CONFIRMING_TRADES_MAX = 32;
/** Each rule leads to separate results and a separate decision at each snapshot. */
const HIT_RULES_MAX = 8;

/** A wrong configuration. The message is one sentence that names the key, the place and what to do. */
export class ConfigurationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConfigurationError';
  }
}

const instrumentKey = z.string().superRefine((key, context) => {
  const refusal = refusalOfName(key);
  if (refusal !== undefined) context.addIssue({ code: 'custom', message: refusal.predicate });
});

const binSize = z
  .string('must be a decimal number in quotes, for example "0.01"')
  .refine((text) => {
    const decimal = Decimal.parse(text);
    return decimal instanceof Decimal && decimal.isPositive();
  }, 'must be a decimal number above 0 with at most 12 digits after the point, in quotes, for example "0.01"')
  .transform((text) => Decimal.of(text).toString());

const minMovePoints = z
  .string('must be a decimal number in quotes, for example "0.05"')
  .refine((text) => {
    const decimal = Decimal.parse(text);
    return decimal instanceof Decimal && decimal.whole >= 0;
  }, 'must be a decimal number of 0 or more with at most 12 digits after the point, in quotes, for example "0.05"')
  .transform((text) => Decimal.of(text).toString());

const minMoveBps = z
  .number()
  .min(0)
  .max(10_000)
  .refine((value) => Math.round(value * 1e6) / 1e6 === value, 'must have at most six digits after the point');

const hitRule = z
  .strictObject({
    kind: z.enum(['MOVE', 'FIRST_TOUCH']).default('MOVE'),
    horizonMs: z
      .int()
      .min(1)
      .max(7 * DAY_MS)
      .default(300_000),
    minMoveBps: minMoveBps.default(0),
    graceMs: z
      .int()
      .min(0)
      .max(7 * DAY_MS)
      .default(60_000),
  })
  .refine(
    ({ kind, minMoveBps: distance }) => kind === 'MOVE' || distance > 0,
    'has barriers at the reference price itself: give kind FIRST_TOUCH a minMoveBps above 0',
  );

const strategySettings = ({ parameters }: Strategy) =>
  z.strictObject({
    enabled: z.boolean().default(true),
    weight: z.number().positive().max(1_000).default(1),
    parameters: parameters.prefault({}),
  });

const settingsUnlessNamed = (strategy: Strategy) => {
  const settings = strategySettings(strategy);
  if (strategy.isListedUnlessNamed) return settings.prefault(strategy.isEnabledUnlessNamed ? {} : { enabled: false });
  // The parsed configuration lacks the key; its type is that of a record, which may lack any.
  return settings.optional() as unknown as z.ZodPrefault<typeof settings>;
};

const strategiesOf = (known: readonly Strategy[]) =>
  z.strictObject(Object.fromEntries(known.map((strategy) => [strategy.name, settingsUnlessNamed(strategy)])));

const confidence = z
  .strictObject({
    halfSampleTrades: z.number().positive().max(1e9).default(200),
    mediumFrom: z.number().min(0).max(1).default(0.4),
    highFrom: z.number().min(0).max(1).default(0.7),
  })
  .refine((value) => value.mediumFrom <= value.highFrom, 'mediumFrom must not be above highFrom');

export const configuration = z.strictObject({
  anchorIntervalRecords: z.int().min(1).max(10_000_000).default(50_000),
  cadenceMs: z.int().min(0).max(DAY_MS).default(1_000),
  clock: z
    .strictObject({
      maxStepMs: z
        .int()
        .min(1_000)
        .max(366 * DAY_MS)
        .default(3_600_000),
      confirmingTrades: z.int().min(2).max(CONFIRMING_TRADES_MAX).default(3),
    })
    .prefault({}),
  suspiciousPrints: z.enum(['SET_ASIDE', 'COUNT']).default('SET_ASIDE'),
  session: session.prefault({}),
  // Added when the configuration is made, if a session names a zone.
  timeZones: timeZones.optional(),
  volumeProfile: z
    .strictObject({
      valueAreaShare: z.number().positive().max(1).default(0.7),
      valueAreaRule: z.enum(['ONE_ROW', 'TWO_ROW']).default('ONE_ROW'),
    })
    .prefault({}),
  range: z
    .strictObject({
      barMs: z.int().min(1_000).max(DAY_MS).default(60_000),
      bars: z.int().min(1).max(BARS_MAX).default(20),
    })
    .prefault({}),
  strategies: strategiesOf(STRATEGIES).prefault({}),
  confidence: confidence.prefault({}),
  pooling: z
    .strictObject({
      epsilon: z.number().positive().max(0.49).default(0.001),
      sharpness: z.number().positive().max(100).default(1),
      minEvidence: z.number().min(0).max(100).default(0.01),
      weights: z.enum(['SLOPES', 'EQUAL']).default('SLOPES'),
    })
    .prefault({}),
  reference: z
    .strictObject({
      priorTieRate: z.number().min(0).max(0.99).default(0),
      priorWeight: z.number().positive().max(1e6).default(4),
      halfLife: z.number().min(0).max(1e9).default(300),
    })
    .prefault({}),
  calibration: z
    .strictObject({
      publish: z.enum(['AGGREGATED', 'CALIBRATED', 'RAW']).default('AGGREGATED'),
      priorSlope: z.number().min(0).max(100).default(1),
      priorPrecision: z.number().positive().max(1e9).default(0.25),
      interceptPrecision: z.number().positive().max(1e9).default(100),
      learningRate: z.number().positive().max(2).default(2),
    })
    .prefault({}),
  hitRules: z
    .array(hitRule)
    .min(1)
    .max(HIT_RULES_MAX)
    .refine(
      (rules) => new Set(rules.map((rule) => canonicalJson(rule))).size === rules.length,
      'must not have the same rule twice',
    )
    .default([{ kind: 'MOVE', horizonMs: 300_000, minMoveBps: 0, graceMs: 60_000 }]),
  instruments: z
    .record(
      instrumentKey,
      z.strictObject({
        binSize: binSize.optional(),
        session: session.optional(),
        negativePrices: z.boolean().default(false),
        minMovePoints: minMovePoints.optional(),
      }),
    )
    .default({}),
});

/** The engine's whole configuration; `config/engine.yaml` explains each key. */
export type EngineConfiguration = z.output<typeof configuration>;

/**
 * Checks a parsed YAML or JSON value and fills in the defaults. It must already contain the data of its sessions' time
 * zones: no zone library is consulted.
 *
 * @param known - the strategies that may be named; on a tape, those of the catalogue.
 * @throws ConfigurationError for the first fault; an unknown key is never ignored.
 */
export function parseConfiguration(raw: unknown, known: readonly Strategy[] = STRATEGIES): EngineConfiguration {
  // These words may be part of dead letters, which a replay writes again.
  const accepted = shapedConfiguration(raw, known, ({ message }) => message);
  checkTimeZones(accepted);
  return accepted;
}

/** Every session with its place in the configuration, such as `instruments.SPY@nyse.session`. */
export function sessionsOf(configuration: EngineConfiguration): [place: string, session: SessionConfiguration][] {
  const own = Object.entries(configuration.instruments).flatMap(([instrument, { session: of }]) =>
    of === undefined ? [] : [[`instruments.${instrument}.session`, of] as [string, SessionConfiguration]],
  );
  return [['session', configuration.session], ...own];
}

/** @throws ConfigurationError when a session's zone has no data, or the data contradict themselves. */
export function checkTimeZones(configuration: EngineConfiguration): void {
  const zones = configuration.timeZones ?? {};
  for (const [place, of] of sessionsOf(configuration)) {
    if (!isTradingHours(of) || Object.hasOwn(zones, of.timeZone)) continue;
    throw new ConfigurationError(
      `The configuration's ${place}.timeZone is wrong: timeZones has no data of ${of.timeZone}.`,
    );
  }
  for (const [name, { offsets }] of Object.entries(zones)) {
    const contradictory = offsets.find(([from, offset], at) => {
      const before = offsets[at - 1];
      return before === undefined ? from !== ZONES_FROM_SECONDS : from <= before[0] || offset === before[1];
    });
    if (contradictory === undefined) continue;
    throw new ConfigurationError(
      `The configuration's timeZones.${name}.offsets is wrong: it must begin at ${ZONES_FROM_SECONDS}, ascend and change with each entry, and [${contradictory.join(', ')}] does not.`,
    );
  }
}

type Wording = (issue: z.core.$ZodIssue) => string;

/**
 * A configuration by its shape alone, with the defaults filled in; `new-configuration.ts` continues from here.
 *
 * @throws ConfigurationError in the words given, by default plain ones.
 */
export function shapedConfiguration(
  raw: unknown,
  known: readonly Strategy[],
  wording: Wording = wordsOf,
): EngineConfiguration {
  const schema = schemaFor(known);
  const result = schema.safeParse(withHitRules(raw ?? {}));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new ConfigurationError(
    issue === undefined ? 'The configuration is wrong.' : inWordsOf(raw, sentenceOf(issue, schema, wording)),
  );
}

/** Earlier forms had one rule, `hitRule`: a list of one. If both are given, `hitRule` is reported as an unknown key. */
function withHitRules(raw: unknown): unknown {
  if (typeof raw !== 'object' || raw === null || !Object.hasOwn(raw, 'hitRule') || Object.hasOwn(raw, 'hitRules')) {
    return raw;
  }
  const { hitRule: only, ...rest } = raw as Readonly<Record<string, unknown>>;
  return { ...rest, hitRules: [only ?? {}] };
}

/** An error about a rule given as `hitRule` uses that name. */
function inWordsOf(raw: unknown, sentence: string): string {
  return withHitRules(raw) === raw ? sentence : sentence.replace('hitRules.0', 'hitRule');
}

function schemaFor(known: readonly Strategy[]): typeof configuration {
  if (known === STRATEGIES) return configuration;
  return configuration.safeExtend({ strategies: strategiesOf(known).prefault({}) });
}

/** The configuration's canonical text, which is hashed and stored in an activation. */
export function canonicalConfiguration(value: EngineConfiguration): string {
  return canonicalJson(value);
}

function sentenceOf(issue: z.core.$ZodIssue, schema: typeof configuration, wording: Wording): string {
  const place = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    const known = knownKeysAt(schema, issue.path);
    const nearest = nearestOf(key, known);
    const mend = nearest === undefined ? `Known keys there are ${known.join(', ')}.` : `Did you mean "${nearest}"?`;
    return `The configuration has an unknown key "${key}" ${place === '' ? 'at the top level' : `in ${place}`}. ${mend}`;
  }
  if (issue.code === 'invalid_key') {
    return `The configuration's key "${place}" ${issue.issues[0]?.message ?? 'is wrong'}.`;
  }
  if (place === '') return `The configuration is not a mapping of keys to values: ${wording(issue)}.`;
  return `The configuration's ${place} is wrong: ${wording(issue)}.`;
}

const KINDS: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  string: 'a text',
  array: 'a list',
  object: 'a mapping of keys to values',
  record: 'a mapping of keys to values',
};

/** The library's finding in plain words. */
function wordsOf(issue: z.core.$ZodIssue): string {
  const { code, message } = issue;
  // A check with its own words, such as a bin size's, explains more than a type.
  if (code === 'invalid_type' && message.startsWith('Invalid input')) {
    return `it must be ${KINDS[issue.expected] ?? issue.expected}`;
  }
  if (code === 'too_small') return `it must be ${issue.inclusive === true ? 'at least' : 'above'} ${issue.minimum}`;
  if (code === 'too_big') return `it must be ${issue.inclusive === true ? 'at most' : 'below'} ${issue.maximum}`;
  return code === 'invalid_value' ? `it must be ${issue.values.map(String).join(' or ')}` : message;
}

/** The keys that a schema knows at a place; for an unknown place, none. */
function knownKeysAt(schema: unknown, path: readonly PropertyKey[]): string[] {
  let at: unknown = schema;
  for (const key of path) {
    const inner = unwrapped(at);
    if (inner instanceof z.ZodObject) at = (inner.shape as Record<string, unknown>)[String(key)];
    else if (inner instanceof z.ZodRecord) at = inner.valueType;
    else if (inner instanceof z.ZodArray) at = inner.element;
    else return [];
  }
  const inner = unwrapped(at);
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}

function unwrapped(schema: unknown): unknown {
  let at = schema;
  while (true) {
    if (at instanceof z.ZodPrefault || at instanceof z.ZodDefault || at instanceof z.ZodOptional) at = at.unwrap();
    else if (at instanceof z.ZodPipe) at = at.in;
    else return at;
  }
}
