import { z } from 'zod';
import { VALIDITY_US_MAX } from '../../contracts/context-rules.ts';
import { refusalOfName } from '../../contracts/instrument-name.ts';

const US_PER_MS = 1_000;
const VALIDITY_MS_MAX = VALIDITY_US_MAX / US_PER_MS;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Intervals of a window, of each of which two snapshots are in memory. */
const WINDOW_INTERVALS_MAX = 1_024;
const FEEDS_MAX = 64;
const KEYWORDS_MAX = 64;
const INSTRUMENTS_MAX = 4_096;
/** Instruments of one computation of strengths: each is a cause, twice, of a signal. */
export const SECTOR_INSTRUMENTS_MAX = 64;

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'must have 1 to 40 lower-case letters, digits and hyphens, such as "wire-1"');

const instrumentName = z.string().superRefine((text, context) => {
  const refusal = refusalOfName(text);
  if (refusal !== undefined) context.addIssue({ code: 'custom', message: refusal.predicate });
});

const location = z
  .string()
  .min(1)
  .max(2_048)
  .superRefine((text, context) => {
    const fault = faultOfLocation(text);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
  });

const feed = z.strictObject({
  name,
  from: location,
  kind: z.enum(['NEWS_SENTIMENT', 'ECONOMIC_SENTIMENT', 'CALENDAR_EVENT']).default('NEWS_SENTIMENT'),
  // MARKET: each item is about the whole market; KEYWORDS: about the instruments whose keywords it has.
  about: z.enum(['KEYWORDS', 'MARKET']).default('KEYWORDS'),
  validForMs: z
    .int()
    .min(1_000)
    .max(VALIDITY_MS_MAX)
    .default(4 * HOUR_MS),
  beforeMs: z
    .int()
    .min(0)
    .max(7 * DAY_MS)
    .default(HOUR_MS / 2),
  afterMs: z
    .int()
    .min(1_000)
    .max(7 * DAY_MS)
    .default(HOUR_MS / 2),
  aheadMs: z
    .int()
    .min(0)
    .max(30 * DAY_MS)
    .default(DAY_MS),
  defaultImportance: z.number().min(0).max(1).default(0.5),
  authorizationVariable: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]{0,127}$/, 'must be the name of an environment variable, such as "WIRE_AUTHORIZATION"')
    .optional(),
});

const configuration = z.strictObject({
  pollMs: z.int().min(1_000).max(DAY_MS).default(60_000),
  feeds: z
    .array(feed)
    .max(FEEDS_MAX)
    .refine((feeds) => new Set(feeds.map((each) => each.name)).size === feeds.length, 'must not have a name twice')
    .default([]),
  instruments: z
    .record(
      instrumentName,
      z.strictObject({
        keywords: z.array(z.string().trim().min(2).max(64)).max(KEYWORDS_MAX).default([]),
        sector: name.optional(),
      }),
    )
    .refine((instruments) => Object.keys(instruments).length <= INSTRUMENTS_MAX, `must have at most ${INSTRUMENTS_MAX}`)
    .refine(
      (instruments) =>
        Object.values(instruments).filter(({ sector }) => sector !== undefined).length <= SECTOR_INSTRUMENTS_MAX,
      `must have at most ${SECTOR_INSTRUMENTS_MAX} with a sector`,
    )
    .default({}),
  sectors: z
    .strictObject({
      windowMs: z
        .int()
        .min(1_000)
        .max(31 * DAY_MS)
        .default(HOUR_MS),
      everyMs: z.int().min(1_000).max(DAY_MS).default(300_000),
      validForMs: z.int().min(1_000).max(VALIDITY_MS_MAX).default(600_000),
    })
    .refine(
      ({ windowMs, everyMs }) => windowMs % everyMs === 0 && windowMs / everyMs <= WINDOW_INTERVALS_MAX,
      `must have a windowMs that is a multiple of everyMs, at most ${WINDOW_INTERVALS_MAX} times as long`,
    )
    .prefault({}),
});

/** The configuration of context producers; `config/context.yaml` explains each key. */
export type ContextConfiguration = z.output<typeof configuration>;
export type FeedConfiguration = ContextConfiguration['feeds'][number];

/** Why a feed's address is not usable, as the end of a sentence that does not repeat it; undefined when it is. */
export function faultOfLocation(text: string): string | undefined {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return undefined;
  if (!URL.canParse(text)) return 'is not a valid URL';
  const { protocol, username, password } = new URL(text);
  if (protocol !== 'https:' && protocol !== 'http:') return 'must be an http or https URL, or the path of a file';
  if (username !== '' || password !== '') return 'has a password: name a variable in authorizationVariable instead';
  return undefined;
}

/** True for an address that is requested over the network. */
export function isRemote(from: string): boolean {
  return /^https?:\/\//i.test(from);
}

/** A configuration, or one sentence that names the first fault. */
export function parseContextConfiguration(raw: unknown): ContextConfiguration | string {
  const result = configuration.safeParse(raw ?? {});
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  if (issue === undefined) return 'The context configuration is wrong.';
  const place = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    return `The context configuration has an unknown key "${issue.keys[0] ?? ''}" ${place === '' ? 'at the top level' : `in ${place}`}.`;
  }
  if (issue.code === 'invalid_key') {
    return `The context configuration's key "${place}" ${issue.issues[0]?.message ?? 'is wrong'}.`;
  }
  if (place === '') return 'The context configuration is not a mapping of keys to values.';
  return `The context configuration's ${place} is wrong: ${issue.message}.`;
}

/** The feed of an address that the configuration does not list, with all defaults; a sentence's end where it is not usable. */
export function unlistedFeed(from: string): FeedConfiguration | string {
  const fault = faultOfLocation(from);
  if (fault !== undefined) return `the address ${fault}`;
  const parsed = parseContextConfiguration({ feeds: [{ name: 'unlisted', from }] });
  return typeof parsed === 'string' ? parsed : (parsed.feeds[0] ?? 'The feed is wrong.');
}
