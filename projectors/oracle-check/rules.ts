import { createHash } from 'node:crypto';
import { z } from 'zod';
import { Decimal } from '../../contracts/decimal.ts';
import type { EngineActivated } from '../../contracts/generated/events.ts';
import { writtenRational, type Rational } from './rational.ts';

const US_PER_MS = 1_000;
const US_PER_SECOND = 1_000_000;
const SECONDS_PER_DAY = 86_400;
const SECONDS_PER_MINUTE = 60;
const MINUTES_PER_HOUR = 60;
const DAY_MS = 86_400_000;
/** 1970-01-01 was a Thursday. */
const WEEKDAYS_FROM_DAY_0 = ['THU', 'FRI', 'SAT', 'SUN', 'MON', 'TUE', 'WED'];

const session = z.union([
  z.object({ anchorMs: z.number(), lengthMs: z.number() }),
  z.object({
    timeZone: z.string(),
    open: z.string(),
    close: z.string(),
    weekdays: z.array(z.string()),
    daysOff: z.array(z.string()),
    halfDays: z.record(z.string(), z.string()),
  }),
]);
type Session = z.output<typeof session>;
type TradingHours = Exclude<Session, { readonly anchorMs: number }>;

/** The keys of an activation's configuration that decide about indicators; read here once more, not by the engine. */
const configuration = z.object({
  session,
  clock: z.object({ maxStepMs: z.number(), confirmingTrades: z.number() }),
  suspiciousPrints: z.enum(['SET_ASIDE', 'COUNT']),
  volumeProfile: z.object({ valueAreaShare: z.number(), valueAreaRule: z.enum(['ONE_ROW', 'TWO_ROW']) }),
  range: z.object({ barMs: z.number(), bars: z.number() }),
  instruments: z.record(
    z.string(),
    z.object({ binSize: z.string().optional(), session: session.optional(), negativePrices: z.boolean() }),
  ),
  timeZones: z.record(z.string(), z.object({ offsets: z.array(z.tuple([z.number(), z.number()])) })).optional(),
});
type Configuration = z.output<typeof configuration>;

/** What the configuration in force says about one instrument's indicators. */
export interface IndicatorRules {
  /** Number of a time's session; undefined outside trading hours. */
  readonly sessionAt: (timeUs: number) => number | undefined;
  readonly clockStepUs: number;
  readonly confirmingTrades: number;
  readonly countsSuspicious: boolean;
  readonly allowsNegativePrices: boolean;
  readonly valueAreaShare: Rational;
  /** Rows by which the value area grows in one step. */
  readonly valueAreaRows: 1 | 2;
  readonly barUs: number;
  readonly bars: number;
  /** Units of 10^-12; undefined when a session's first price decides. */
  readonly binUnits: bigint | undefined;
  /** Fingerprints of the schemas in which records of the tape are accepted. */
  readonly acceptedSchemas: ReadonlySet<string>;
}

/** Undefined when the activation's text is not that of its hash, or does not have these keys. */
export function indicatorRulesOf(activation: EngineActivated, instrument: string): IndicatorRules | undefined {
  const text = activation.configuration;
  if (createHash('sha256').update(text, 'utf8').digest('hex') !== activation.configHash) return undefined;
  const parsed = configuration.safeParse(JSON.parse(text));
  if (!parsed.success) return undefined;
  const { clock, volumeProfile, range, instruments, suspiciousPrints } = parsed.data;
  const own = Object.hasOwn(instruments, instrument) ? instruments[instrument] : undefined;
  return {
    sessionAt: sessionsBy(own?.session ?? parsed.data.session, parsed.data),
    clockStepUs: clock.maxStepMs * US_PER_MS,
    confirmingTrades: clock.confirmingTrades,
    countsSuspicious: suspiciousPrints === 'COUNT',
    allowsNegativePrices: own?.negativePrices === true,
    valueAreaShare: writtenRational(volumeProfile.valueAreaShare),
    valueAreaRows: volumeProfile.valueAreaRule === 'ONE_ROW' ? 1 : 2,
    barUs: range.barMs * US_PER_MS,
    bars: range.bars,
    binUnits: own?.binSize === undefined ? undefined : Decimal.of(own.binSize).toUnits(),
    acceptedSchemas: new Set(activation.acceptedTapeSchemas),
  };
}

function sessionsBy(session: Session, { timeZones }: Configuration): IndicatorRules['sessionAt'] {
  if ('anchorMs' in session) {
    const [anchorUs, lengthUs] = [session.anchorMs * US_PER_MS, session.lengthMs * US_PER_MS];
    return (timeUs) => Math.floor((timeUs - anchorUs) / lengthUs);
  }
  return tradingDays(session, timeZones?.[session.timeZone]?.offsets ?? []);
}

/**
 * Trading hours by the reading of the local clock. Where the opening or closing itself is in an hour that the clock
 * skips or repeats, the engine's rule is finer; no exchange has such hours.
 */
function tradingDays(
  hours: TradingHours,
  offsets: readonly (readonly [fromSeconds: number, offsetSeconds: number])[],
): IndicatorRules['sessionAt'] {
  const close = secondsOf(hours.close);
  const opening = secondsOf(hours.open);
  const open = opening < close ? opening : opening - SECONDS_PER_DAY;
  const daysOff = new Set(hours.daysOff.map(dayOf));
  const halfDays = new Map(Object.entries(hours.halfDays).map(([date, time]) => [dayOf(date), secondsOf(time)]));
  return (timeUs) => {
    const seconds = timeUs / US_PER_SECOND;
    const offset = offsets.findLast(([from]) => from <= seconds) ?? offsets[0];
    const reading = seconds + (offset?.[1] ?? 0);
    const today = Math.floor(reading / SECONDS_PER_DAY);
    return [today, today + 1].find((day) => {
      const isOff = daysOff.has(day) || !hours.weekdays.includes(WEEKDAYS_FROM_DAY_0[day % 7] ?? '');
      const sinceMidnight = reading - day * SECONDS_PER_DAY;
      return !isOff && sinceMidnight >= open && sinceMidnight < (halfDays.get(day) ?? close);
    });
  };
}

function secondsOf(time: string): number {
  const [hours = Number.NaN, minutes = Number.NaN] = time.split(':').map(Number);
  return (hours * MINUTES_PER_HOUR + minutes) * SECONDS_PER_MINUTE;
}

function dayOf(date: string): number {
  return Date.parse(`${date}T00:00:00Z`) / DAY_MS;
}
