import { z } from 'zod';

/**
 * The values that the answers have in common. Times are microseconds since 1970, UTC; prices are exact decimals and so
 * text; a share or probability is from 0 to 1; null means "not known", never 0.
 */

export const API_PREFIX = '/api/v1';

export const timeUs = z.int().describe('microseconds since 1970, UTC');
export const price = z
  .string()
  .regex(/^-?\d+(\.\d+)?$/)
  .describe('exact decimal, quote currency');
export const share = z.number().min(0).max(1).describe('share or probability, 0 to 1');
export const count = z.int().min(0);
export const hash = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .describe('SHA-256, hex');

export const instrumentName = z
  .string()
  .describe('written form, such as BTC-USDT@binance (docs/instrument-names.md); encode it where it is part of a path');
export const eventId = z.string().describe('such as decision-3-10411-0');

export const direction = z.enum(['LONG', 'SHORT', 'NEUTRAL']).describe('LONG: forecast to rise; SHORT: to fall');
export const confidenceLevel = z.enum(['LOW', 'MEDIUM', 'HIGH']);
export const verdict = z
  .enum(['HIT', 'MISS', 'VOID'])
  .describe('VOID: no trade within the grace period after the horizon');
export const hitRuleKind = z.enum(['MOVE', 'FIRST_TOUCH']).describe('how the forecast is judged');
export const interval = z
  .strictObject({ low: z.number(), high: z.number() })
  .meta({ id: 'Interval', description: 'an interval of 95 %' });

export const tapePosition = z
  .strictObject({
    partition: count.describe('partition of raw.trades'),
    offset: count.describe('offset in that partition'),
  })
  .meta({ id: 'TapePosition', description: 'a place on the tape' });

/** Query parameters arrive as text. */
export const timeUsText = z
  .string()
  .regex(/^\d{1,15}$|^[12]\d{15}$/, 'give microseconds since 1970, such as 1742944080000000')
  .transform(Number)
  .describe('microseconds since 1970, UTC');

/** A page size from 1 to `max`. */
export function limitText(max: number, byDefault: number) {
  return z
    .string()
    .regex(/^\d{1,6}$/, `give a whole number from 1 to ${max}`)
    .transform(Number)
    .pipe(z.number().min(1).max(max))
    .default(byDefault)
    .describe(`entries at most, 1 to ${max}; ${byDefault} where it is not given`);
}

const CURSOR_LENGTH_MAX = 200;

export const cursorText = z
  .string()
  .min(1)
  .max(CURSOR_LENGTH_MAX)
  .regex(/^[A-Za-z0-9_-]+$/, 'give the nextCursor of the page before, unchanged')
  .describe('nextCursor of the page before, unchanged; without it the first page');

export const nextCursor = z.string().nullable().describe('for the next page; null on the last one');

export const flagText = z
  .enum(['true', 'false'])
  .transform((text) => text === 'true')
  .describe('true or false');

export const noQuery = z.strictObject({});
export const instrumentParams = z.strictObject({
  instrument: z.string().min(1).max(512).describe('the instrument, percent-encoded'),
});
export const eventParams = z.strictObject({
  eventId: z.string().min(1).max(100).describe('such as decision-3-10411-0'),
});
